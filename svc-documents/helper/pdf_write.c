/* The lines of a PDF as paragraphs, headings, rows and listings; pages end at form feeds. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/pdf_joint.h"

static void write_borders(struct pdf_writer *w)
{
	for (; w->borders > 0; w->borders--)
		out_plain(w->o, "\f", 1);
}

static void join(struct pdf_writer *w, enum joint joint)
{
	struct out *o = w->o;

	if (joint == JOINT_PARAGRAPH)
		out_break(o, 2);
	else if (joint == JOINT_LINE)
		out_break(o, 1);
	else if (joint == JOINT_BLANK)
		o->space = true;
	else if (joint == JOINT_HYPHEN)
		o->size--;
	write_borders(w);
}

static void end_code(struct pdf_writer *w)
{
	if (!w->in_code)
		return;
	out_break(w->o, 1);
	out_plain(w->o, "```", 3);
	out_break(w->o, 2);
	w->in_code = false;
}

/* Line for line, indented as it stands. */
static void write_code(struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	const struct pdf_block *b = &w->p->blocks[l->block];
	int indent = (int)lroundf((l->x - b->x) / b->advance);

	if (!w->in_code) {
		join(w, JOINT_PARAGRAPH);
		out_plain(w->o, "```", 3);
		w->in_code = true;
	}
	join(w, JOINT_LINE);
	for (int i = 0; i < indent && i < 40; i++)
		out_plain(w->o, " ", 1);
	out_plain(w->o, text, strlen(text));
}

static int by_x(const void *a, const void *b)
{
	const struct pdf_line *l = *(const struct pdf_line *const *)a,
	                      *m = *(const struct pdf_line *const *)b;

	return (l->x > m->x) - (l->x < m->x);
}

/* The lines of one row of a table: its cells from the left, each with what it says below. They are not written again. */
static bool write_row(struct pdf_writer *w, const struct pdf_page *page, uint32_t row)
{
	struct pdf_line *cells[64];
	size_t n = 0;

	for (uint32_t i = 0; i < page->lines && n < 64; i++)
		if (w->p->lines[page->line + i].row == row)
			cells[n++] = &w->p->lines[page->line + i];
	qsort(cells, n, sizeof *cells, by_x);
	for (size_t i = 0; i < n; i++) {
		char *text = pdf_line_text(w->p, cells[i]);
		bool same = i && fabsf(cells[i]->x - cells[i - 1]->x) < cells[i]->h;

		join(w, i ? JOINT_BLANK : JOINT_LINE);
		if (i && !same) {
			out_plain(w->o, "|", 1);
			w->o->space = true;
		}
		out_text(w->o, text, strlen(text));
		free(text);
		cells[i]->row = 0;
	}
	return n > 0;
}

static bool has_row(const struct pdf_writer *w, const struct pdf_page *page, uint32_t row)
{
	for (uint32_t i = 0; row && i < page->lines; i++)
		if (w->p->lines[page->line + i].row == row)
			return true;
	return false;
}

/* A table is written where its first line stands, row by row: their numbers have no gaps, those of two tables have one. */
static void write_table(struct pdf_writer *w, const struct pdf_page *page, const struct pdf_line *l)
{
	uint32_t row = l->row;

	if (row == 0)
		return;
	while (has_row(w, page, row - 1))
		row--;
	join(w, JOINT_PARAGRAPH);
	while (write_row(w, page, row))
		row++;
	out_break(w->o, 2);
}

static void write_text(struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	enum joint joint = JOINT_PARAGRAPH;

	if (w->before && w->o->size && !w->o->newlines)
		joint = pdf_joint(w, l, text);
	join(w, joint);
	if (l->kind == PDF_HEADING && joint == JOINT_PARAGRAPH) {
		out_plain(w->o, "####", l->level < 4 ? l->level : 4);
		w->o->space = true;
	}
	out_text(w->o, text, strlen(text));
}

static void write_line(struct pdf_writer *w, const struct pdf_page *page, const struct pdf_line *l)
{
	char *text;

	if (l->kind == PDF_GONE || l->words == 0)
		return;
	if (l->kind != PDF_CODE || (w->before && w->before->block != l->block))
		end_code(w);
	if (l->kind == PDF_TABLE) {
		write_table(w, page, l);
		w->before = NULL;
		return;
	}
	text = pdf_line_text(w->p, l);
	if (l->kind == PDF_CODE)
		write_code(w, l, text);
	else
		write_text(w, l, text);
	w->before = l;
	free(text);
}

/* Notes at the foot of a page whose sentence goes on overleaf come behind its paragraph. */
static void write_notes(struct pdf_writer *w, const struct pdf_page *page)
{
	bool any = false;

	for (uint32_t i = 0; i < page->lines; i++)
		if (w->p->lines[page->line + i].kind == PDF_NOTE) {
			if (!any)
				w->before = NULL;
			any = true;
			write_line(w, page, &w->p->lines[page->line + i]);
		}
	if (any) {
		out_break(w->o, 2);
		w->before = NULL;
	}
}

static bool goes_on(const struct pdf_writer *w)
{
	return w->o->size && w->before && w->before->kind == PDF_BODY && !pdf_ends_sentence(w->o) &&
	       !w->o->newlines;
}

void pdf_write(struct pdf *p, struct out *o)
{
	struct pdf_writer w = { .p = p, .o = o };
	const struct pdf_page *owing = NULL; /* its notes */

	pdf_collect_words(&w);
	for (size_t i = 0; i < p->page_count; i++) {
		const struct pdf_page *page = &p->pages[i];

		for (uint32_t k = 0; k < page->lines; k++) {
			const struct pdf_line *l = &p->lines[page->line + k];

			if (l->kind == PDF_NOTE)
				continue;
			write_line(&w, page, l);
			if (owing && !goes_on(&w)) {
				write_notes(&w, owing);
				owing = NULL;
			}
		}
		if (owing)
			write_notes(&w, owing);
		owing = page;
		if (!goes_on(&w) || i + 1 == p->page_count) {
			write_notes(&w, page);
			owing = NULL;
		}
		w.borders++;
	}
	end_code(&w);
	o->newlines = 0;
	o->space = false;
	write_borders(&w);
	free(w.words);
}
