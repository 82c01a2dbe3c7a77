/*
 * index: the lexical index of a document: for each of its terms, the chunks that have it.
 *
 * A list is packed as unsigned LEB128 numbers: how many chunks, how often in all of them, then for each chunk the
 * distance of its number from the one before (the first: from -1), how often the term is there, and how many terms
 * the chunk has. So ranking needs nothing but the lists of the query's terms.
 * The words of the headings above a chunk count as said once in it.
 */
#ifndef PARLEY_DOCUMENTS_INDEX_H
#define PARLEY_DOCUMENTS_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "svc-documents/ingest/chunk.h"
#include "svc-documents/search/terms.h"

struct index_list {
	uint64_t term;
	const uint8_t *packed;
	size_t size;
};

struct index {
	struct index_list *lists; /* by term, as signed numbers sort: the order of the table's key */
	size_t count;
	int64_t terms; /* of all chunks together */
};

void index_build(const char *text, const struct chunk *chunks, size_t count, struct sb_stemmer *stemmer,
                 struct index *ret, struct arena *a);

/* Reading a list. What is not well-formed ends it. */
struct index_reader {
	const uint8_t *at, *end;
	uint32_t chunks, occurrences;   /* of the whole list */
	uint32_t number, times, length; /* of the chunk reached */
};
void index_reader_init(struct index_reader *r, const uint8_t *packed, size_t size);
int index_reader_next(struct index_reader *r); /* 1, or 0 at the end */

#endif
