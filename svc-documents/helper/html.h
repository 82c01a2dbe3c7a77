/* html: a parsed page, its parts and its text; html.c chooses, html_furniture.c and html_glance.c tell what is none of it, html_write.c and html_table.c write. */
#ifndef PARLEY_DOCUMENTS_HTML_H
#define PARLEY_DOCUMENTS_HTML_H

#include <gumbo.h>

#include "svc-documents/helper/helper.h"

enum { HTML_DEPTH_MAX = 5000, HTML_GLANCE_NODES = 120 };

const char *html_attribute(const GumboElement *e, const char *name);
/* Is the value one of the set, which NULL ends? In any case; a NULL value is not. */
bool html_is(const char *value, const char *const *set);
/* Tags that the parser has no name for, by how they start. */
bool html_is_unknown(const GumboElement *e, const char *start);
bool html_is_heading(const GumboElement *e);
/* The header or footer of a section belongs to its text. */
bool html_is_of_section(const GumboElement *e);
bool html_has_class(const GumboElement *e, const char *word);

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

/* What a part says, its white space made single blanks; false: that is not all of it. */
bool html_glance(const GumboNode *node, char *text, size_t size);
/* Is it small, about cookies, and to be agreed to? */
bool html_begs_consent(const GumboNode *node);
/* What a picture shows, in words that do not stand beside it; or NULL. */
const char *html_picture(const GumboNode *node);
/* Questions and answers, and articles, that a page tells only to machines (JSON-LD): those that o does not have yet. */
void html_write_told(const GumboNode *root, struct out *o);

void html_links(const GumboNode *node, struct out *o, int depth);

/* Where it is written, and within what. */
struct html_writer {
	struct out *o;
	enum html_view view;
	bool pre, heading, cell; /* within: line breaks stay, or become blanks */
	int depth;
	int looked;            /* within what is or was looked at as a whole: html_write.c's own */
	const GumboNode *list; /* the one whose items are counted, and how far; or NULL */
	long number;
};
void html_write_children(const GumboNode *node, struct html_writer w);
int html_heading_level(GumboTag tag); /* 0: none */
int html_breaks(GumboTag tag);        /* what stands round it: 0 nothing, 1 a line's end, 2 a paragraph's */
/* Does a table hold data, rather than the page? */
bool html_holds_data(const GumboNode *table);
void html_write_math(const GumboNode *node, struct out *o);
void html_write_table(const GumboNode *node, struct html_writer w);

void html_write(const GumboNode *node, struct out *o, enum html_view view);

#endif
