/* What is printed round the text of a PDF: running headers and footers, numbers of pages, tables of contents. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/pdf.h"

enum { NEAR = 2 /* pages on each side that are compared */ };

static const char *word_text(const struct pdf *p, const struct pdf_word *w)
{
	return p->text + w->text;
}

static float bottom(const struct pdf_line *l)
{
	return l->y + l->h;
}

/* --- Headers, footers, numbers of pages --------------------------------------------------------------------------- */

/* A line's words, numbers made equal: what stays the same from page to page. Roman numbers of pages too. */
static uint64_t likeness(const struct pdf *p, const struct pdf_line *l)
{
	uint64_t hash = 1469598103934665603u;
	bool roman = l->words == 1;

	for (uint32_t i = 0; i < l->words; i++) {
		const struct pdf_word *w = &p->words[l->word + i];
		bool digit = false;

		for (uint32_t k = 0; k < w->size; k++) {
			char c = word_text(p, w)[k];

			roman = roman && strchr("ivxlc", c);
			if (isdigit((unsigned char)c) && digit)
				continue;
			digit = isdigit((unsigned char)c) != 0;
			hash = (hash ^ (unsigned char)(digit ? '#' : c)) * 1099511628211u;
		}
		hash = (hash ^ ' ') * 1099511628211u;
	}
	return roman ? 1 : hash;
}

static bool is_number(const struct pdf *p, const struct pdf_line *l)
{
	const struct pdf_word *w;

	if (l->words != 1)
		return false;
	w = &p->words[l->word];
	for (uint32_t i = 0; i < w->size; i++)
		if (!isdigit((unsigned char)word_text(p, w)[i]))
			return false;
	return true;
}

/* A page's number may stand higher than other furniture: margins are wide in books. */
static bool at_edge(const struct pdf *p, const struct pdf_page *page, const struct pdf_line *l)
{
	return bottom(l) < page->height * 0.14f || l->y > page->height * (is_number(p, l) ? 0.75f : 0.86f);
}

static bool number_in(const struct pdf *p, const struct pdf_word **w, const struct pdf_word *last,
                      const char **at, long *ret)
{
	for (; *w < last; ++*w, *at = NULL) {
		const char *s = *at ? *at : word_text(p, *w), *stop = word_text(p, *w) + (*w)->size;

		while (s < stop && !isdigit((unsigned char)*s))
			s++;
		if (s == stop)
			continue;
		for (*ret = 0; s < stop && isdigit((unsigned char)*s); s++)
			*ret = *ret < 1000000 ? *ret * 10 + (*s - '0') : *ret;
		*at = s;
		return true;
	}
	return false;
}

/* From page to page numbers stay, or rise with the page's own: those of a table's rows do not. */
static bool numbers_agree(const struct pdf *p, const struct pdf_line *l, const struct pdf_line *m, long pages)
{
	const struct pdf_word *v = p->words + l->word, *w = p->words + m->word;
	const struct pdf_word *v_last = v + l->words, *w_last = w + m->words;
	const char *v_at = NULL, *w_at = NULL;
	long a, b;

	while (number_in(p, &v, v_last, &v_at, &a) && number_in(p, &w, w_last, &w_at, &b))
		if (a != b && b - a != pages)
			return false;
	return true;
}

static bool repeated(const struct pdf *p, size_t page, const struct pdf_line *l, uint64_t like)
{
	for (size_t i = page > NEAR ? page - NEAR : 0; i <= page + NEAR && i < p->page_count; i++) {
		const struct pdf_page *other = &p->pages[i];

		for (uint32_t k = 0; i != page && k < other->lines; k++) {
			const struct pdf_line *m = &p->lines[other->line + k];

			if (at_edge(p, other, m) && fabsf(m->y - l->y) < 4 && likeness(p, m) == like &&
			    numbers_agree(p, l, m, (long)i - (long)page))
				return true;
		}
	}
	return false;
}

/* The number of a page that stands alone at its edge: there may be no other page to compare. */
static bool numbers_page(const struct pdf *p, size_t page, const struct pdf_line *l)
{
	const struct pdf_word *w;
	char text[12];

	if (!is_number(p, l) || p->words[l->word].size >= sizeof text || p->blocks[l->block].lines > 1)
		return false;
	w = &p->words[l->word];
	memcpy(text, word_text(p, w), w->size);
	text[w->size] = '\0';
	return strtol(text, NULL, 10) == (long)page + 1;
}

void pdf_drop_furniture(struct pdf *p)
{
	for (size_t i = 0; i < p->page_count; i++) {
		const struct pdf_page *page = &p->pages[i];

		for (uint32_t k = 0; k < page->lines; k++) {
			struct pdf_line *l = &p->lines[page->line + k];

			/* Large letters are a title, even on every slide. */
			if (l->words && at_edge(p, page, l) && l->h < p->body * 1.3f &&
			    (numbers_page(p, i, l) || repeated(p, i, l, likeness(p, l))))
				l->kind = PDF_GONE;
		}
	}
}

/* --- Contents ----------------------------------------------------------------------------------------------------- */

/* "Opening hours . . . . . 9": where the dots begin; NULL without them. The number behind them, or -1. */
static char *leader(char *text, long *number)
{
	char *s = text, *last;
	int dots = 0;

	for (; *s && dots < 5; s++)
		dots = *s == '.' ? dots + 1 : *s == ' ' ? dots : 0;
	if (dots < 5)
		return NULL;
	for (last = s; *last == '.' || *last == ' ';)
		last++;
	*number = isdigit((unsigned char)*last) ? strtol(last, &last, 10) : -1;
	*number = *last ? -1 : *number;
	while (s > text && (s[-1] == '.' || s[-1] == ' '))
		s--;
	return s;
}

static bool names_contents(const char *text)
{
	static const char *const names[] = { "contents",  "table of contents",
		                             "inhalt",    "inhaltsverzeichnis",
		                             "sommaire",  "table des matières",
		                             "índice",    "indice",
		                             "contenido", "目次",
		                             "目录",      NULL };

	for (const char *const *n = names; *n; n++)
		if (strcasecmp(*n, text) == 0)
			return true;
	return false;
}

/* The number that stands alone behind a line, at its height; NULL: none does. */
static struct pdf_line *number_behind(const struct pdf *p, const struct pdf_page *page,
                                      const struct pdf_line *l)
{
	for (uint32_t i = 0; i < page->lines; i++) {
		struct pdf_line *m = &p->lines[page->line + i];

		if (m != l && m->words && is_number(p, m) && m->x > l->x + l->w &&
		    fabsf(m->y + m->h / 2 - l->y - l->h / 2) < l->h / 2)
			return m;
	}
	return NULL;
}

static long number_in_word(const struct pdf *p, const struct pdf_word *w)
{
	char digits[12];

	snprintf(digits, sizeof digits, "%.*s", (int)w->size, word_text(p, w));
	return strtol(digits, NULL, 10);
}

static bool is_entry(const struct pdf *p, const struct pdf_page *page, const struct pdf_line *l, long *number)
{
	char *text = pdf_line_text(p, l);
	const struct pdf_line *behind = NULL;
	bool ret = leader(text, number) != NULL;

	if (ret && *number < 0 && (behind = number_behind(p, page, l)))
		*number = number_in_word(p, &p->words[behind->word]);
	free(text);
	return ret && *number >= 0;
}

/* Among the entries: those too that have no dots, as names of chapters, and the heading above. */
static void drop_entries(struct pdf *p, const struct pdf_page *page, size_t first)
{
	for (uint32_t i = 0; i < page->lines; i++) {
		struct pdf_line *l = &p->lines[page->line + i], *behind = number_behind(p, page, l);
		char *text = l->words ? pdf_line_text(p, l) : NULL;
		long number;

		if (text && page->line + i >= first && is_entry(p, page, l, &number))
			l->kind = PDF_GONE;
		if (text && behind && !is_number(p, l))
			l->kind = behind->kind = PDF_GONE;
		if (text && names_contents(text))
			l->kind = PDF_GONE;
		free(text);
	}
}

/* Lines that end in the numbers of pages, at least three of them. Those rise, but where another list begins; prices rise
 * and fall. */
void pdf_drop_contents(struct pdf *p, const struct pdf_page *page)
{
	size_t from = page->line, to = from + page->lines, first = to, count = 0, falls = 0;
	long before = 0, number;

	for (size_t i = from; i < to && page->lines <= PDF_LINES_MOST; i++) {
		if (!is_entry(p, page, &p->lines[i], &number))
			continue;
		first = first < i ? first : i;
		falls += number < before;
		before = number;
		count++;
	}
	if (count >= 3 && falls * 4 < count)
		drop_entries(p, page, first);
}
