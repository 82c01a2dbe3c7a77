/*
 * page: a small page of ours as a raw reply: a heading, a sentence, and a form or whatever else follows.
 */
#ifndef PARLEY_INTEGRATIONS_PAGE_H
#define PARLEY_INTEGRATIONS_PAGE_H

#include "common/base/text.h"
#include "common/service/call.h"

struct page {
	int status;
	const char *title, *said; /* plain text */
	const char *below;        /* HTML; NULL: nothing */
	const char *set_cookie;   /* NULL: none */
};

int page_reply(struct call *call, const struct page *page, Rpc__RawReply *out) CHECKED;

/* Plain text as HTML, in an attribute's quotes as well. */
void page_add_text(struct text *html, const char *text);

/* "a…@example.com": as much of an address as a stranger may know. */
char *page_masked(const char *address, struct arena *a);

#endif
