/* respell: words of the documents that a question probably means by a word that none of them has: one letter off, or another
 * word for the same. */
#ifndef PARLEY_DOCUMENTS_RESPELL_H
#define PARLEY_DOCUMENTS_RESPELL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text/language.h"
#include "svc-documents/search/query.h"

/* Is it a word that is looked up by itself? */
bool respell_lone(const struct query_term *t);

/* Is it worth asking the vocabulary for this term, which no document has? */
bool respell_doubtful(const struct query_term *t);

/* Give the query's doubtful terms the words of a document's vocabulary (words with a blank between) that are near.
 * doubtful[i]: of term i. Returns how many were found. */
size_t respell_look(struct query *q, const bool *doubtful, const char *vocabulary, enum language language,
                    struct stemmers *stemmers);

/* Give these terms their synonyms in the languages spoken (query.h). Returns how many. */
size_t respell_mean(struct query *q, const bool *unknown, unsigned spoken, struct stemmers *stemmers);
/* Of the words that may be meant, keep those that `has` says the documents have. */
void respell_keep(struct query *q, bool (*has)(const void *arg, uint64_t hash), const void *arg);

#endif
