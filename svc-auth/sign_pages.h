/* sign_pages: the pages of signing in and of letting programs in. They need no script; every text from outside is escaped. */
#ifndef PARLEY_AUTH_SIGN_PAGES_H
#define PARLEY_AUTH_SIGN_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

struct page_way {
	const char *name, *url; /* "Google", where its sign-in starts */
};
struct page_sign_in {
	const char *seal, *next; /* hidden in the form; next may be NULL */
	const char *email;       /* to begin with; NULL: nothing */
	const char *said;        /* what went wrong; NULL: nothing */
	bool code_sent;          /* asks for the code that was mailed */
	bool providers_only;
	const struct page_way *ways;
	size_t way_count;
};
char *page_sign_in(const struct page_sign_in *p, struct arena *a);

struct page_consent {
	const char *client, *client_host; /* its own name; the host of its document, or NULL */
	const char *place;                /* where it is answered */
	const char *chatbot, *email;
	const char *fields; /* hidden ones, made by page_field() */
	const char *other;  /* where to sign in as somebody else */
};
char *page_consent(const struct page_consent *p, struct arena *a);
/* <input type="hidden">; "" for a value that is NULL. */
char *page_field(const char *name, const char *value, struct arena *a);

/* Signed in, and nothing more is asked. */
char *page_signed_in(const char *email, const char *seal, struct arena *a);
/* The end of a sign-in for a frontend of this address: the code, and what it gave along (or NULL), for /signed-in.js. */
char *page_handed_over(const char *code, const char *state, struct arena *a);
/* A heading and a sentence. */
char *page_message(const char *heading, const char *text, struct arena *a);

#endif
