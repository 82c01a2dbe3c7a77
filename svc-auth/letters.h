/* letters: what our mails say, as text and as HTML. */
#ifndef PARLEY_AUTH_LETTERS_H
#define PARLEY_AUTH_LETTERS_H

#include "common/base/arena.h"

struct letter {
	const char *subject, *text, *html;
};

/* site: where Parley is ("https://chat.example.com"), so that the reader knows who writes. */
void letter_code(const char *code, const char *site, struct letter *ret, struct arena *a);
void letter_link(const char *url, const char *site, struct letter *ret, struct arena *a);
/* The link that proves the address of a new account. */
void letter_confirm(const char *url, const char *site, struct letter *ret, struct arena *a);
/* The password made before the address was proven is gone. */
void letter_removed(const char *site, struct letter *ret, struct arena *a);

/* What a user of ours has us write to somebody: their words, and who had them sent. */
void letter_of_user(const char *subject, const char *words, const char *user, const char *site,
                    struct letter *ret, struct arena *a);

/* Text for an HTML body or attribute. */
char *letter_escape(const char *text, struct arena *a);

#endif
