/* A part of a page as Markdown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/html.h"

enum { CELL_MAX = 600 /* letters: more in a cell is no table of data */, BUTTON_WORDS = 3 };

struct writer {
	struct out *o;
	enum html_view view;
	bool pre, heading, cell; /* within: line breaks stay, or become blanks */
	int depth;
};

static void write_children(const GumboNode *node, struct writer w);

static int heading_level(GumboTag tag)
{
	return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? (int)(tag - GUMBO_TAG_H1) + 1 : 0;
}

static int breaks(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_BR:
	case GUMBO_TAG_LI:
	case GUMBO_TAG_TR:
	case GUMBO_TAG_DT:
	case GUMBO_TAG_DD:
	case GUMBO_TAG_LABEL:
	case GUMBO_TAG_BUTTON: return 1;
	case GUMBO_TAG_P:
	case GUMBO_TAG_DIV:
	case GUMBO_TAG_SECTION:
	case GUMBO_TAG_ARTICLE:
	case GUMBO_TAG_ASIDE:
	case GUMBO_TAG_MAIN:
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_FOOTER:
	case GUMBO_TAG_FORM:
	case GUMBO_TAG_FIELDSET:
	case GUMBO_TAG_LEGEND:
	case GUMBO_TAG_DETAILS:
	case GUMBO_TAG_SUMMARY:
	case GUMBO_TAG_BLOCKQUOTE:
	case GUMBO_TAG_PRE:
	case GUMBO_TAG_UL:
	case GUMBO_TAG_OL:
	case GUMBO_TAG_DL:
	case GUMBO_TAG_TABLE:
	case GUMBO_TAG_CAPTION:
	case GUMBO_TAG_FIGURE:
	case GUMBO_TAG_FIGCAPTION:
	case GUMBO_TAG_ADDRESS:
	case GUMBO_TAG_HR:
	case GUMBO_TAG_BODY: return 2;
	default: return heading_level(tag) ? 2 : 0;
	}
}

/* --- What is left out --------------------------------------------------------------------------------------------- */

/* A list that is nearly all links is a menu. */
static bool is_menu(const GumboNode *node, enum html_view view)
{
	struct html_amount sum = { 0 };
	GumboTag tag = node->v.element.tag;

	if (view != HTML_PAGE || (tag != GUMBO_TAG_UL && tag != GUMBO_TAG_OL))
		return false;
	html_measure(node, view, &sum);
	return sum.linked * 10 > sum.letters * 8;
}

/* The sign behind a heading that leads to itself. */
static bool is_anchor(const GumboElement *e)
{
	const char *class = html_attribute(e, "class");

	return e->tag == GUMBO_TAG_A && class && (strstr(class, "headerlink") || strstr(class, "anchor"));
}

static int words_in(const GumboNode *node)
{
	struct out o = { 0 };
	int words = 0;

	write_children(node, (struct writer){ .o = &o, .view = HTML_ALL, .cell = true });
	for (size_t i = 0; i < o.size; i++)
		words += o.at[i] == ' ';
	free(o.at);
	return words + (o.size > 0);
}

/* "OK" is no text of the page; a question that opens its answer is. */
static bool is_plain_button(const GumboNode *node, const struct writer *w)
{
	return node->v.element.tag == GUMBO_TAG_BUTTON && !w->heading && words_in(node) < BUTTON_WORDS;
}

/* --- Tables ------------------------------------------------------------------------------------------------------- */

/* Does it hold data, rather than the page? No tables and headings in it, no long cells. */
static bool holds_data(const GumboNode *node, int depth)
{
	const GumboElement *e = &node->v.element;

	if (node->type != GUMBO_NODE_ELEMENT)
		return true;
	if (depth > HTML_DEPTH_MAX ||
	    (depth > 0 && (e->tag == GUMBO_TAG_TABLE || heading_level(e->tag) || e->tag == GUMBO_TAG_FORM)))
		return false;
	if (e->tag == GUMBO_TAG_TD) {
		struct html_amount sum = { 0 };

		html_measure(node, HTML_ALL, &sum);
		if (sum.letters > CELL_MAX)
			return false;
	}
	for (unsigned i = 0; i < e->children.length; i++)
		if (!holds_data(e->children.data[i], depth + 1))
			return false;
	return true;
}

static void write_row(const GumboNode *row, struct writer w)
{
	const GumboVector *cells = &row->v.element.children;
	bool any = false;

	out_break(w.o, 1);
	w.cell = true;
	for (unsigned i = 0; i < cells->length; i++) {
		const GumboNode *c = cells->data[i];

		if (c->type != GUMBO_NODE_ELEMENT ||
		    (c->v.element.tag != GUMBO_TAG_TD && c->v.element.tag != GUMBO_TAG_TH))
			continue;
		if (any) {
			w.o->space = true;
			out_plain(w.o, "|", 1);
			w.o->space = true;
		}
		any = true;
		write_children(c, w);
	}
	out_break(w.o, 1);
}

static void write_table(const GumboNode *node, struct writer w)
{
	const GumboVector *children = &node->v.element.children;

	for (unsigned i = 0; i < children->length; i++) {
		const GumboNode *c = children->data[i];

		if (c->type != GUMBO_NODE_ELEMENT)
			continue;
		if (c->v.element.tag == GUMBO_TAG_TR)
			write_row(c, w);
		else if (c->v.element.tag == GUMBO_TAG_CAPTION)
			write_children(c, w), out_break(w.o, 1);
		else if (w.depth < HTML_DEPTH_MAX)
			w.depth++, write_table(c, w), w.depth--;
	}
}

/* --- Small things ------------------------------------------------------------------------------------------------- */

/* 10^6; a note's mark as [3]; "th" of 4th as it is. */
static void write_raised(const GumboNode *node, struct writer w)
{
	struct out inner = { 0 };
	bool number, note = false;

	write_children(node,
	               (struct writer){ .o = &inner, .view = HTML_ALL, .cell = true, .depth = w.depth });
	for (unsigned i = 0; i < node->v.element.children.length; i++) {
		const GumboNode *c = node->v.element.children.data[i];

		note = note || (c->type == GUMBO_NODE_ELEMENT && c->v.element.tag == GUMBO_TAG_A);
	}
	number = inner.size > 0;
	for (size_t i = 0; i < inner.size; i++)
		number = number && strchr("0123456789+-", inner.at[i]);
	if (number && note)
		out_plain(w.o, "[", 1);
	else if (number)
		out_plain(w.o, "^", 1);
	out_text(w.o, inner.at ? inner.at : "", inner.size);
	if (number && note)
		out_plain(w.o, "]", 1);
	free(inner.at);
}

static void lead_in(const GumboNode *node, struct writer *w)
{
	const GumboElement *e = &node->v.element;
	int level = heading_level(e->tag);
	char number[16];

	if (level && !w->cell) {
		out_plain(w->o, "######", (size_t)level);
		w->o->space = true;
		w->heading = true;
	} else if (e->tag == GUMBO_TAG_LI && !w->cell) {
		const GumboNode *list = node->parent;
		unsigned n = 0;

		for (unsigned i = 0;
		     list && i <= node->index_within_parent && i < list->v.element.children.length; i++) {
			const GumboNode *c = list->v.element.children.data[i];

			n += c->type == GUMBO_NODE_ELEMENT && c->v.element.tag == GUMBO_TAG_LI;
		}
		if (list && list->v.element.tag == GUMBO_TAG_OL)
			snprintf(number, sizeof number, "%u.", n);
		else
			snprintf(number, sizeof number, "-");
		out_plain(w->o, number, strlen(number));
		w->o->space = true;
	}
}

static void write_text(const char *text, struct writer w)
{
	if (w.pre && !w.cell)
		out_plain(w.o, text, strlen(text));
	else
		out_text(w.o, text, strlen(text));
}

static void write_fence(struct writer w)
{
	out_break(w.o, 1);
	out_plain(w.o, "```", 3);
	out_break(w.o, 1);
}

/* Code keeps its lines, between fences: a # in it makes no heading. */
static void write_code(const GumboNode *node, struct writer w)
{
	size_t start = w.o->size;

	out_break(w.o, 2);
	write_fence(w);
	w.pre = true;
	write_children(node, w);
	if (w.o->size > start && w.o->at[w.o->size - 1] == '\n')
		w.o->size--;
	write_fence(w);
	out_break(w.o, 2);
}

/* --- Anything ----------------------------------------------------------------------------------------------------- */

static void write_node(const GumboNode *node, struct writer w)
{
	const GumboElement *e = &node->v.element;
	int owed;

	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
	    node->type == GUMBO_NODE_CDATA) {
		write_text(node->v.text.text, w);
		return;
	}
	if (node->type != GUMBO_NODE_ELEMENT || w.depth > HTML_DEPTH_MAX || html_furniture(e, w.view) ||
	    is_menu(node, w.view) || is_anchor(e) || is_plain_button(node, &w))
		return;
	owed = breaks(e->tag);
	if (w.cell || w.heading)
		w.o->space = w.o->space || owed;
	else if (owed)
		out_break(w.o, owed);
	w.depth++;
	if (e->tag == GUMBO_TAG_MAIN || e->tag == GUMBO_TAG_ARTICLE)
		w.view = w.view == HTML_PAGE ? HTML_CONTENT : w.view;
	if (e->tag == GUMBO_TAG_SUP) {
		write_raised(node, w);
	} else if (e->tag == GUMBO_TAG_TABLE && !w.cell && holds_data(node, 0)) {
		write_table(node, w);
	} else if (e->tag == GUMBO_TAG_PRE && !w.cell && !w.heading) {
		write_code(node, w);
	} else {
		struct writer inner = w;

		if (e->children.length)
			lead_in(node, &inner);
		write_children(node, inner);
	}
	if (w.cell || w.heading)
		w.o->space = w.o->space || owed;
	else if (owed)
		out_break(w.o, owed);
}

static void write_children(const GumboNode *node, struct writer w)
{
	for (unsigned i = 0; i < node->v.element.children.length; i++)
		write_node(node->v.element.children.data[i], w);
}

void html_write(const GumboNode *node, struct out *o, enum html_view view)
{
	write_node(node, (struct writer){ .o = o, .view = view });
}
