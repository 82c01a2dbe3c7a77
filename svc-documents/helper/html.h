/* html: a parsed page, its parts and its text; html.c chooses, html_write.c writes. */
#ifndef PARLEY_DOCUMENTS_HTML_H
#define PARLEY_DOCUMENTS_HTML_H

#include <gumbo.h>

#include "svc-documents/helper/helper.h"

enum { HTML_DEPTH_MAX = 5000 };

const char *html_attribute(const GumboElement *e, const char *name);
/* Is the value one of the set, which NULL ends? In any case; a NULL value is not. */
bool html_is(const char *value, const char *const *set);

/* How strictly a part is taken for furniture: what a page has round its text. */
enum html_view {
	HTML_PAGE,    /* header, footer, navigation and menus are left out */
	HTML_CONTENT, /* within <main> or <article>: header and footer belong to it */
	HTML_ALL,     /* everything that can be read */
};
bool html_furniture(const GumboElement *e, enum html_view view);

struct html_amount {
	size_t letters, linked;
};
void html_measure(const GumboNode *node, enum html_view view, struct html_amount *sum);

void html_links(const GumboNode *node, struct out *o, int depth);

void html_write(const GumboNode *node, struct out *o, enum html_view view);

#endif
