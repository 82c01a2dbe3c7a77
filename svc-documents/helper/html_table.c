/* Tables of a page: rows of data keep to a line each. */
#include <stdlib.h>

#include "svc-documents/helper/html.h"

enum { CELL_MAX = 600 /* letters: more in a cell is no table of data */, LINES_MAX = 2, COLUMNS_MAX = 64 };

static int rows_of(const GumboNode *node, int depth)
{
	const GumboVector *children = &node->v.element.children;
	int rows = 0;

	if (node->type != GUMBO_NODE_ELEMENT || depth > 2)
		return 0;
	for (unsigned i = 0; i < children->length; i++)
		rows += rows_of(children->data[i], depth + 1);
	return rows + (node->v.element.tag == GUMBO_TAG_TR);
}

/* Paragraphs and lines of a cell. */
static int lines_of(const GumboNode *node, int depth)
{
	const GumboVector *children = &node->v.element.children;
	int lines = 0;

	if (node->type != GUMBO_NODE_ELEMENT || depth > HTML_DEPTH_MAX)
		return 0;
	for (unsigned i = 0; i < children->length; i++)
		lines += lines_of(children->data[i], depth + 1);
	return lines + (depth > 0 && html_breaks(node->v.element.tag));
}

/* Does it hold data, rather than the page? No tables, headings and listings in it, no long cells. */
static bool cells_hold_data(const GumboNode *node, bool one_row, int depth)
{
	const GumboElement *e = &node->v.element;

	if (node->type != GUMBO_NODE_ELEMENT)
		return true;
	if (depth > HTML_DEPTH_MAX ||
	    (depth > 0 && (e->tag == GUMBO_TAG_TABLE || html_heading_level(e->tag) ||
	                   e->tag == GUMBO_TAG_FORM || e->tag == GUMBO_TAG_PRE)))
		return false;
	if (e->tag == GUMBO_TAG_TD) {
		struct html_amount sum = { 0 };

		html_measure(node, HTML_ALL, &sum);
		if (sum.letters > CELL_MAX || (one_row && lines_of(node, 0) > LINES_MAX))
			return false;
	}
	for (unsigned i = 0; i < e->children.length; i++)
		if (!cells_hold_data(e->children.data[i], one_row, depth + 1))
			return false;
	return true;
}

bool html_holds_data(const GumboNode *table)
{
	return cells_hold_data(table, rows_of(table, 0) < 2, 0);
}

/* Cells that reach down into the rows that follow, by their column. */
struct spans {
	const GumboNode *cells[COLUMNS_MAX];
	long left[COLUMNS_MAX];
	int width[COLUMNS_MAX]; /* in columns */
};

static void write_cell(const GumboNode *cell, bool first, struct html_writer w)
{
	if (!first) {
		w.o->space = true;
		out_plain(w.o, "|", 1);
		w.o->space = true;
	}
	if (cell)
		html_write_children(cell, w);
}

/* What reaches down from above is said again: each row says all of itself. */
static int write_spans(struct spans *s, int column, struct html_writer w)
{
	for (; column < COLUMNS_MAX && s->left[column] > 0; column += s->width[column]) {
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

static void write_row(const GumboNode *row, struct spans *spans, struct html_writer w)
{
	const GumboVector *cells = &row->v.element.children;
	int column = 0;

	out_break(w.o, 1);
	w.cell = true;
	for (unsigned i = 0; i < cells->length; i++) {
		const GumboNode *c = cells->data[i];
		int width;

		if (c->type != GUMBO_NODE_ELEMENT ||
		    (c->v.element.tag != GUMBO_TAG_TD && c->v.element.tag != GUMBO_TAG_TH))
			continue;
		column = write_spans(spans, column, w);
		write_cell(c, column == 0, w);
		width = (int)span_of(c, "colspan");
		if (column < COLUMNS_MAX && span_of(c, "rowspan") > 1) {
			spans->width[column] = width;
			spans->cells[column] = c;
			spans->left[column] = span_of(c, "rowspan") - 1;
		}
		column += width;
	}
	write_spans(spans, column, w);
	out_break(w.o, 1);
}

static void write_rows(const GumboNode *node, struct spans *spans, struct html_writer w)
{
	const GumboVector *children = &node->v.element.children;

	for (unsigned i = 0; i < children->length; i++) {
		const GumboNode *c = children->data[i];

		if (c->type != GUMBO_NODE_ELEMENT)
			continue;
		if (c->v.element.tag == GUMBO_TAG_TR)
			write_row(c, spans, w);
		else if (c->v.element.tag == GUMBO_TAG_CAPTION)
			html_write_children(c, w), out_break(w.o, 1);
		else if (w.depth < HTML_DEPTH_MAX)
			w.depth++, write_rows(c, spans, w), w.depth--;
	}
}

void html_write_table(const GumboNode *node, struct html_writer w)
{
	struct spans spans = { 0 };

	w.o->mark = 0;
	write_rows(node, &spans, w);
}
