/* respell: words of the documents that a question probably means by a word that none of them has: one letter off. */
#ifndef PARLEY_DOCUMENTS_RESPELL_H
#define PARLEY_DOCUMENTS_RESPELL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text/language.h"
#include "svc-documents/search/query.h"

/* Is it worth asking the vocabulary for this term, which no document has? */
bool respell_doubtful(const struct query_term *t);

/* Give the query's doubtful terms the words of a document's vocabulary (words with a blank between) that are near.
 * doubtful[i]: of term i. Returns how many were found. */
size_t respell_look(struct query *q, const bool *doubtful, const char *vocabulary, enum language language,
                    struct stemmers *stemmers);

#endif
