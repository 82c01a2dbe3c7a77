/* Where a page has columns of text, and which part of a line is whose: printed lines of two columns may come as one. */
#include <math.h>
#include <stdlib.h>

#include "svc-documents/helper/pdf.h"

enum {
	TEXT_WORDS = 4,   /* fewer are a cell, or a caption */
	COLUMN_LEAST = 6, /* lines of a column */
	GUTTER_LEAST = 4, /* points */
	NEAR_GUTTER = 2,  /* points */
	BLANK = 6,        /* likewise: no blank between words is wider */
	FIRST = 30,       /* hundredths of a page, or a column, at which gutters are looked for */
	STEPS = 40
};

static bool crosses(const struct pdf_line *l, float x)
{
	return l->x < x - NEAR_GUTTER && l->x + l->w > x + NEAR_GUTTER;
}

int pdf_column(const struct pdf_page *page, const struct pdf_line *l)
{
	int column = 1;

	for (int i = 0; i < page->gutter_count; i++) {
		if (crosses(l, page->gutters[i]))
			return 0;
		column += l->x >= page->gutters[i];
	}
	return page->gutter_count ? column : 0;
}

static float gap_before(const struct pdf *p, const struct pdf_line *l, uint32_t word)
{
	const struct pdf_word *w = &p->words[l->word + word];

	return w->x - w[-1].x - w[-1].w;
}

static bool is_gap(const struct pdf_line *l, float gap)
{
	return gap > l->h * 0.4f && gap > BLANK;
}

/* The word behind a gap that holds x; 0: there is none. */
static uint32_t gap_at(const struct pdf *p, const struct pdf_line *l, float x)
{
	for (uint32_t i = 1; i < l->words; i++) {
		const struct pdf_word *w = &p->words[l->word + i];

		if (w->x >= x)
			return w[-1].x + w[-1].w <= x && is_gap(l, gap_before(p, l, i)) ? i : 0;
	}
	return 0;
}

/* --- Gutters -------------------------------------------------------------------------------------------------------- */

struct range {
	float from, to;
};
struct column_count {
	int left, right, across;
};

static struct column_count count_at(const struct pdf *p, const struct pdf_page *page, struct range r, float x)
{
	struct column_count n = { 0 };

	for (uint32_t i = 0; i < page->lines; i++) {
		const struct pdf_line *l = &p->lines[page->line + i];
		uint32_t at;

		if (l->words < TEXT_WORDS || l->x >= r.to || l->x + l->w <= r.from)
			continue;
		if (!crosses(l, x)) {
			n.left += l->x < x;
			n.right += l->x >= x;
		} else if ((at = gap_at(p, l, x)) == 0) {
			n.across++;
		} else if (at >= TEXT_WORDS && l->words - at >= TEXT_WORDS) {
			n.left++;
			n.right++;
		}
	}
	return n;
}

/* How wide the strip is in which x stands, as far as one step of a search to each side; *x: its middle. */
static float widen(const struct pdf *p, const struct pdf_page *page, struct range r, float step, int across,
                   float *x)
{
	float from = *x, to = *x;

	while (*x - from < step && count_at(p, page, r, from - 1).across <= across)
		from -= 1;
	while (to - *x < step && count_at(p, page, r, to + 1).across <= across)
		to += 1;
	*x = (from + to) / 2;
	return to - from;
}

/* Where two columns of text part: the middle of the widest strip that fewest lines cross. 0: it has no columns. */
static float find_gutter(const struct pdf *p, const struct pdf_page *page, struct range r)
{
	float best = 0, start = 0, widest = 0, step = (r.to - r.from) / 100;
	int least = COLUMN_LEAST * 100;

	for (int i = 0; i < STEPS; i++) {
		float x = r.from + (float)(i + FIRST) * step;
		struct column_count n = count_at(p, page, r, x);

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
	if (best > 0 && widest < GUTTER_LEAST)
		widest = widen(p, page, r, step, least, &best);
	return widest >= GUTTER_LEAST ? best : 0;
}

/* Columns of a column: only where hardly a line says otherwise. */
static float find_inner(const struct pdf *p, const struct pdf_page *page, struct range r)
{
	float x = find_gutter(p, page, r);
	struct column_count n = count_at(p, page, r, x);

	return x > 0 && n.across * 4 <= n.left + n.right ? x : 0;
}

static void find_gutters(const struct pdf *p, struct pdf_page *page)
{
	struct range all = { 0, page->width };
	float middle = find_gutter(p, page, all), left, right;

	page->gutter_count = 0;
	if (middle <= 0)
		return;
	left = find_inner(p, page, (struct range){ 0, middle });
	right = find_inner(p, page, (struct range){ middle, page->width });
	if (left > 0)
		page->gutters[page->gutter_count++] = left;
	page->gutters[page->gutter_count++] = middle;
	if (right > 0)
		page->gutters[page->gutter_count++] = right;
}

/* --- Lines that run into other columns ---------------------------------------------------------------------------- */

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

/* Where a line goes on behind the gutter; 0: it does not. */
static float start_behind(const struct pdf *p, const struct pdf_line *l, float gutter)
{
	uint32_t at;

	if (l->words < TEXT_WORDS)
		return 0;
	if (!crosses(l, gutter))
		return l->x >= gutter ? l->x : 0;
	at = gap_at(p, l, gutter);
	return at ? p->words[l->word + at].x : 0;
}

/* Where the lines behind the gutter begin: the place that most of them share. */
static float find_edge(const struct pdf *p, const struct pdf_page *page, int gutter)
{
	float *starts = there(calloc(page->lines + 1, sizeof *starts)), best = 0;
	bool last = gutter + 1 == page->gutter_count;
	float to = last ? page->width : page->gutters[gutter + 1];
	int most = 0;

	for (uint32_t i = 0; i < page->lines; i++)
		starts[i] = start_behind(p, &p->lines[page->line + i], page->gutters[gutter]);
	for (uint32_t i = 0; i < page->lines; i++) {
		int same = 0;

		for (uint32_t k = 0; starts[i] > 0 && starts[i] < to && k < page->lines; k++)
			same += fabsf(starts[k] - starts[i]) < 1;
		best = same > most ? starts[i] : best;
		most = same > most ? same : most;
	}
	free(starts);
	return best;
}

/* The first word of the line that stands behind the edge; 0: none. */
static uint32_t split_at(const struct pdf *p, const struct pdf_line *l, float edge)
{
	for (uint32_t i = 1; i < l->words; i++) {
		const struct pdf_word *w = &p->words[l->word + i], *before = w - 1;

		if (w->x > edge - 2 && before->x + before->w < edge && is_gap(l, gap_before(p, l, i)))
			return w->x < edge + 4 * l->h ? i : 0;
	}
	return 0;
}

/* A part of a line. */
static struct pdf_line cut(const struct pdf *p, const struct pdf_line *l, uint32_t first, uint32_t words)
{
	const struct pdf_word *from = &p->words[l->word + first], *last = from + words - 1;
	struct pdf_line ret = *l;

	ret.word += first;
	ret.words = words;
	ret.x = from->x;
	ret.w = last->x + last->w - from->x;
	pdf_fit_line(p, &ret);
	return ret;
}

/* Lines of one block, and where each column behind a gutter begins. */
struct run {
	const struct pdf_line *at;
	uint32_t count;
	const float *edges;
};

/* What of a line stands in the column. */
static bool part_of(const struct pdf *p, const struct pdf_page *page, const float *edges,
                    const struct pdf_line *l, int column, struct pdf_line *ret)
{
	uint32_t first = 0, stop = l->words;

	if (column > 1 && crosses(l, page->gutters[column - 2]))
		first = split_at(p, l, edges[column - 2]);
	else if (column > 1 && l->x < page->gutters[column - 2])
		return false;
	if (column <= page->gutter_count && crosses(l, page->gutters[column - 1]))
		stop = split_at(p, l, edges[column - 1]);
	else if (column <= page->gutter_count && l->x >= page->gutters[column - 1])
		return false;
	if (first >= stop && l->words)
		return false;
	*ret = first == 0 && stop == l->words ? *l : cut(p, l, first, stop - first);
	return true;
}

/* They become a block of their own; the first of them keeps the one there is. */
static void put_column(struct pdf *p, const struct pdf_page *page, const struct run *run, int column,
                       bool first, struct lines *to)
{
	uint32_t block = run->at->block;
	float box[4] = { 1e9f, 0, 0, 0 };
	size_t start = to->count;

	if (!first) {
		pdf_add_block(p, box);
		block = (uint32_t)p->block_count - 1;
	}
	for (uint32_t i = 0; i < run->count; i++) {
		struct pdf_line part;

		if (!part_of(p, page, run->edges, &run->at[i], column, &part))
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

/* Does a line cross a gutter with no gap there? */
static bool is_whole(const struct pdf *p, const struct pdf_page *page, const struct run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		for (int g = 0; g < page->gutter_count; g++)
			if (crosses(&run->at[i], page->gutters[g]) &&
			    !split_at(p, &run->at[i], run->edges[g]))
				return true;
	return false;
}

/* The lines of one block: of several columns, they become as many blocks. */
static void put_run(struct pdf *p, const struct pdf_page *page, const struct run *run, struct lines *to)
{
	bool has[PDF_GUTTERS + 2] = { 0 }, whole = page->gutter_count == 0 || is_whole(p, page, run);
	struct pdf_line part;
	int columns = 0;

	for (int c = 1; !whole && c <= page->gutter_count + 1; c++) {
		for (uint32_t i = 0; i < run->count && !has[c]; i++)
			has[c] = part_of(p, page, run->edges, &run->at[i], c, &part);
		columns += has[c];
	}
	if (columns > 1) {
		for (int c = 1, put = 0; c <= page->gutter_count + 1; c++)
			if (has[c])
				put_column(p, page, run, c, put++ == 0, to);
		return;
	}
	p->blocks[run->at->block].line = (uint32_t)to->count;
	for (uint32_t i = 0; i < run->count; i++)
		put_line(to, &run->at[i], run->at->block);
}

static void put_page(struct pdf *p, struct pdf_page *page, struct lines *to)
{
	uint32_t start = (uint32_t)to->count, next;
	float edges[PDF_GUTTERS] = { 0 };

	for (int g = 0; g < page->gutter_count; g++)
		edges[g] = find_edge(p, page, g);
	for (uint32_t i = 0; i < page->lines; i = next) {
		const struct pdf_line *first = &p->lines[page->line + i];

		for (next = i + 1; next < page->lines && p->lines[page->line + next].block == first->block;)
			next++;
		put_run(p, page, &(struct run){ first, next - i, edges }, to);
	}
	page->line = start;
	page->lines = (uint32_t)to->count - start;
}

void pdf_split_columns(struct pdf *p)
{
	struct lines to = { 0 };

	for (size_t i = 0; i < p->page_count; i++) {
		struct pdf_page *page = &p->pages[i];

		page->gutter_count = 0;
		if (page->lines && page->lines <= PDF_LINES_MOST)
			find_gutters(p, page);
		put_page(p, page, &to);
	}
	free(p->lines);
	p->lines = to.at;
	p->line_count = to.count;
	p->line_room = to.room;
}
