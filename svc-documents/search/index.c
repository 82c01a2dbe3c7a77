#include "svc-documents/search/index.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLOT_INSIDE =
	    12 /* bytes of a list that need no memory of their own: most terms of a text are in a chunk or two */
};

/* What is gathered about a term: its list, still growing. */
struct slot {
	uint64_t term;
	uint32_t chunks, occurrences;
	uint32_t last, times; /* the chunk being counted */
	uint32_t size, room;  /* room 0: the list is inside */
	union {
		uint8_t inside[SLOT_INSIDE];
		uint8_t *bytes; /* of the chunks before; malloc'ed */
	};
};

struct index_builder {
	struct slot *slots; /* in the order in which terms came */
	size_t count, room;
	uint32_t *places;   /* open addressing: which slot, from 1 */
	size_t place_count; /* a power of two, at least twice `count` */
	struct text words;  /* the vocabulary so far */
	uint64_t *known;    /* hashes of its words: open addressing, 0 is free */
	size_t known_count, known_room;
	uint32_t *touched; /* slots with the current chunk in `times` */
	size_t touched_count, touched_room;
	uint32_t chunks;
	int64_t terms;
	struct stemmers *stemmers;
	enum language language;
	int part, parts; /* parts 0: all there is */
	struct arena arena;
};

static void *grow(void *at, size_t size)
{
	void *p = realloc(at, size);

	if (!p)
		abort();
	return p;
}

/* Where the term's slot is noted, or is to be. */
static uint32_t *place_of(const struct index_builder *b, uint64_t term)
{
	size_t i = (size_t)(term ^ term >> 32) & (b->place_count - 1);

	while (b->places[i] && b->slots[b->places[i] - 1].term != term)
		i = (i + 1) & (b->place_count - 1);
	return &b->places[i];
}

static void widen(struct index_builder *b)
{
	b->room = b->room ? b->room * 2 : 512;
	b->slots = grow(b->slots, b->room * sizeof *b->slots);
	free(b->places);
	b->place_count = b->room * 2;
	b->places = calloc(b->place_count, sizeof *b->places);
	if (!b->places)
		abort();
	for (size_t i = 0; i < b->count; i++)
		*place_of(b, b->slots[i].term) = (uint32_t)i + 1;
}

/* By how terms are sorted: as signed numbers. */
static bool in_part(const struct index_builder *b, uint64_t term)
{
	uint64_t place = term ^ UINT64_C(1) << 63;

	return !b->parts || (int)((place >> 32) * (uint64_t)b->parts >> 32) == b->part;
}

static struct slot *slot_of(struct index_builder *b, uint64_t term)
{
	uint32_t *place = place_of(b, term);

	if (*place)
		return &b->slots[*place - 1];
	if (b->count == b->room) {
		widen(b);
		place = place_of(b, term);
	}
	b->slots[b->count] = (struct slot){ .term = term };
	*place = (uint32_t)++b->count;
	return &b->slots[b->count - 1];
}

static void count_term(struct index_builder *b, uint64_t term)
{
	struct slot *s = slot_of(b, term);

	if (s->times++ > 0)
		return;
	if (b->touched_count == b->touched_room) {
		b->touched_room = b->touched_room ? b->touched_room * 2 : 256;
		b->touched = grow(b->touched, b->touched_room * sizeof *b->touched);
	}
	b->touched[b->touched_count++] = (uint32_t)(s - b->slots);
}

static size_t put_number(uint8_t *out, uint32_t n)
{
	size_t size = 0;

	for (; n >= 0x80; n >>= 7)
		out[size++] = (uint8_t)(n | 0x80);
	out[size++] = (uint8_t)n;
	return size;
}

static uint8_t *list_of(struct slot *s)
{
	return s->room ? s->bytes : s->inside;
}

static void append(struct slot *s, const uint8_t *bytes, size_t size)
{
	uint32_t room = s->room ? s->room : SLOT_INSIDE;
	uint8_t *more;

	if (s->size + size > room) {
		more = grow(s->room ? s->bytes : NULL, 2 * room + size);
		if (!s->room)
			memcpy(more, s->inside, s->size);
		s->bytes = more;
		s->room = 2 * room + (uint32_t)size;
	}
	memcpy(list_of(s) + s->size, bytes, size);
	s->size += (uint32_t)size;
}

/* The chunk is over: its counts go into the lists. */
static void end_chunk(struct index_builder *b, uint32_t number, uint32_t length)
{
	for (size_t i = 0; i < b->touched_count; i++) {
		struct slot *s = &b->slots[b->touched[i]];
		uint8_t bytes[15];
		size_t size;

		size = put_number(bytes, s->chunks ? number - s->last : number + 1);
		size += put_number(bytes + size, s->times);
		size += put_number(bytes + size, length);
		append(s, bytes, size);
		s->chunks++;
		s->occurrences += s->times;
		s->last = number;
		s->times = 0;
	}
	b->touched_count = 0;
}

/* 1 when the word is new. */
static int learn(struct index_builder *b, uint64_t word)
{
	size_t i;

	if (b->known_count * 2 >= b->known_room) {
		uint64_t *old = b->known;
		size_t room = b->known_room;

		b->known_room = room ? room * 2 : 1024;
		b->known = calloc(b->known_room, sizeof *b->known);
		if (!b->known)
			abort();
		b->known_count = 0;
		for (size_t k = 0; k < room; k++)
			if (old[k])
				learn(b, old[k]);
		free(old);
	}
	for (i = word & (b->known_room - 1); b->known[i]; i = (i + 1) & (b->known_room - 1))
		if (b->known[i] == word)
			return 0;
	b->known[i] = word;
	b->known_count++;
	return 1;
}

/* What people may misspell: words of letters, neither short nor endless. */
static void add_word(struct index_builder *b, const struct term *t)
{
	uint64_t h = 0;

	if (t->joined || t->word_size < INDEX_WORD_LEAST || t->word_size > INDEX_WORD_MOST)
		return;
	for (size_t i = 0; i < t->word_size; i++) {
		if (t->word[i] >= '0' && t->word[i] <= '9')
			return;
		h = (h ^ (unsigned char)t->word[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	if (!learn(b, h | 1))
		return;
	if (b->words.length)
		text_addc(&b->words, ' ');
	text_add(&b->words, t->word, t->word_size);
}

static uint32_t count_text(struct index_builder *b, const char *text, size_t size)
{
	struct terms terms;
	uint32_t n = 0;

	terms_init(&terms, text, size, b->stemmers, b->language);
	for (struct term t; terms_next(&terms, &t); n += !t.joined) {
		if (in_part(b, t.hash))
			count_term(b, t.hash);
		if (b->part == 0)
			add_word(b, &t);
	}
	return n;
}

static int by_term(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct index_list *)a)->term,
	        y = (int64_t)((const struct index_list *)b)->term;

	return (x > y) - (x < y);
}

struct index_builder *index_begin(struct stemmers *stemmers, enum language language)
{
	struct index_builder *b = calloc(1, sizeof *b);

	if (!b)
		abort();
	b->stemmers = stemmers;
	b->language = language;
	arena_init(&b->arena, 0);
	text_init(&b->words, &b->arena);
	text_adds(&b->words, "");
	widen(b);
	return b;
}

void index_part(struct index_builder *b, int part, int parts)
{
	b->part = part;
	b->parts = parts;
}

void index_add(struct index_builder *b, const char *text, size_t size, const char *heading)
{
	size_t above = heading ? strlen(heading) : 0;
	uint32_t length;

	length = count_text(b, text, size);
	if (above)
		count_text(b, heading, above);
	end_chunk(b, b->chunks++, length);
	b->terms += length;
}

void index_end(struct index_builder *b, struct index *ret, struct arena *a)
{
	*ret = (struct index){ .terms = b->terms, .chunks = b->chunks };
	ret->lists = arena_new(a, struct index_list, b->count);
	for (size_t i = 0; i < b->count; i++) {
		struct slot *s = &b->slots[i];
		uint8_t *packed = arena_alloc(a, s->size + 10);
		size_t head = put_number(packed, s->chunks);

		head += put_number(packed + head, s->occurrences);
		memcpy(packed + head, list_of(s), s->size);
		ret->lists[i] = (struct index_list){ s->term, packed, head + s->size };
		if (s->room)
			free(s->bytes);
		s->room = 0;
	}
	ret->count = b->count;
	qsort(ret->lists, ret->count, sizeof *ret->lists, by_term);
	ret->vocabulary = arena_strdup(a, b->words.at);
	index_drop(b);
}

void index_drop(struct index_builder *b)
{
	for (size_t i = 0; b && i < b->count; i++)
		if (b->slots[i].room)
			free(b->slots[i].bytes);
	if (!b)
		return;
	free(b->slots);
	free(b->places);
	free(b->known);
	free(b->touched);
	arena_done(&b->arena);
	free(b);
}

void index_print(struct text *t, const struct index_list *l)
{
	static const char digits[] = "0123456789abcdef";

	text_adds(t, "\"\\\\x");
	for (size_t k = 0; k < l->size; k++) {
		text_addc(t, digits[l->packed[k] >> 4]);
		text_addc(t, digits[l->packed[k] & 15]);
	}
	text_addc(t, '"');
}

/* --- Reading ---------------------------------------------------------------------------------------------------- */

static uint32_t number(struct index_reader *r)
{
	uint32_t n = 0;

	for (int shift = 0; r->at < r->end && shift < 32; shift += 7) {
		uint8_t byte = *r->at++;

		n |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return n;
	}
	r->at = r->end;
	return n;
}

void index_reader_init(struct index_reader *r, const uint8_t *packed, size_t size)
{
	*r = (struct index_reader){ .at = packed, .end = packed + size, .number = UINT32_MAX };
	r->chunks = number(r);
	r->occurrences = number(r);
}

int index_reader_next(struct index_reader *r)
{
	if (r->at >= r->end)
		return 0;
	r->number += number(r);
	r->times = number(r);
	r->length = number(r);
	return 1;
}
