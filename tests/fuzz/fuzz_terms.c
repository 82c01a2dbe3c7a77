/* links: svc-documents/ingest/normalise.c */
/*
 * terms: any text, made clean first. Terms come in order (a name after its parts), within the text, neither empty nor too long, and twice the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text/terms.h"
#include "svc-documents/ingest/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

static size_t walk(const struct clean *clean, struct stemmers *stemmers, uint64_t *sum)
{
	struct terms terms;
	size_t n = 0, at = 0;

	*sum = 0;
	terms_init(&terms, clean->text, clean->size, stemmers, LANGUAGE_EN);
	for (struct term t; terms_next(&terms, &t); n++) {
		MUST((t.joined ? t.end > at : t.start >= at) && t.start < t.end && t.end <= clean->size);
		MUST(t.size > 0 && t.size < sizeof t.text && strlen(t.text) == t.size &&
		     strlen(t.word) < sizeof t.word);
		if (!t.joined)
			at = t.start;
		*sum = *sum * 31 + t.hash;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct stemmers *stemmers = stemmers_new();
	uint64_t once, again;
	struct clean clean;
	struct arena a;

	arena_init(&a, 0);
	normalise((const char *)bytes, size, false, false, &clean, &a);
	MUST(walk(&clean, stemmers, &once) == walk(&clean, stemmers, &again));
	MUST(once == again);
	arena_done(&a);
	stemmers_free(stemmers);
	return 0;
}
