#include "svc-documents/search/words.h"

#include <stdlib.h>
#include <string.h>

#include "common/text/sentence.h"

struct growing {
	struct word *at;
	char *pool;
	size_t count, room, pool_size, pool_room;
};

static void *grow(void *at, size_t size)
{
	void *p = realloc(at, size);

	if (!p)
		abort();
	return p;
}

static void add(struct growing *g, const struct term *t, size_t sentence, uint8_t flags)
{
	if (g->count == g->room) {
		g->room = g->room ? g->room * 2 : 256;
		g->at = grow(g->at, g->room * sizeof *g->at);
	}
	if (g->pool_size + t->size > g->pool_room) {
		g->pool_room = g->pool_room * 2 + 1024;
		g->pool = grow(g->pool, g->pool_room);
	}
	g->at[g->count++] =
	    (struct word){ .hash = t->hash,
		           .text = (uint32_t)g->pool_size,
		           .sentence = sentence < UINT16_MAX ? (uint16_t)sentence : UINT16_MAX,
		           .size = (uint8_t)t->size,
		           .flags = flags };
	if (t->size)
		memcpy(g->pool + g->pool_size, t->text, t->size);
	g->pool_size += t->size;
}

static uint8_t flags_of(const struct term *t, const char *text, bool first)
{
	unsigned char c = (unsigned char)text[t->start];
	uint8_t flags = t->joined ? WORD_JOINED : 0;

	if (c >= '0' && c <= '9')
		flags |= WORD_NUMBER;
	if (c >= 'A' && c <= 'Z' && !first)
		flags |= WORD_NAME;
	return flags;
}

void words_read(const char *text, size_t size, struct stemmers *stemmers, enum language language,
                struct words *ret)
{
	const char *end = text + size, *stop = sentence_end(text, end);
	struct growing g = { 0 };
	struct terms terms;
	size_t sentence = 0;
	bool first = true;

	terms_init(&terms, text, size, stemmers, language);
	for (struct term t; terms_next(&terms, &t); first = false) {
		for (; text + t.start >= stop && stop < end; sentence++, first = true)
			stop = sentence_end(stop, end);
		add(&g, &t, sentence, flags_of(&t, text, first));
	}
	ret->count = g.count;
	ret->bytes = g.count * sizeof *g.at + g.pool_size + 1;
	ret->at = grow(g.at, ret->bytes);
	ret->pool = (char *)(ret->at + g.count);
	if (g.pool_size)
		memcpy((char *)(ret->at + g.count), g.pool, g.pool_size);
	free(g.pool);
}
