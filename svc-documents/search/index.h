/*
 * index: the lexical index of a document: for each of its terms, the chunks that have it.
 *
 * A list is packed as unsigned LEB128 numbers: how many chunks, how often in all of them, then for each chunk the
 * distance of its number from the one before (the first: from -1), how often the term is there, and how many terms
 * the chunk has (names read as one word are not counted). So ranking needs nothing but the lists of the query's terms.
 * The words of the headings above a chunk count as said once in it. The vocabulary is for questions that are spelled
 * otherwise (respell.h).
 */
#ifndef PARLEY_DOCUMENTS_INDEX_H
#define PARLEY_DOCUMENTS_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/text.h"
#include "common/text/terms.h"

enum { INDEX_WORD_LEAST = 4, INDEX_WORD_MOST = 32 /* bytes of a word of the vocabulary */ };

struct index_list {
	uint64_t term;
	const uint8_t *packed;
	size_t size;
};

struct index {
	struct index_list *lists; /* by term, as signed numbers sort: the order of the table's key */
	size_t count;
	uint32_t chunks;
	int64_t terms;          /* of all chunks together */
	const char *vocabulary; /* its distinct words as they are spelled, folded, with a blank between */
};

/* Chunk after chunk, in order; then all of it, in the arena. index_end() and index_drop() free the builder. */
struct index_builder;
struct index_builder *index_begin(struct stemmers *stemmers, enum language language);
/* Of all terms only the part-th of so many parts, in the lists' order; the vocabulary comes with the first. What is too
 * large to be built at once is gone through once for each part. */
void index_part(struct index_builder *b, int part, int parts);
void index_add(struct index_builder *b, const char *text, size_t size, const char *heading /* or NULL */);
void index_end(struct index_builder *b, struct index *ret, struct arena *a);
void index_drop(struct index_builder *b); /* NULL is fine */

/* A list as an element of an array of bytea, as PostgreSQL reads it. */
void index_print(struct text *t, const struct index_list *l);

/* Reading a list. What is not well-formed ends it. */
struct index_reader {
	const uint8_t *at, *end;
	uint32_t chunks, occurrences;   /* of the whole list */
	uint32_t number, times, length; /* of the chunk reached */
};
void index_reader_init(struct index_reader *r, const uint8_t *packed, size_t size);
int index_reader_next(struct index_reader *r); /* 1, or 0 at the end */

#endif
