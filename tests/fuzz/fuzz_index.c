/* links: svc-documents/search/index.c svc-documents/search/bm25.c svc-documents/search/query.c */
/*
 * index: packed lists as a damaged table might hold them, pieces divided by 0xff 0xfe. Reading ends, and ranking with
 * them gives scores of chunks that exist.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/search/bm25.h"
#include "svc-documents/search/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { LISTS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct corpus_document documents[2] = { { .id = "a", .name = "a", .chunks = 5, .terms = 100 },
		                                { .id = "b", .name = "b", .chunks = 300, .terms = 1 } };
	struct stemmers *stemmers = stemmers_new();
	struct list lists[LISTS];
	struct corpus c;
	struct query q;
	struct hit *hits;
	struct arena a;
	size_t n = 0, found;

	arena_init(&a, 0);
	query_parse("apple pear plum fig", stemmers, 1, LANGUAGE_EN, &q, &a);
	corpus_init(&c, documents, 2);
	while (size && n < LISTS) {
		const uint8_t *border = memmem(bytes, size, "\xff\xfe", 2);
		size_t piece = border ? (size_t)(border - bytes) : size;

		lists[n] = (struct list){ n % q.count, n % 2, bytes, piece, 1 };
		n++;
		bytes += border ? piece + 2 : piece;
		size -= border ? piece + 2 : piece;
	}
	found = bm25(&q, &c, lists, n, 10, &hits, &a);
	for (size_t i = 0; i < found; i++)
		if (!isfinite(hits[i].score) || hits[i].number >= documents[hits[i].document].chunks)
			abort();
	arena_done(&a);
	stemmers_free(stemmers);
	return 0;
}
