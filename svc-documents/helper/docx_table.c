/* Tables of a Word document: a row a line, and each row says all of itself. */
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/docx.h"

enum { COLUMNS_MAX = 64, NESTED_MAX = 8 };

struct text {
	size_t start, size; /* in what is written */
};
struct table {
	bool flat;                      /* in a cell behind others: it stays in that cell's line */
	long column, span;              /* of the cell */
	size_t row, cell;               /* where they start */
	int owed;                       /* before the row */
	bool deleted, merged, goes_on;  /* goes_on: the cell is the lower part of one */
	struct text above[COLUMNS_MAX]; /* of cells that reach down */
};
struct docx_tables {
	struct table at[NESTED_MAX];
	int depth;
};

struct docx_tables *docx_tables_open(void)
{
	struct docx_tables *t = there(calloc(1, sizeof *t));

	return t;
}

int docx_tables_depth(const struct docx_tables *t)
{
	return t->depth;
}

/* Those that are nested deeper than anybody nests them share one. */
static struct table *now(struct docx_tables *t)
{
	return &t->at[t->depth < NESTED_MAX ? t->depth : NESTED_MAX - 1];
}

void docx_table_begin(struct docx_tables *t, struct out *o)
{
	bool flat = t->depth && (now(t)->flat || now(t)->column > 0);

	t->depth++;
	*now(t) = (struct table){ .flat = flat };
	if (!flat)
		out_break(o, 2);
}

void docx_table_end(struct docx_tables *t, struct out *o)
{
	if (t->depth == 0)
		return;
	if (!now(t)->flat)
		out_break(o, 2);
	t->depth--;
}

void docx_row_begin(struct docx_tables *t, const struct out *o)
{
	struct table *one = now(t);

	one->column = 0;
	one->row = o->size;
	one->owed = o->newlines;
	one->deleted = false;
}

void docx_row_delete(struct docx_tables *t)
{
	now(t)->deleted = true;
}

void docx_row_end(struct docx_tables *t, struct out *o)
{
	struct table *one = now(t);

	if (one->deleted && o->size >= one->row) {
		o->size = one->row;
		o->newlines = one->owed;
		o->space = false;
		return;
	}
	if (one->flat) {
		o->space = false;
		if (o->size > one->row)
			out_plain(o, ";", 1);
		o->space = true;
		return;
	}
	if (o->size && o->at[o->size - 1] == '|') /* behind the last cell */
		o->size -= o->size > 1 && o->at[o->size - 2] == ' ' ? 2 : 1;
	out_break(o, 1);
}

void docx_cell_begin(struct docx_tables *t, const struct out *o)
{
	struct table *one = now(t);

	one->cell = o->size;
	one->span = 1;
	one->merged = one->goes_on = false;
}

void docx_cell_span(struct docx_tables *t, long columns)
{
	now(t)->span = columns > 1 && columns <= COLUMNS_MAX ? columns : 1;
}

void docx_cell_merge(struct docx_tables *t, bool goes_on)
{
	now(t)->merged = !goes_on;
	now(t)->goes_on = goes_on;
}

static void say_again(struct out *o, const struct text *above)
{
	char *copy = above->size ? malloc(above->size) : NULL; /* what it is in moves as it grows */

	if (copy) {
		memcpy(copy, o->at + above->start, above->size);
		out_text(o, copy, above->size);
	}
	o->space = true;
	free(copy);
}

void docx_cell_end(struct docx_tables *t, struct out *o)
{
	struct table *one = now(t);
	struct text *above = one->column < COLUMNS_MAX ? &one->above[one->column] : NULL;

	if (above && one->merged)
		*above = (struct text){ one->cell, o->size > one->cell ? o->size - one->cell : 0 };
	else if (above && one->goes_on && o->size == one->cell && above->start + above->size <= o->size)
		say_again(o, above);
	one->column += one->span;
	if (!one->flat)
		out_plain(o, "|", 1);
	o->space = true;
}
