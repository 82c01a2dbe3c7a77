/* links: svc-documents/ingest/normalise.c svc-documents/ingest/chunk.c */
/*
 * normalise: the first byte says whether lines are joined, the rest is a file. Whatever it is, the text is clean, and its
 * chunks are in order, not too long, at the characters they say, and cover everything but white space.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-documents/ingest/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

static void must_be_blank(const char *from, const char *to)
{
	for (; from < to; from++)
		MUST(strchr(" \n\t", *from));
}

static void check(const struct clean *clean, const struct chunk *chunks, size_t n)
{
	size_t covered = 0;

	for (size_t i = 0; i < n; i++) {
		const struct chunk *c = &chunks[i];

		MUST(c->start < c->end && c->end <= clean->size && c->last - c->first <= CHUNK_MAX);
		MUST((size_t)c->first == utf8_length(clean->text, c->start));
		MUST((size_t)c->last == utf8_length(clean->text, c->end));
		MUST(i == 0 || (c->start > chunks[i - 1].start && c->end > chunks[i - 1].end));
		MUST((size_t)c->page <= clean->page_count);
		if (covered < c->start)
			must_be_blank(clean->text + covered, clean->text + c->start);
		covered = c->end;
	}
	must_be_blank(clean->text + covered, clean->text + clean->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct chunk *chunks;
	struct clean clean;
	struct arena a;
	size_t count;

	if (size == 0)
		return 0;
	arena_init(&a, 0);
	normalise((const char *)bytes + 1, size - 1, bytes[0] & 1, false, &clean, &a);
	MUST(utf8_valid(clean.text, clean.size));
	for (size_t i = 0; i < clean.page_count; i++)
		MUST(clean.pages[i].start <= clean.pages[i].end && clean.pages[i].end <= clean.size &&
		     (i == 0 || clean.pages[i].start >= clean.pages[i - 1].end));
	count = chunk_text(&clean, &chunks, &a);
	check(&clean, chunks, count);
	arena_done(&a);
	return 0;
}
