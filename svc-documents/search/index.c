#include "svc-documents/search/index.h"

#include <stdlib.h>
#include <string.h>

/* What is gathered about a term: its list, still growing. */
struct slot {
	uint64_t term;
	uint32_t chunks, occurrences;
	uint32_t last, times; /* the chunk being counted */
	uint8_t *bytes;       /* of the chunks before; malloc'ed */
	uint32_t size, room;
	bool used;
};

struct builder {
	struct slot *slots; /* open addressing */
	size_t count, room; /* room is a power of two */
	uint32_t *touched;  /* slots with the current chunk in `times` */
	size_t touched_count, touched_room;
};

static void *grow(void *at, size_t size)
{
	void *p = realloc(at, size);

	if (!p)
		abort();
	return p;
}

static struct slot *find(struct slot *slots, size_t room, uint64_t term)
{
	size_t i = (size_t)(term ^ term >> 32) & (room - 1);

	while (slots[i].used && slots[i].term != term)
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static void widen(struct builder *b)
{
	size_t room = b->room ? b->room * 2 : 1024;
	struct slot *slots = calloc(room, sizeof *slots);

	if (!slots)
		abort();
	for (size_t i = 0; i < b->room; i++)
		if (b->slots[i].used)
			*find(slots, room, b->slots[i].term) = b->slots[i];
	free(b->slots);
	b->slots = slots;
	b->room = room;
}

static void count_term(struct builder *b, uint64_t term)
{
	struct slot *s = find(b->slots, b->room, term);

	if (!s->used) {
		*s = (struct slot){ .term = term, .used = true };
		b->count++;
	}
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

/* The chunk is over: its counts go into the lists. */
static void end_chunk(struct builder *b, uint32_t number, uint32_t length)
{
	for (size_t i = 0; i < b->touched_count; i++) {
		struct slot *s = &b->slots[b->touched[i]];

		if (s->room < s->size + 15) {
			s->room = s->room ? s->room * 2 : 16;
			s->bytes = grow(s->bytes, s->room);
		}
		s->size += put_number(s->bytes + s->size, s->chunks ? number - s->last : number + 1);
		s->size += put_number(s->bytes + s->size, s->times);
		s->size += put_number(s->bytes + s->size, length);
		s->chunks++;
		s->occurrences += s->times;
		s->last = number;
		s->times = 0;
	}
	b->touched_count = 0;
}

static uint32_t count_text(struct builder *b, const char *text, size_t size, struct sb_stemmer *stemmer)
{
	struct terms terms;
	uint32_t n = 0;

	terms_init(&terms, text, size, stemmer);
	for (struct term t; terms_next(&terms, &t); n++) {
		/* Never widen while slots of this chunk are noted by position: room for the largest chunk is kept. */
		count_term(b, t.hash);
	}
	return n;
}

static int by_term(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct index_list *)a)->term,
	        y = (int64_t)((const struct index_list *)b)->term;

	return (x > y) - (x < y);
}

static void finish(struct builder *b, struct index *ret, struct arena *a)
{
	ret->lists = arena_new(a, struct index_list, b->count);
	for (size_t i = 0; i < b->room; i++) {
		struct slot *s = &b->slots[i];
		uint8_t *packed;
		size_t head;

		if (!s->used)
			continue;
		packed = arena_alloc(a, s->size + 10);
		head = put_number(packed, s->chunks);
		head += put_number(packed + head, s->occurrences);
		memcpy(packed + head, s->bytes, s->size);
		ret->lists[ret->count++] = (struct index_list){ s->term, packed, head + s->size };
		free(s->bytes);
	}
	qsort(ret->lists, ret->count, sizeof *ret->lists, by_term);
	free(b->slots);
	free(b->touched);
}

void index_build(const char *text, const struct chunk *chunks, size_t count, struct sb_stemmer *stemmer,
                 struct index *ret, struct arena *a)
{
	struct builder b = { 0 };

	*ret = (struct index){ 0 };
	widen(&b);
	for (size_t i = 0; i < count; i++) {
		const struct chunk *c = &chunks[i];
		size_t heading = c->heading ? strlen(c->heading) : 0;
		uint32_t length;

		while (b.room < (b.count + c->end - c->start + heading) * 2)
			widen(&b);
		length = count_text(&b, text + c->start, c->end - c->start, stemmer);
		if (heading)
			count_text(&b, c->heading, heading, stemmer);
		end_chunk(&b, (uint32_t)i, length);
		ret->terms += length;
	}
	finish(&b, ret, a);
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
