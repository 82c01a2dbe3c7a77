/* What the lines of a PDF are: text, or what is printed round it. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/pdf.h"

static const char *word_text(const struct pdf *p, const struct pdf_word *w)
{
	return p->text + w->text;
}

/* A number that is raised behind another: 10^6. */
static bool is_power(const struct pdf *p, const struct pdf_line *l, const struct pdf_word *w)
{
	const struct pdf_word *before = w - 1;

	if (w->h <= 0 || w->h > l->h * 0.8f || w->y + w->h > before->y + before->h - l->h * 0.15f ||
	    !before->size || !isdigit((unsigned char)word_text(p, before)[before->size - 1]))
		return false;
	for (uint32_t i = 0; i < w->size; i++)
		if (!isdigit((unsigned char)word_text(p, w)[i]))
			return false;
	return w->size > 0;
}

char *pdf_line_text(const struct pdf *p, const struct pdf_line *l)
{
	size_t size = 1, n = 0;
	char *ret;

	for (uint32_t i = 0; i < l->words; i++)
		size += p->words[l->word + i].size + 2;
	ret = there(malloc(size));
	for (uint32_t i = 0; i < l->words; i++) {
		const struct pdf_word *w = &p->words[l->word + i], *before = w - 1;

		/* A raised number or another script of the same word stands close. */
		if (i && w->x - (before->x + before->w) > l->h / 10)
			ret[n++] = ' ';
		else if (i && is_power(p, l, w))
			ret[n++] = '^';
		memcpy(ret + n, word_text(p, w), w->size);
		n += w->size;
	}
	ret[n] = '\0';
	if (l->words && p->words[l->word].h > 0) /* not from a picture: that is read as people read */
		pdf_put_in_order(ret);
	return ret;
}

/* --- Sizes -------------------------------------------------------------------------------------------------------- */

/* A line is as high as most of it is: a raised number, or a sum's sign, makes no heading of it. (By majority: whatever most
 * agree on is left, however the others come between.) */
void pdf_fit_line(const struct pdf *p, struct pdf_line *l)
{
	float weight = 0, y = l->y, h = l->h;

	for (uint32_t i = 0; i < l->words; i++) {
		const struct pdf_word *w = &p->words[l->word + i];

		if (w->h <= 0)
			continue;
		if (weight <= 0) {
			y = w->y;
			h = w->h;
		}
		weight = fabsf(w->h - h) < 0.3f ? weight + w->w : weight > w->w ? weight - w->w : 0;
	}
	l->y = y;
	l->h = h;
}

static int by_height(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;

	return (left > right) - (left < right);
}

static void measure_body(struct pdf *p)
{
	float *heights = there(malloc((p->word_count + 1) * sizeof *heights));
	size_t n = 0;

	for (size_t i = 0; i < p->line_count; i++)
		for (uint32_t k = 0; k < p->lines[i].words && n < p->word_count; k++)
			heights[n++] = p->lines[i].h;
	qsort(heights, n, sizeof *heights, by_height);
	p->body = n ? heights[n / 2] : 10;
	free(heights);
}

/* --- Code, headings, notes ---------------------------------------------------------------------------------------- */

/* How wide each character of the block is, when all are equally wide. */
static float advance(const struct pdf *p, const struct pdf_block *b)
{
	float least = 1e9f, most = 0;
	size_t words = 0;

	for (uint32_t i = 0; i < b->lines; i++) {
		const struct pdf_line *l = &p->lines[b->line + i];

		for (uint32_t k = 0; k < l->words; k++) {
			const struct pdf_word *w = &p->words[l->word + k];
			float one = w->w / (float)pdf_chars(word_text(p, w), w->size);

			if (pdf_wide(pdf_first_char(word_text(p, w), w->size)))
				return 0;
			if (w->size < 2)
				continue;
			least = one < least ? one : least;
			most = one > most ? one : most;
			words++;
		}
	}
	return b->lines >= 2 && words >= 4 && most < least * 1.04f ? least : 0;
}

static void mark_code(struct pdf *p)
{
	size_t lines = 0;

	for (size_t i = 0; i < p->block_count; i++) {
		p->blocks[i].advance = advance(p, &p->blocks[i]);
		lines += p->blocks[i].advance > 0 ? p->blocks[i].lines : 0;
	}
	if (lines * 10 > p->line_count * 9) /* written with a typewriter: text */
		return;
	for (size_t i = 0; i < p->block_count; i++)
		for (uint32_t k = 0; p->blocks[i].advance > 0 && k < p->blocks[i].lines; k++)
			if (p->lines[p->blocks[i].line + k].kind == PDF_BODY)
				p->lines[p->blocks[i].line + k].kind = PDF_CODE;
}

static bool has_letters(const struct pdf *p, const struct pdf_line *l)
{
	size_t n = 0;

	for (uint32_t i = 0; i < l->words; i++)
		for (uint32_t k = 0; k < p->words[l->word + i].size; k++) {
			char c = word_text(p, &p->words[l->word + i])[k];

			n += isalpha((unsigned char)c) || (c & 0x80);
		}
	return n > 1;
}

static int level_of(float h, const float *sizes, int count)
{
	int i = 0;

	while (i < count - 1 && sizes[i] > h + 0.6f)
		i++;
	return i + 1;
}

/* Larger letters than most lines have: the largest are of the first rank. */
static void mark_headings(struct pdf *p)
{
	float sizes[5];
	int count = 0;

	for (size_t i = 0; i < p->line_count; i++) {
		struct pdf_line *l = &p->lines[i];
		int k = 0;

		if (l->kind != PDF_BODY || l->h < p->body * 1.14f || l->words > 14 || !has_letters(p, l))
			continue;
		l->kind = PDF_HEADING;
		while (k < count && sizes[k] > l->h + 0.6f)
			k++;
		if ((k < count && fabsf(sizes[k] - l->h) <= 0.6f) || k == 5)
			continue;
		memmove(sizes + k + 1, sizes + k, (size_t)((count < 5 ? count : 4) - k) * sizeof *sizes);
		sizes[k] = l->h;
		count += count < 5;
	}
	for (size_t i = 0; i < p->line_count; i++)
		if (p->lines[i].kind == PDF_HEADING)
			p->lines[i].level = (uint8_t)level_of(p->lines[i].h, sizes, count);
}

static void mark_notes(struct pdf *p, const struct pdf_page *page)
{
	for (uint32_t i = 0; i < page->lines; i++) {
		struct pdf_line *l = &p->lines[page->line + i];
		char c = l->words ? *word_text(p, &p->words[l->word]) : 0;
		bool goes_on = i && l[-1].kind == PDF_NOTE && l[-1].block == l->block;

		if (l->kind == PDF_BODY && l->h < p->body * 0.93f && l->y > page->height * 0.55f &&
		    (goes_on || isdigit((unsigned char)c) || c == '*' || (c & 0x80)))
			l->kind = PDF_NOTE;
	}
}

void pdf_judge(struct pdf *p)
{
	uint32_t rows = 0;

	pdf_turn_pages(p);
	for (size_t i = 0; i < p->line_count; i++) {
		pdf_fit_line(p, &p->lines[i]);
		pdf_join_fractions(p, &p->lines[i]);
	}
	measure_body(p);
	pdf_order(p);
	pdf_drop_furniture(p);
	pdf_drop_numbers(p);
	for (size_t i = 0; i < p->page_count; i++) {
		const struct pdf_page *page = &p->pages[i];

		pdf_drop_contents(p, page);
		pdf_mark_tables(p, page, &rows);
	}
	mark_code(p);
	mark_headings(p);
	for (size_t i = 0; i < p->page_count; i++)
		mark_notes(p, &p->pages[i]);
}
