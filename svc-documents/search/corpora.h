/*
 * corpora: what searches have read of documents lately, so that a row of each is not read for every question. It is good
 * while the owner's figures are as they were, since all that changes a document as a search knows it counts in their `version`,
 * in the same transaction; and for a minute, since replicas of before count less. Bounded in bytes. Serves any number of threads.
 */
#ifndef PARLEY_DOCUMENTS_CORPORA_H
#define PARLEY_DOCUMENTS_CORPORA_H

#include "svc-documents/store_search.h"

struct corpora;

struct corpora *corpora_new(void);
void corpora_free(struct corpora *c); /* when nobody holds anything; NULL is fine */

/* What there was of the scope at these figures, held until corpora_release(), or NULL. now: monotonic ms. */
const struct stored_corpus *corpora_find(struct corpora *c, const struct scope *scope,
                                         const struct corpus_counts *counts, int64_t now);
/* Takes a copy; the figures were read before it was. */
void corpora_keep(struct corpora *c, const struct scope *scope, const struct corpus_counts *counts,
                  const struct stored_corpus *corpus, int64_t now);
void corpora_release(struct corpora *c, const struct stored_corpus *held); /* NULL is fine */

#endif
