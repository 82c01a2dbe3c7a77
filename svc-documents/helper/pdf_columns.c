/* Where a page has two columns of text, and which part of a line is whose. */
#include <math.h>
#include <stdlib.h>

#include "svc-documents/helper/pdf.h"

enum {
	TEXT_WORDS = 4,   /* fewer are a cell, or a caption */
	COLUMN_LEAST = 6, /* lines of a column */
	NEAR_GUTTER = 2,  /* points */
	BLANK = 6,        /* likewise: no blank between words is wider */
};

static bool crosses(const struct pdf_line *l, float x)
{
	return l->x < x - NEAR_GUTTER && l->x + l->w > x + NEAR_GUTTER;
}

enum pdf_side pdf_side(const struct pdf_page *page, const struct pdf_line *l)
{
	if (page->gutter <= 0)
		return PDF_WHOLE;
	return crosses(l, page->gutter) ? PDF_ACROSS : l->x < page->gutter ? PDF_LEFT : PDF_RIGHT;
}

/* --- The gutter ---------------------------------------------------------------------------------------------------- */

struct column_count {
	int left, right, across;
};

static struct column_count count_at(const struct pdf *p, const struct pdf_page *page, float x)
{
	struct column_count n = { 0 };

	for (uint32_t i = 0; i < page->lines; i++) {
		const struct pdf_line *l = &p->lines[page->line + i];

		if (l->words < TEXT_WORDS)
			continue;
		if (crosses(l, x))
			n.across++;
		else if (l->x < x)
			n.left++;
		else
			n.right++;
	}
	return n;
}

/* Where two columns of text part: the middle of the widest strip that fewest lines cross. 0: it has no columns. */
static float find_gutter(const struct pdf *p, const struct pdf_page *page)
{
	float best = 0, start = 0, widest = 0;
	int least = COLUMN_LEAST * 100;

	for (int i = 30; i < 70; i++) {
		float x = page->width * (float)i / 100;
		struct column_count n = count_at(p, page, x);

		if (n.left < COLUMN_LEAST || n.right < COLUMN_LEAST || n.across > n.left + n.right ||
		    n.across > least) {
			start = 0;
			continue;
		}
		start = start > 0 && n.across == least ? start : x;
		widest = n.across < least ? -1 : widest;
		least = n.across;
		if (x - start > widest) {
			widest = x - start;
			best = (x + start) / 2;
		}
	}
	return widest >= 4 ? best : 0;
}

/* --- Lines that run into the other column ------------------------------------------------------------------------- */

/* All lines anew, page by page. */
struct lines {
	struct pdf_line *at;
	size_t count, room;
};

static void put_line(struct lines *to, const struct pdf_line *l, uint32_t block)
{
	if (to->count == to->room) {
		to->room = to->room ? to->room + to->room / 2 : 1024;
		to->at = realloc(to->at, to->room * sizeof *to->at);
		if (!to->at)
			end(VERDICT_TOO_LARGE, "too much text");
	}
	to->at[to->count] = *l;
	to->at[to->count++].block = block;
}

/* Where the right column's lines begin: the place that most of them share. */
static float right_edge(const struct pdf *p, const struct pdf_page *page)
{
	float best = 0;
	int most = 0;

	for (uint32_t i = 0; i < page->lines; i++) {
		const struct pdf_line *l = &p->lines[page->line + i];
		int same = 0;

		if (pdf_side(page, l) != PDF_RIGHT || l->words < TEXT_WORDS)
			continue;
		for (uint32_t k = 0; k < page->lines; k++)
			same += fabsf(p->lines[page->line + k].x - l->x) < 1;
		best = same > most ? l->x : best;
		most = same > most ? same : most;
	}
	return best;
}

/* The first word of the line that is the other column's; 0: none. */
static uint32_t split_at(const struct pdf *p, const struct pdf_line *l, float edge)
{
	for (uint32_t i = 1; i < l->words; i++) {
		const struct pdf_word *w = &p->words[l->word + i], *before = w - 1;

		float gap = w->x - before->x - before->w;

		if (w->x > edge - 2 && before->x + before->w < edge && gap > l->h * 0.4f && gap > BLANK)
			return w->x < edge + 4 * l->h ? i : 0;
	}
	return 0;
}

/* The half of a line; the longer one is not what makes it higher than others are. */
static struct pdf_line half(const struct pdf *p, const struct pdf_line *l, uint32_t first, uint32_t words)
{
	const struct pdf_word *from = &p->words[l->word + first], *last = from + words - 1;
	struct pdf_line ret = *l;

	ret.word += first;
	ret.words = words;
	ret.x = from->x;
	ret.w = last->x + last->w - from->x;
	if (words * 2 > l->words && l->h > p->body * 1.1f) {
		ret.y += (l->h - p->body) / 2;
		ret.h = p->body;
	}
	return ret;
}

static void put_side(struct pdf *p, const struct pdf_page *page, const struct pdf_line *run, uint32_t count,
                     float edge, enum pdf_side side, struct lines *to)
{
	uint32_t block = run->block;
	float box[4] = { 1e9f, 0, 0, 0 };
	size_t start = to->count;

	if (side == PDF_RIGHT) {
		pdf_add_block(p, box);
		block = (uint32_t)p->block_count - 1;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = crosses(&run[i], page->gutter) ? split_at(p, &run[i], edge) : 0;
		struct pdf_line part = run[i];

		if (at && side == PDF_LEFT)
			part = half(p, &run[i], 0, at);
		else if (at)
			part = half(p, &run[i], at, run[i].words - at);
		else if (pdf_side(page, &part) != side)
			continue;
		put_line(to, &part, block);
		box[0] = part.x < box[0] ? part.x : box[0];
		box[2] = part.x + part.w > box[2] ? part.x + part.w : box[2];
	}
	p->blocks[block] = (struct pdf_block){ .line = (uint32_t)start,
		                               .lines = (uint32_t)(to->count - start),
		                               .x = box[0],
		                               .w = box[2] - box[0] };
}

/* The lines of one block: of both columns, they become two blocks. */
static void put_run(struct pdf *p, const struct pdf_page *page, const struct pdf_line *run, uint32_t count,
                    float edge, struct lines *to)
{
	bool sides[PDF_SIDES] = { 0 }, whole = page->gutter <= 0;

	for (uint32_t i = 0; i < count && !whole; i++) {
		enum pdf_side side = pdf_side(page, &run[i]);

		whole = side == PDF_ACROSS && !split_at(p, &run[i], edge);
		sides[PDF_LEFT] = sides[PDF_LEFT] || side != PDF_RIGHT;
		sides[PDF_RIGHT] = sides[PDF_RIGHT] || side != PDF_LEFT;
	}
	if (!whole && sides[PDF_LEFT] && sides[PDF_RIGHT]) {
		put_side(p, page, run, count, edge, PDF_LEFT, to);
		put_side(p, page, run, count, edge, PDF_RIGHT, to);
		return;
	}
	p->blocks[run->block].line = (uint32_t)to->count;
	for (uint32_t i = 0; i < count; i++)
		put_line(to, &run[i], run->block);
}

static void put_page(struct pdf *p, struct pdf_page *page, struct lines *to)
{
	float edge = page->gutter > 0 ? right_edge(p, page) : 0;
	uint32_t start = (uint32_t)to->count, next;

	for (uint32_t i = 0; i < page->lines; i = next) {
		const struct pdf_line *run = &p->lines[page->line + i];

		for (next = i + 1; next < page->lines && p->lines[page->line + next].block == run->block;)
			next++;
		put_run(p, page, run, next - i, edge, to);
	}
	page->line = start;
	page->lines = (uint32_t)to->count - start;
}

void pdf_split_columns(struct pdf *p)
{
	struct lines to = { 0 };

	for (size_t i = 0; i < p->page_count; i++) {
		struct pdf_page *page = &p->pages[i];
		bool few = page->lines && page->lines <= PDF_LINES_MOST;

		page->gutter = few ? find_gutter(p, page) : 0;
		put_page(p, page, &to);
	}
	free(p->lines);
	p->lines = to.at;
	p->line_count = to.count;
	p->line_room = to.room;
}
