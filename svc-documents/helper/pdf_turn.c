/* Text that stands on its side: pages that are turned, and lines beside upright ones. pdftotext tells their places as they are on
 * the page, so that a word is high and narrow. */
#include <math.h>

#include "svc-documents/helper/pdf.h"

struct amount {
	size_t sideways, upright, down, up; /* lines; of those on their side, how they are read */
};

/* 1: on its side, 0: upright, -1: it does not tell. Short words do not, of whose letters some are narrow ("it."); the way from the
 * first word to the last does. */
static int lies(const struct pdf *p, const struct pdf_line *l)
{
	const struct pdf_word *first = &p->words[l->word], *last = first + l->words - 1;
	int sum = 0;

	for (const struct pdf_word *w = first; w <= last; w++) {
		size_t chars = pdf_chars(p->text + w->text, w->size);

		if (chars > 3)
			sum += w->h > w->w * 1.5f ? 4 : -4;
		else if (chars == 1)
			sum += w->w > w->h * 1.3f ? 1 : w->h > w->w * 1.3f ? -1 : 0;
	}
	if (l->words > 2)
		sum += fabsf(last->y - first->y) > 2 * fabsf(last->x - first->x) ? 6 : -6;
	return sum > 0 ? 1 : sum < 0 ? 0 : -1;
}

static struct amount count(const struct pdf *p, const struct pdf_page *page)
{
	struct amount n = { 0 };

	for (uint32_t i = 0; i < page->lines; i++) {
		const struct pdf_line *l = &p->lines[page->line + i];
		const struct pdf_word *first = &p->words[l->word],
		                      *last = first + (l->words ? l->words - 1 : 0);
		int side = l->words ? lies(p, l) : -1;

		n.sideways += side == 1;
		n.upright += side == 0;
		n.down += side == 1 && last->y > first->y;
		n.up += side == 1 && last->y < first->y;
	}
	return n;
}

struct box {
	float x, y, w, h;
};

/* From the top down, lines from the right; or from the bottom up, lines from the left. */
static struct box turned(struct box b, bool down, float width, float height)
{
	return down ? (struct box){ b.y, width - b.x - b.w, b.h, b.w }
	            : (struct box){ height - b.y - b.h, b.x, b.h, b.w };
}

/* Where it stands, but upright. */
static struct box laid_down(struct box b, const struct pdf_line *l, bool down)
{
	float along = down ? b.y - l->y : l->y + l->h - b.y - b.h;

	return (struct box){ l->x + along, l->y + (b.x - l->x), b.h, b.w };
}

static void turn_line(struct pdf *p, const struct pdf_page *page, struct pdf_line *l, bool whole, bool down)
{
	struct pdf_line was = *l;
	struct box b = { l->x, l->y, l->w, l->h };

	b = whole ? turned(b, down, page->width, page->height) : laid_down(b, &was, down);
	*l = (struct pdf_line){ l->word, l->words, l->block, b.x, b.y, b.w, b.h, l->kind, l->level, l->row };
	for (uint32_t i = 0; i < l->words; i++) {
		struct pdf_word *w = &p->words[l->word + i];

		b = (struct box){ w->x, w->y, w->w, w->h };
		b = whole ? turned(b, down, page->width, page->height) : laid_down(b, &was, down);
		*w = (struct pdf_word){ b.x, b.w, b.y, b.h, w->text, w->size };
	}
}

static void measure_block(const struct pdf *p, struct pdf_block *b)
{
	float from = 1e9f, to = 0;

	for (uint32_t i = 0; i < b->lines; i++) {
		const struct pdf_line *l = &p->lines[b->line + i];

		from = l->x < from ? l->x : from;
		to = l->x + l->w > to ? l->x + l->w : to;
	}
	b->x = from;
	b->w = to - from;
}

static void turn_page(struct pdf *p, struct pdf_page *page, const struct amount *n)
{
	bool whole = n->sideways > n->upright, down = n->down >= n->up;
	float width = page->width;

	for (uint32_t i = 0; i < page->lines; i++) {
		struct pdf_line *l = &p->lines[page->line + i];
		int side = l->words ? lies(p, l) : 0;

		/* A number alone is turned with its page. */
		if (side == 1 || (side == -1 && whole))
			turn_line(p, page, l, whole, down);
		if (i + 1 == page->lines || l[1].block != l->block)
			measure_block(p, &p->blocks[l->block]);
	}
	if (whole) {
		page->width = page->height;
		page->height = width;
	}
}

void pdf_turn_pages(struct pdf *p)
{
	for (size_t i = 0; i < p->page_count; i++) {
		struct amount n = count(p, &p->pages[i]);

		if (n.sideways)
			turn_page(p, &p->pages[i], &n);
	}
}
