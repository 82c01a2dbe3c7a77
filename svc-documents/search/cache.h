/*
 * cache: chunks that searches have read lately, with their words, so that they are not read and stemmed for every
 * question. A chunk never changes: its document's generation is part of its key. Bounded in bytes; those not asked for
 * longest go first. Serves any number of threads.
 */
#ifndef PARLEY_DOCUMENTS_CACHE_H
#define PARLEY_DOCUMENTS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "svc-documents/search/passage.h"
#include "svc-documents/search/words.h"

struct cache;

struct cache *cache_new(size_t bytes);
void cache_free(struct cache *c); /* when nobody holds a chunk; NULL is fine */

struct cached {
	struct stored_chunk chunk; /* `document` means nothing here */
	struct words words;
};
/* What stands in a chunk's place under this number: the block of a small document's lists (small.h), as `chunk.text`. */
enum { CACHE_BLOCK = INT32_MAX };

/* The chunk, held until cache_release(), or NULL. */
const struct cached *cache_find(struct cache *c, const char *document_id, int64_t generation,
                                uint32_t number);
/* Takes a copy of the chunk and the words themselves; returns it, held. */
const struct cached *cache_add(struct cache *c, const char *document_id, int64_t generation,
                               const struct stored_chunk *chunk, struct words words);
void cache_release(struct cache *c, const struct cached *held);

#endif
