/*
 * website/look: is there a tag in a page that loads the widget of a chatbot, or a script that will; and may it, there? What a script adds
 * that is not in the page itself (a tag manager's) is not seen.
 */
#ifndef PARLEY_WEBSITE_LOOK_H
#define PARLEY_WEBSITE_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

struct website_page {
	const char *html;
	const char *origin;           /* where it came from */
	const char *const *policies;  /* of its headers; ended by NULL */
	const char *chatbot, *script; /* whose widget; the origin of ours */
};

struct website_seen {
	bool script;
	const char *blocked; /* the directive of a Content-Security-Policy that keeps it out; NULL: none */
};

void website_see(const struct website_page *page, struct website_seen *ret, struct arena *a);

/* "https://shop.example.com" of an address there. */
char *website_origin(const char *url, struct arena *a);

#endif
