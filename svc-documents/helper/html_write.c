/* A part of a page as Markdown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/html.h"

enum { CELL_MAX = 600 /* letters: more in a cell is no table of data */, BUTTON_WORDS = 3, COLUMNS_MAX = 64 };

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
	case GUMBO_TAG_DT:
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

/* Cells that reach down into the rows that follow, by their column. */
struct spans {
	const GumboNode *cells[COLUMNS_MAX];
	long left[COLUMNS_MAX];
};

static void write_cell(const GumboNode *cell, bool first, struct writer w)
{
	if (!first) {
		w.o->space = true;
		out_plain(w.o, "|", 1);
		w.o->space = true;
	}
	if (cell)
		write_children(cell, w);
}

/* What reaches down from above is said again: each row says all of itself. */
static int write_spans(struct spans *s, int column, struct writer w)
{
	for (; column < COLUMNS_MAX && s->left[column] > 0; column++) {
		s->left[column]--;
		write_cell(s->cells[column], column == 0, w);
	}
	return column;
}

static long span_of(const GumboNode *cell, const char *name)
{
	const char *value = html_attribute(&cell->v.element, name);
	long n = value ? strtol(value, NULL, 10) : 1;

	return n < 1 ? 1 : n > COLUMNS_MAX ? COLUMNS_MAX : n;
}

static void write_row(const GumboNode *row, struct spans *spans, struct writer w)
{
	const GumboVector *cells = &row->v.element.children;
	int column = 0;

	out_break(w.o, 1);
	w.cell = true;
	for (unsigned i = 0; i < cells->length; i++) {
		const GumboNode *c = cells->data[i];

		if (c->type != GUMBO_NODE_ELEMENT ||
		    (c->v.element.tag != GUMBO_TAG_TD && c->v.element.tag != GUMBO_TAG_TH))
			continue;
		column = write_spans(spans, column, w);
		write_cell(c, column == 0, w);
		if (column < COLUMNS_MAX && span_of(c, "rowspan") > 1) {
			spans->cells[column] = c;
			spans->left[column] = span_of(c, "rowspan") - 1;
		}
		column++;
	}
	write_spans(spans, column, w);
	out_break(w.o, 1);
}

static void write_rows(const GumboNode *node, struct spans *spans, struct writer w)
{
	const GumboVector *children = &node->v.element.children;

	for (unsigned i = 0; i < children->length; i++) {
		const GumboNode *c = children->data[i];

		if (c->type != GUMBO_NODE_ELEMENT)
			continue;
		if (c->v.element.tag == GUMBO_TAG_TR)
			write_row(c, spans, w);
		else if (c->v.element.tag == GUMBO_TAG_CAPTION)
			write_children(c, w), out_break(w.o, 1);
		else if (w.depth < HTML_DEPTH_MAX)
			w.depth++, write_rows(c, spans, w), w.depth--;
	}
}

static void write_table(const GumboNode *node, struct writer w)
{
	struct spans spans = { 0 };

	write_rows(node, &spans, w);
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

static long number_in(const GumboElement *e, const char *name, long otherwise)
{
	const char *value = html_attribute(e, name);
	char *end;
	long n = value ? strtol(value, &end, 10) : otherwise;

	return value && (end == value || n < -100000 || n > 100000) ? otherwise : n;
}

/* As a browser counts: from the list's start, on from an item's own value. */
static long item_number(const GumboNode *item, const GumboElement *list)
{
	long n = number_in(list, "start", 1) - 1;

	for (unsigned i = 0; i <= item->index_within_parent && i < list->children.length; i++) {
		const GumboNode *c = list->children.data[i];

		if (c->type == GUMBO_NODE_ELEMENT && c->v.element.tag == GUMBO_TAG_LI)
			n = number_in(&c->v.element, "value", n + 1);
	}
	return n;
}

/* "3.", "c.": what stands before an item. */
static void print_mark(const GumboNode *item, char *text, size_t size)
{
	const GumboNode *node = item->parent;
	const GumboElement *list = node && node->type == GUMBO_NODE_ELEMENT ? &node->v.element : NULL;
	const char *type = list ? html_attribute(list, "type") : NULL;
	long n;

	snprintf(text, size, "-");
	if (!list || list->tag != GUMBO_TAG_OL)
		return;
	n = item_number(item, list);
	if (type && (*type == 'a' || *type == 'A') && n >= 1 && n <= 26)
		snprintf(text, size, "%c.", (int)(*type + n - 1));
	else
		snprintf(text, size, "%ld.", n);
}

static void lead_in(const GumboNode *node, struct writer *w)
{
	const GumboElement *e = &node->v.element;
	int level = heading_level(e->tag);
	char mark[32];

	if (level && !w->cell) {
		out_plain(w->o, "######", (size_t)level);
		w->o->space = true;
		w->heading = true;
	} else if (e->tag == GUMBO_TAG_LI && !w->cell) {
		print_mark(node, mark, sizeof mark);
		out_plain(w->o, mark, strlen(mark));
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
