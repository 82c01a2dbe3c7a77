#include "svc-documents/search/passage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/text/sentence.h"
#include "svc-documents/ingest/chunk.h"

static int by_place(const void *x, const void *y)
{
	const struct stored_chunk *a = x, *b = y;

	if (a->document != b->document)
		return a->document > b->document ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

static const struct stored_chunk *find(const struct stored_chunk *stored, size_t count, size_t document,
                                       uint32_t number)
{
	struct stored_chunk key = { .document = document, .number = number };

	return bsearch(&key, stored, count, sizeof *stored, by_place);
}

/* The text round a chunk, as far as stored neighbours give it. */
struct stretch {
	struct text text;
	int64_t first, last; /* characters of the document */
};

static void join(struct stretch *s, const struct stored_chunk *c)
{
	const char *end = c->text + c->size, *from = utf8_skip(c->text, end, (size_t)(s->last - c->first));

	text_add(&s->text, from, (size_t)(end - from));
	s->last += (int64_t)utf8_length(from, (size_t)(end - from));
}

static void stretch_round(struct stretch *s, const struct stored_chunk *stored, size_t count,
                          const struct stored_chunk *chunk, struct arena *a)
{
	const struct stored_chunk *c = chunk, *before;

	for (int i = 0; i < PASSAGE_REACH && c->number > 0; i++, c = before) {
		before = find(stored, count, c->document, c->number - 1);
		if (!before)
			break;
	}
	text_init(&s->text, a);
	s->first = s->last = c->first;
	for (uint32_t reach = chunk->number + PASSAGE_REACH; c && c->number <= reach && c->first <= s->last;
	     c = find(stored, count, c->document, c->number + 1))
		join(s, c);
}

/* --- Growing ---------------------------------------------------------------------------------------------------- */

struct span {
	size_t start, end; /* bytes of the stretch */
	size_t paragraph;  /* counted from its start */
};

static size_t split(const struct stretch *s, struct span **ret, struct arena *a)
{
	const char *text = s->text.at, *at = text, *end = text + s->text.length, *border = text;
	size_t n = 0, paragraph = 0;

	*ret = arena_new(a, struct span, s->text.length / 2 + 1);
	while (at < end) {
		const char *stop;

		if (*at == '\n' || *at == ' ' || *at == '\t') {
			paragraph += at[0] == '\n' && at + 1 < end && at[1] == '\n';
			at++;
			continue;
		}
		if (border <= at) {
			border = memmem(at, (size_t)(end - at), "\n\n", 2);
			border = border ? border : end;
		}
		stop = sentence_end(at, border);
		(*ret)[n++] = (struct span){ (size_t)(at - text), (size_t)(stop - text), paragraph };
		at = stop;
	}
	return n;
}

/* What is being grown, in bytes of the stretch, and how far it may go. */
struct grown {
	const char *text;
	size_t start, end;
	size_t low, high;
};

static bool room_for(const struct grown *g, size_t start, size_t end)
{
	return start >= g->low && end <= g->high &&
	       (end - start <= PASSAGE_MAX || utf8_length(g->text + start, end - start) <= PASSAGE_MAX);
}

/* Add sentences before and after, those of the same paragraph first, while there is room. */
static void grow(struct grown *g, const struct span *spans, size_t n)
{
	size_t before = 0, after = n;

	while (before < n && spans[before].end <= g->start)
		before++; /* spans[before - 1] ends before us */
	while (after > 0 && spans[after - 1].start >= g->end)
		after--; /* spans[after] starts behind us */
	for (;;) {
		bool back = before > 0 && room_for(g, spans[before - 1].start, g->end);
		bool on = after < n && room_for(g, g->start, spans[after].end);
		bool back_near = back && before < n && spans[before].paragraph == spans[before - 1].paragraph;
		bool on_near = on && after > 0 && spans[after].paragraph == spans[after - 1].paragraph;

		if (on && (on_near || !back_near))
			g->end = spans[after++].end;
		else if (back)
			g->start = spans[--before].start;
		else
			break;
	}
}

/* --- Choosing --------------------------------------------------------------------------------------------------- */

enum { WORTHWHILE = 75 /* characters that a narrowed chunk must still have */ };

/* Keep clear of what better passages show: narrows [*first, *last) and the bounds. 0: nothing worthwhile is left. */
static int keep_clear(const struct passage *chosen, size_t count, size_t document, int64_t *first,
                      int64_t *last, int64_t *low, int64_t *high)
{
	int64_t whole = *last - *first;

	for (size_t i = 0; i < count; i++) {
		const struct passage *p = &chosen[i];

		if (p->chunk->document != document)
			continue;
		if (p->first <= *first && p->last > *first)
			*first = p->last;
		else if (p->first < *last && p->last >= *last)
			*last = p->first;
		if (p->last <= *first && p->last > *low)
			*low = p->last;
		if (p->first >= *last && p->first < *high)
			*high = p->first;
	}
	return *last - *first >= (whole < WORTHWHILE ? whole : WORTHWHILE);
}

static size_t byte_at(const struct stretch *s, int64_t character)
{
	const char *end = s->text.at + s->text.length;

	return (size_t)(utf8_skip(s->text.at, end, (size_t)(character - s->first)) - s->text.at);
}

/* The headings above the chunk in which the passage begins. */
static const char *heading_at(const struct stored_chunk *stored, size_t count,
                              const struct stored_chunk *chunk, int64_t first)
{
	const struct stored_chunk *c = chunk;

	while (c->first > first && c->number > 0) {
		const struct stored_chunk *before = find(stored, count, c->document, c->number - 1);

		if (!before)
			break;
		c = before;
	}
	return c->heading;
}

static int choose(const struct candidate *k, const struct stored_chunk *stored, size_t stored_count,
                  const struct passage *chosen, size_t count, struct passage *ret, struct arena *a)
{
	const struct stored_chunk *chunk = find(stored, stored_count, k->document, k->number);
	struct stretch s;
	struct span *spans;
	int64_t first, last, low = 0, high = INT64_MAX;
	struct grown g;
	size_t n;

	if (!chunk)
		return 0;
	first = chunk->first;
	last = chunk->last;
	if (!keep_clear(chosen, count, k->document, &first, &last, &low, &high))
		return 0;
	stretch_round(&s, stored, stored_count, chunk, a);
	n = split(&s, &spans, a);
	g = (struct grown){ s.text.at, byte_at(&s, first), byte_at(&s, last),
		            byte_at(&s, low < s.first ? s.first : low),
		            byte_at(&s, high > s.last ? s.last : high) };
	while (g.start < g.end && strchr(" \n\t", g.text[g.start]))
		g.start++;
	grow(&g, spans, n);
	ret->chunk = chunk;
	ret->candidate = k;
	ret->first = s.first + (int64_t)utf8_length(g.text, g.start);
	ret->last = ret->first + (int64_t)utf8_length(g.text + g.start, g.end - g.start);
	ret->text = arena_strndup(a, g.text + g.start, g.end - g.start);
	ret->score = k->score;
	ret->heading = heading_at(stored, stored_count, chunk, ret->first);
	return ret->last > ret->first;
}

size_t passages_make(const struct candidate *ranked, size_t count, const struct stored_chunk *stored,
                     size_t stored_count, size_t limit, struct passage **ret, struct arena *a)
{
	size_t n = 0;

	*ret = arena_new(a, struct passage, limit);
	for (size_t i = 0; i < count && n < limit; i++)
		if (choose(&ranked[i], stored, stored_count, *ret, n, &(*ret)[n], a))
			n++;
	return n;
}
