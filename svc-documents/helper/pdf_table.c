/* Tables of a PDF: lines beside each other that say little. */
#include <math.h>
#include <stdlib.h>

#include "svc-documents/helper/pdf.h"

struct row {
	uint32_t lines[32]; /* by their places from the left */
	int count;
	float y, h;
};

static int by_place(const struct pdf *p, uint32_t a, uint32_t b)
{
	const struct pdf_line *l = &p->lines[a], *m = &p->lines[b];
	bool same = fabsf(l->y + l->h / 2 - m->y - m->h / 2) < (l->h < m->h ? l->h : m->h) / 2;

	return same ? (l->x > m->x) - (l->x < m->x) : (l->y > m->y) - (l->y < m->y);
}

/* Is the line beside the row, with a gap? */
static bool joins(const struct pdf *p, const struct row *r, const struct pdf_line *l)
{
	const struct pdf_line *last = &p->lines[r->lines[r->count - 1]];

	return r->count < 32 && fabsf(l->y + l->h / 2 - r->y - r->h / 2) < (l->h < r->h ? l->h : r->h) / 2 &&
	       l->x > last->x + last->w + l->h / 2;
}

/* The page's rows, from the top. (Lines of a page are nearly in order: sorting by insertion is quick.) */
static size_t find_rows(const struct pdf *p, const struct pdf_page *page, int column, struct row *rows,
                        uint32_t *order)
{
	size_t n = 0, count = 0;

	for (uint32_t i = 0; i < page->lines; i++) {
		size_t k = n;

		if (p->lines[page->line + i].kind == PDF_GONE || p->lines[page->line + i].words == 0 ||
		    pdf_column(page, &p->lines[page->line + i]) != column)
			continue;
		for (; k > 0 && by_place(p, order[k - 1], page->line + i) > 0; k--)
			order[k] = order[k - 1];
		order[k] = page->line + i;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		const struct pdf_line *l = &p->lines[order[i]];

		if (count && joins(p, &rows[count - 1], l)) {
			rows[count - 1].lines[rows[count - 1].count++] = order[i];
			continue;
		}
		rows[count++] = (struct row){ { order[i] }, 1, l->y, l->h };
	}
	return count;
}

/* Cells beside the first say little; columns of a text say much. */
static bool is_table(const struct pdf *p, const struct row *rows, size_t count)
{
	size_t words = 0, cells = 0, first = 0, several = 0;

	for (size_t i = 0; i < count; i++) {
		several += rows[i].count > 1;
		first += rows[i].count > 1 ? p->lines[rows[i].lines[0]].words : 0;
		for (int k = 1; k < rows[i].count; k++, cells++)
			words += p->lines[rows[i].lines[k]].words;
	}
	return several >= 2 && words * 2 <= cells * 7 && first <= several * 12;
}

/* Does a row of one line go on with a cell of the row above? */
static bool continues(const struct pdf *p, const struct row *above, const struct row *r)
{
	const struct pdf_line *l = &p->lines[r->lines[0]];

	for (int k = 1; r->count == 1 && k < above->count; k++)
		if (fabsf(p->lines[above->lines[k]].x - l->x) < l->h && r->y - above->y < above->h * 1.8f)
			return true;
	return false;
}

static void mark_column(struct pdf *p, const struct pdf_page *page, int column, uint32_t *number)
{
	struct row *rows = there(calloc(page->lines + 1, sizeof *rows));
	uint32_t *order = there(calloc(page->lines + 1, sizeof *order));
	size_t count;

	count = find_rows(p, page, column, rows, order);
	for (size_t i = 0, stop; i < count; i = stop) {
		for (stop = i; stop < count && (rows[stop].count > 1 ||
		                                (stop > i && continues(p, &rows[stop - 1], &rows[stop])));)
			stop++;
		if (stop > i && is_table(p, rows + i, stop - i)) {
			++*number; /* so that tables do not touch */
			for (size_t r = i; r < stop; r++) {
				*number += rows[r].count > 1;
				for (int k = 0; k < rows[r].count; k++) {
					p->lines[rows[r].lines[k]].kind = PDF_TABLE;
					p->lines[rows[r].lines[k]].row = *number;
				}
			}
		}
		stop += stop == i;
	}
	free(rows);
	free(order);
}

void pdf_mark_tables(struct pdf *p, const struct pdf_page *page, uint32_t *number)
{
	for (int column = 0; column <= page->gutter_count + 1; column++)
		mark_column(p, page, column, number);
}
