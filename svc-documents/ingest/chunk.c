#include "svc-documents/ingest/chunk.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/text/sentence.h"

enum { HEADING_LEVELS = 6, HEADING_LINE = 60, UNITS = 16384 /* gathered before they are packed */ };

/* A sentence (or a heading, or a piece of something endless): what chunks are made of. */
struct unit {
	size_t start, end;
	int32_t characters;
	int8_t level; /* of a heading, from 1; else 0 */
	bool first;   /* of its paragraph */
};

struct units {
	struct unit *at;
	size_t count, room;
};

static void add(struct units *u, const char *text, size_t start, size_t end, int level, bool first)
{
	if (u->count == u->room) {
		u->room = u->room ? u->room * 2 : 256;
		u->at = realloc(u->at, u->room * sizeof *u->at);
		if (!u->at)
			abort();
	}
	u->at[u->count++] = (struct unit){ start, end, (int32_t)utf8_length(text + start, end - start),
		                           (int8_t)level, first };
}

/* --- Paragraphs and headings ------------------------------------------------------------------------------------ */

static const char *line_end(const char *s, const char *end)
{
	const char *eol = memchr(s, '\n', (size_t)(end - s));

	return eol ? eol : end;
}

/* "## Title" */
static int hash_level(const char *s, const char *end)
{
	int level = 0;

	while (s < end && *s == '#' && level <= HEADING_LEVELS)
		s++, level++;
	return level >= 1 && level <= HEADING_LEVELS && s < end && *s == ' ' ? level : 0;
}

/* A line of nothing but = or - below another makes that a heading. */
static int underline_level(const char *s, const char *end)
{
	const char *eol = line_end(s, end), *p = s;

	while (p < eol && *p == *s)
		p++;
	return eol - s < 3 || p < eol || eol - s > 4 * HEADING_LINE ? 0 : *s == '=' ? 1 : *s == '-' ? 2 : 0;
}

static bool fence(const char *s, const char *end)
{
	return end - s >= 3 && (memcmp(s, "```", 3) == 0 || memcmp(s, "~~~", 3) == 0);
}

/* A paragraph of one short line that ends like no sentence and has another paragraph below it. */
static bool lone_title(const char *s, const char *eol, const char *end)
{
	const char *p = s;
	uint32_t c;

	if (eol >= end || utf8_length(s, (size_t)(eol - s)) > HEADING_LINE || strchr(".,;:!?\"'|)", eol[-1]))
		return false;
	c = utf8_next(&p);
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 0xc0 && c < 0x3000);
}

/* --- Sentences -------------------------------------------------------------------------------------------------- */

/* A sentence too long for a chunk, in pieces that end at a blank where there is one. */
static void add_pieces(struct units *u, const char *text, size_t start, size_t end, bool first)
{
	while (start < end) {
		const char *p = text + start, *last = NULL, *stop = text + end;
		int n = 0;

		while (p < stop && n < CHUNK_SIZE) {
			if (*p == ' ' || *p == '\n')
				last = p;
			utf8_next(&p);
			n++;
		}
		if (p < stop && last && last > text + start)
			p = last;
		add(u, text, start, (size_t)(p - text), 0, first);
		first = false;
		start = (size_t)(p - text);
		while (start < end && (text[start] == ' ' || text[start] == '\n'))
			start++;
	}
}

static void add_sentence(struct units *u, const char *text, size_t start, size_t end, bool first)
{
	if (end - start > CHUNK_SIZE && utf8_length(text + start, end - start) > CHUNK_SIZE)
		add_pieces(u, text, start, end, first);
	else
		add(u, text, start, end, 0, first);
}

/* The first line break in [s, end) after which an item begins; end when there is none. */
static const char *item_border(const char *s, const char *end)
{
	for (const char *eol = line_end(s, end); eol < end; eol = line_end(eol + 1, end))
		if (sentence_item(eol + 1, end))
			return eol;
	return end;
}

static void add_paragraph(struct units *u, const char *text, const char *s, const char *end)
{
	const char *border = s;
	bool first = true;

	while (s < end) {
		const char *stop;

		if (border <= s)
			border = item_border(s, end);
		stop = sentence_end(s, border);
		add_sentence(u, text, (size_t)(s - text), (size_t)(stop - text), first);
		first = false;
		for (s = stop; s < end && (*s == ' ' || *s == '\n' || *s == '\t');)
			s++;
	}
}

/* One paragraph that starts at s; returns where the next may start. */
static const char *add_block(struct units *u, const char *text, const char *s, const char *end)
{
	const char *eol = line_end(s, end), *stop;
	int level = hash_level(s, eol);

	bool title = eol - s <= 4 * HEADING_LINE;

	if (level && title) {
		add(u, text, (size_t)(s - text), (size_t)(eol - text), level, true);
		return eol;
	}
	level = eol < end && title ? underline_level(eol + 1, end) : 0;
	if (level) {
		stop = line_end(eol + 1, end);
		add(u, text, (size_t)(s - text), (size_t)(stop - text), level, true);
		return stop;
	}
	if (fence(s, end)) { /* code: to the closing fence, blank lines and # and all */
		for (stop = eol; stop < end && !fence(stop + 1, end);)
			stop = line_end(stop + 1, end);
		stop = stop < end ? line_end(stop + 1, end) : end;
		add_paragraph(u, text, s, stop);
		return stop;
	}
	for (stop = eol; stop + 1 < end && stop[1] != '\n' && !hash_level(stop + 1, end);)
		stop = line_end(stop + 1, end);
	if (stop == eol && lone_title(s, eol, end))
		add(u, text, (size_t)(s - text), (size_t)(eol - text), 1, true);
	else
		add_paragraph(u, text, s, stop);
	return stop;
}

/* --- Chunks ----------------------------------------------------------------------------------------------------- */

struct packer {
	const char *text;
	const struct unit *units;
	size_t unit_count;
	struct chunk *chunks;
	size_t count, room;
	size_t rested; /* of the text */
	const struct clean *clean;
	size_t page; /* index of the page reached */
	size_t byte; /* and how far characters are counted */
	int64_t character;
	const char *path[HEADING_LEVELS + 1]; /* the heading in force at each level */
	struct arena *arena;
};

static const char *heading_text(struct packer *p, const struct unit *u)
{
	const char *s = p->text + u->start, *end = line_end(s, p->text + u->end);

	while (s < end && (*s == '#' || *s == ' '))
		s++;
	while (end > s && (end[-1] == '#' || end[-1] == ' '))
		end--;
	return arena_strndup(p->arena, s, (size_t)(end - s));
}

static const char *path_text(struct packer *p)
{
	struct text t;
	bool any = false;

	text_init(&t, p->arena);
	for (int i = 1; i <= HEADING_LEVELS; i++) {
		if (!p->path[i])
			continue;
		text_addf(&t, "%s%s", any ? " / " : "", p->path[i]);
		any = true;
	}
	return any ? t.at : NULL;
}

static void enter_heading(struct packer *p, const struct unit *u)
{
	p->path[u->level] = heading_text(p, u);
	for (int i = u->level + 1; i <= HEADING_LEVELS; i++)
		p->path[i] = NULL;
}

/* Overlaps make starts go back a little: count from where we are, forward or backward. */
static int64_t character_at(struct packer *p, size_t byte)
{
	if (byte >= p->byte)
		p->character += (int64_t)utf8_length(p->text + p->byte, byte - p->byte);
	else
		p->character -= (int64_t)utf8_length(p->text + byte, p->byte - byte);
	p->byte = byte;
	return p->character;
}

static int page_at(struct packer *p, size_t byte)
{
	const struct clean *c = p->clean;

	if (c->page_count == 0)
		return 0;
	while (p->page > 0 && c->pages[p->page].start > byte)
		p->page--;
	while (p->page + 1 < c->page_count && c->pages[p->page + 1].start <= byte)
		p->page++;
	return (int)p->page + 1;
}

static void emit(struct packer *p, size_t from, size_t to)
{
	const struct unit *u = p->units;
	struct chunk *c;

	if (p->count == p->room) {
		p->room = p->room ? p->room * 2 : 64;
		p->chunks = realloc(p->chunks, p->room * sizeof *p->chunks);
		if (!p->chunks)
			abort();
	}
	c = &p->chunks[p->count++];
	c->start = u[from].start;
	c->end = u[to - 1].end;
	c->first = character_at(p, c->start);
	c->last = character_at(p, c->end);
	c->page = page_at(p, c->start);
	c->heading = path_text(p);
}

/* Where the unit after `to` may join a chunk that began at `from`. */
static bool fits(const struct packer *p, size_t from, size_t to)
{
	const struct unit *u = p->units;

	return utf8_length(p->text + u[from].start, u[to].end - u[from].start) <= CHUNK_SIZE;
}

/* How far back the next chunk starts, so as to repeat the last sentences of a paragraph that goes on. */
static size_t overlap(const struct packer *p, size_t from, size_t to)
{
	const struct unit *u = p->units;
	int32_t shared = 0;
	size_t back = to;

	while (back > from + 1 && !u[back].first && u[back - 1].level == 0 &&
	       shared + u[back - 1].characters <= CHUNK_OVERLAP && fits(p, back - 1, to))
		shared += u[--back].characters;
	return back;
}

/* Is what began at `from` enough of a passage to end where its paragraph does? */
static bool substantial(const struct packer *p, size_t from, size_t to)
{
	const struct unit *u = p->units;

	return u[to].first &&
	       utf8_length(p->text + u[from].start, u[to - 1].end - u[from].start) >= CHUNK_LEAST;
}

/* Passages do not go over a page's border, so that each has one page. */
static bool overleaf(struct packer *p, size_t from, size_t to)
{
	return page_at(p, p->units[from].start) != page_at(p, p->units[to].start);
}

/* Returns how many units are packed: all of them, or, when more may come, those before a chunk that may go on. */
static size_t pack(struct packer *p, bool last)
{
	const struct unit *u = p->units;
	size_t n = p->unit_count, from = 0;

	while (from < n) {
		const char *path[HEADING_LEVELS + 1];
		size_t to = from;
		bool body = false; /* something besides headings */

		memcpy(path, p->path, sizeof path);

		while (to < n && (to == from || fits(p, from, to)) &&
		       !(body && (u[to].level || substantial(p, from, to) || overleaf(p, from, to)))) {
			if (u[to].level)
				enter_heading(p, &u[to]);
			else
				body = true;
			to++;
		}
		if (to == n && !last) {
			memcpy(p->path, path, sizeof path);
			break;
		}
		emit(p, from, to);
		from = to < n && !u[to].first && !u[to].level && !overleaf(p, to - 1, to)
		           ? overlap(p, from, to)
		           : to;
	}
	return from;
}

static void pack_units(struct packer *p, struct units *units, bool last)
{
	size_t packed;

	p->units = units->at;
	p->unit_count = units->count;
	packed = pack(p, last);
	units->count -= packed;
	memmove(units->at, units->at + packed, units->count * sizeof *units->at);
	clean_rest(p->clean, &p->rested, units->count ? units->at->start : p->clean->size);
}

size_t chunk_text(const struct clean *clean, struct chunk **ret, struct arena *a)
{
	const char *s = clean->text, *end = clean->text + clean->size;
	struct units units = { 0 };
	struct packer p = { .text = clean->text, .clean = clean, .arena = a };

	while (s < end) {
		while (s < end && *s == '\n')
			s++;
		if (s < end)
			s = add_block(&units, clean->text, s, end);
		if (units.count >= UNITS)
			pack_units(&p, &units, false);
	}
	if (units.count)
		pack_units(&p, &units, true);
	*ret = arena_memdup(a, p.chunks, p.count * sizeof *p.chunks);
	free(p.chunks);
	free(units.at);
	return p.count;
}
