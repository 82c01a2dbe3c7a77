/* Numbers of pages, and the heads and feet that they stand in: on most pages they rise with the page itself. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/pdf.h"

enum {
	NONE = -1000000,
	VOTES = 3, /* pages whose numbers agree, at least */
	ROMAN_VOTES = 2,
	SHARE = 4, /* one of so many pages that have a number, too: tables have some by chance */
	ROW = 4    /* lines of a head */
};

static long roman_digit(char c)
{
	return c == 'i' ? 1 : c == 'v' ? 5 : c == 'x' ? 10 : c == 'l' ? 50 : c == 'c' ? 100 : 0;
}

static long read_roman(const char *s, size_t size)
{
	long sum = 0;

	for (size_t i = 0; i < size; i++) {
		long one = roman_digit(s[i]), next = i + 1 < size ? roman_digit(s[i + 1]) : 0;

		if (!one)
			return NONE;
		sum += one < next ? -one : one;
	}
	return sum;
}

/* What a line that is one number counts; NONE: it is something else. */
static long number_of(const struct pdf *p, const struct pdf_line *l, bool roman)
{
	const struct pdf_word *w = &p->words[l->word];
	const char *s = p->text + w->text;
	long n = 0;

	if (l->words != 1 || w->size == 0 || w->size > 7)
		return NONE;
	if (roman)
		return read_roman(s, w->size);
	for (uint32_t i = 0; i < w->size; i++) {
		if (!isdigit((unsigned char)s[i]))
			return NONE;
		n = n * 10 + (s[i] - '0');
	}
	return w->size < 6 ? n : NONE;
}

static bool at_edge(const struct pdf_page *page, const struct pdf_line *l)
{
	return l->y + l->h < page->height * 0.14f || l->y > page->height * 0.75f;
}

static int by_value(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;

	return (left > right) - (left < right);
}

/* By how much each number at the edge of the page differs from the page's own: a page has one vote, a column of equal numbers too.
 * Returns how many there are. */
static size_t list_offsets(const struct pdf *p, size_t page, bool roman, long *ret)
{
	size_t count = 0, different = 0;

	for (uint32_t k = 0; k < p->pages[page].lines; k++) {
		const struct pdf_line *l = &p->lines[p->pages[page].line + k];
		long n = l->words && at_edge(&p->pages[page], l) ? number_of(p, l, roman) : NONE;

		if (n != NONE)
			ret[count++] = n - (long)page;
	}
	qsort(ret, count, sizeof *ret, by_value);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || ret[i] != ret[different - 1])
			ret[different++] = ret[i];
	return different;
}

/* By how much the printed numbers differ from the pages' own, on most pages that have one (chapters may begin anew); NONE. */
static long find_offset(const struct pdf *p, bool roman)
{
	long *offsets = there(malloc((p->line_count + 1) * sizeof *offsets)), ret = NONE;
	size_t count = 0, pages = 0, most = roman ? ROMAN_VOTES - 1 : VOTES - 1;

	for (size_t i = 0, more; i < p->page_count; i++, count += more) {
		more = list_offsets(p, i, roman, offsets + count);
		pages += more > 0;
	}
	qsort(offsets, count, sizeof *offsets, by_value);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i; next < count && offsets[next] == offsets[i];)
			next++;
		if (next - i > most) {
			most = next - i;
			ret = offsets[i];
		}
	}
	free(offsets);
	return most * SHARE < pages ? NONE : ret;
}

static bool beside(const struct pdf_line *l, const struct pdf_line *m)
{
	return fabsf(l->y + l->h / 2 - m->y - m->h / 2) < 3;
}

/* What else stands in the number's line, if that is set off from the text. */
static void drop_row(struct pdf *p, const struct pdf_page *page, const struct pdf_line *number)
{
	struct pdf_line *row[ROW];
	int count = 0;

	for (uint32_t i = 0; i < page->lines; i++) {
		struct pdf_line *l = &p->lines[page->line + i];
		bool near = fabsf(l->y - number->y) < number->h * 1.8f;

		if (l == number || l->words == 0)
			continue;
		if (beside(l, number) && (count == ROW || l->h > p->body * 1.3f))
			return;
		if (beside(l, number))
			row[count++] = l;
		else if (near)
			return;
	}
	for (int i = 0; i < count; i++)
		row[i]->kind = PDF_GONE;
}

void pdf_drop_numbers(struct pdf *p)
{
	const long offsets[] = { find_offset(p, false), find_offset(p, true) };

	for (size_t i = 0; i < p->page_count; i++) {
		const struct pdf_page *page = &p->pages[i];

		for (uint32_t k = 0; k < page->lines && page->lines <= PDF_LINES_MOST; k++) {
			struct pdf_line *l = &p->lines[page->line + k];

			for (int roman = 0; roman < 2 && l->words && at_edge(page, l); roman++) {
				if (offsets[roman] == NONE ||
				    number_of(p, l, roman) != offsets[roman] + (long)i)
					continue;
				l->kind = PDF_GONE;
				drop_row(p, page, l);
			}
		}
	}
}
