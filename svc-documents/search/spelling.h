/*
 * spelling: words that differ by one letter from one asked for. A letter too many, one missing, another one, or two
 * neighbours changed places: that is how people mistype. Short words have too many neighbours to guess.
 */
#ifndef PARLEY_DOCUMENTS_SPELLING_H
#define PARLEY_DOCUMENTS_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text/language.h"
#include "svc-documents/search/query.h"

/* Both folded. */
bool spelling_near(const char *a, size_t a_size, const char *b, size_t b_size);

/* Is it worth asking the vocabulary for this term, which no document has? */
bool spelling_doubtful(const struct query_term *t);

/* Give the query's doubtful terms the words of a document's vocabulary (words with a blank between) that are near.
 * doubtful[i]: of term i. Returns how many were found. */
size_t spelling_look(struct query *q, const bool *doubtful, const char *vocabulary, enum language language,
                     struct stemmers *stemmers);

#endif
