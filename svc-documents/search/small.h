/*
 * small: all lists of a small document's index as one block of bytes, in which each is found by its term.
 *
 * The number of lists as four bytes, then their terms, of eight, then where each list ends, of two, then the lists; all
 * numbers have their lowest byte first.
 */
#ifndef PARLEY_DOCUMENTS_SMALL_H
#define PARLEY_DOCUMENTS_SMALL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "svc-documents/search/index.h"

enum {
	SMALL_MAX =
	    24 << 10 /* bytes: some 60 KB of text. A search reads the blocks of all its small documents. */
};

/* The block, in the arena; false: the index is too large. */
bool small_pack(const struct index *x, ProtobufCBinaryData *ret, struct arena *a);
/* How many lists a block has; 0 when it is not well-formed. */
size_t small_count(const uint8_t *block, size_t size);
/* The i-th list; packed points into the block. */
struct index_list small_list(const uint8_t *block, size_t size, size_t i);
/* False when the term has none. */
bool small_find(const uint8_t *block, size_t size, uint64_t term, struct index_list *ret);

#endif
