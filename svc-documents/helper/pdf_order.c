/* The order in which a page's lines are read: columns one after the other, an item behind its number. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/pdf.h"

enum { MARK_SIZE = 8 };

/* --- Parts of one line -------------------------------------------------------------------------------------------- */

/* "1.", "b)", "(iv)", a bullet; a bare "2.1" only in letters of a heading. */
static bool is_mark(const struct pdf *p, const struct pdf_line *l)
{
	static const char *const bullets[] = { "•", "◦", "▪", "●", "○", "■", "–", "‣", "\xef\x82\xb7", NULL };
	const struct pdf_word *w = &p->words[l->word];
	const char *s = p->text + w->text;
	char last;

	if (l->words != 1 || w->size > MARK_SIZE)
		return false;
	for (const char *const *b = bullets; *b; b++)
		if (strlen(*b) == w->size && memcmp(*b, s, w->size) == 0)
			return true;
	last = s[w->size - 1];
	for (uint32_t i = 0; i < w->size; i++)
		if (!isdigit((unsigned char)s[i]) && !strchr(".()", s[i]) &&
		    !(w->size < 6 && strchr("abcdefghivxABCDEFGHIVX", s[i]) && strchr(".)", last)))
			return false;
	return (strchr(".)", last) && w->size > 1) ||
	       (isdigit((unsigned char)last) && l->h >= p->body * 1.1f);
}

/* Do they stand beside each other, with a gap from least to most? */
static bool is_beside(const struct pdf_line *l, const struct pdf_line *m, float least, float most)
{
	float gap = m->x - l->x - l->w;

	return fabsf(l->y + l->h / 2 - m->y - m->h / 2) < (l->h < m->h ? l->h : m->h) / 3 && gap >= least &&
	       gap <= most;
}

/* A note's number, small and raised, before the note. */
static bool is_raised(const struct pdf *p, const struct pdf_line *l, const struct pdf_line *m)
{
	const struct pdf_word *w = &p->words[l->word];

	return l->words == 1 && l->h < m->h * 0.8f && l->y >= m->y - m->h / 2 && l->y < m->y + m->h / 2 &&
	       m->x >= l->x + l->w && m->x - l->x - l->w < m->h && w->size < 4 &&
	       isdigit((unsigned char)p->text[w->text]);
}

/* The words of both become one line's, behind all others. */
static void join_lines(struct pdf *p, struct pdf_line *l, struct pdf_line *m, struct pdf_line *into)
{
	struct pdf_line joined = *into;

	joined.word = (uint32_t)p->word_count;
	joined.words = l->words + m->words;
	joined.x = l->x;
	joined.w = m->x + m->w - l->x;
	for (uint32_t i = 0; i < l->words; i++)
		pdf_copy_word(p, l->word + i);
	for (uint32_t i = 0; i < m->words; i++)
		pdf_copy_word(p, m->word + i);
	l->words = m->words = 0;
	*into = joined;
}

/* Numbers of items and sections stand in blocks of their own, and so do words in other letters. */
static void join_parts(struct pdf *p, const struct pdf_page *page)
{
	for (uint32_t i = 0; i < page->lines; i++) {
		struct pdf_line *l = &p->lines[page->line + i], *best = NULL;
		bool mark = l->words && is_mark(p, l);

		for (uint32_t k = 0; l->words && k < page->lines; k++) {
			struct pdf_line *m = &p->lines[page->line + k];
			bool lone = p->blocks[m->block].lines == 1;

			if (m->words == 0 || m->block == l->block ||
			    pdf_column(page, m) != pdf_column(page, l) || (best && m->x > best->x))
				continue;
			if (mark                 ? is_beside(l, m, 0, 4 * l->h)
			    : is_raised(p, l, m) ? true
			                         : lone && is_beside(l, m, -1, l->h * 0.4f))
				best = m;
		}
		if (best)
			join_lines(p, l, best, mark || is_raised(p, l, best) ? best : l);
	}
}

/* --- Blocks ----------------------------------------------------------------------------------------------------------- */

struct place {
	uint32_t block, band;
	int column; /* 0: across some */
	float y, x;
	float h; /* of its last line */
	bool title;
};

static bool stands_before(const struct place *l, const struct place *m)
{
	if (l->band != m->band)
		return l->band < m->band;
	if (l->column != m->column)
		return l->column < m->column;
	return fabsf(l->y - m->y) >= 1 ? l->y < m->y : l->x < m->x;
}

/* By insertion: what is nearly at one height makes no order that qsort() could be given. */
static void sort_places(struct place *places, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct place one = places[i];
		size_t k = i;

		for (; k > 0 && stands_before(&one, &places[k - 1]); k--)
			places[k] = places[k - 1];
		places[k] = one;
	}
}

static struct place place_of(const struct pdf *p, const struct pdf_page *page, uint32_t block,
                             const struct pdf_line *lines)
{
	const struct pdf_block *b = &p->blocks[block];
	struct place ret = { .block = block };

	for (uint32_t i = 0; i < b->lines; i++) {
		const struct pdf_line *l = &lines[b->line - page->line + i];
		int column = pdf_column(page, l);

		ret.y = i == 0 || l->y < ret.y ? l->y : ret.y;
		ret.x = i == 0 || l->x < ret.x ? l->x : ret.x;
		ret.h = l->h;
		ret.column = i == 0 || ret.column == column ? column : 0;
	}
	return ret;
}

/* Large letters above the first line of every other column are a title, however short it is. */
static void set_titles(const struct pdf *p, struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool title = places[i].column && places[i].h > p->body * 1.1f;

		for (size_t k = 0; title && k < count; k++)
			title = places[k].column == 0 || places[k].column == places[i].column ||
			        places[k].y > places[i].y + places[i].h;
		places[i].title = title;
	}
	for (size_t i = 0; i < count; i++)
		places[i].column = places[i].title ? 0 : places[i].column;
}

/* What goes across columns parts what stands above it from what stands below. */
static void set_bands(struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++)
			places[i].band += places[k].column == 0 && places[k].y <= places[i].y;
}

/* The blocks of a page that lies at the end of `to`, in their order. */
static void order_blocks(struct pdf *p, const struct pdf_page *page, struct pdf_line *to)
{
	struct place *places = there(calloc(page->lines + 1, sizeof *places));
	struct pdf_line *lines = there(calloc(page->lines + 1, sizeof *lines));
	uint32_t count = 0, at = 0;

	memcpy(lines, to, page->lines * sizeof *lines);
	for (uint32_t i = 0; i < page->lines; i++)
		if (i == 0 || lines[i].block != lines[i - 1].block)
			places[count++] = place_of(p, page, lines[i].block, lines);
	set_titles(p, places, count);
	set_bands(places, count);
	sort_places(places, count);
	for (uint32_t i = 0; i < count; i++) {
		struct pdf_block *b = &p->blocks[places[i].block];

		memcpy(to + at, lines + (b->line - page->line), b->lines * sizeof *lines);
		b->line = page->line + at;
		at += b->lines;
	}
	free(places);
	free(lines);
}

void pdf_order(struct pdf *p)
{
	pdf_split_columns(p);
	if (!p->lines)
		return; /* pictures alone */
	for (size_t i = 0; i < p->page_count; i++) {
		struct pdf_page *page = &p->pages[i];

		if (page->lines && page->lines <= 2 * PDF_LINES_MOST)
			join_parts(p, page);
		if (page->gutter_count)
			order_blocks(p, page, p->lines + page->line);
	}
}
