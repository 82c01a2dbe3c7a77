/*
 * rank: the finer look at the few dozen chunks that a search has found, and the order they are shown in.
 *
 * The lexical score adds to BM25 what it cannot see: how much of the question one sentence holds, words of the
 * question that stand side by side, words that share their beginning with one asked for (Normandy, Norman), how much
 * the whole document and its title are about the question. The weights were set by coordinate ascent over seven of
 * the eight articles of tests/eval at a time and judged on the eighth; they lie on a broad plateau.
 *
 * A score is a share of what a passage with every word of the question in one sentence would have, so it means the same
 * for every question; the cosine of a vector is added to it as it is. (Fusing places instead of scores lets a poor model
 * move good passages down whatever its weight.)
 */
#ifndef PARLEY_DOCUMENTS_RANK_H
#define PARLEY_DOCUMENTS_RANK_H

#include "svc-documents/search/bm25.h"
#include "svc-documents/search/words.h"

struct candidate {
	size_t document; /* place in the corpus */
	uint32_t number; /* of the chunk */
	double bm25;     /* 0: not found by words */
	double cosine;   /* 0: not found by vector */
	const struct words *words;
	double lexical; /* filled by rank_lexical(): about 0 to 1, a little more when it says things twice */
	double
	    covered; /* share of the question's worth (function words left out) that its words cover, 0 to 1 */
	double score; /* filled by rank_fuse(): 0 to 1 */
};

void rank_lexical(const struct query *q, const struct corpus *c, struct candidate *list, size_t count,
                  struct stemmers *stemmers);

/* Sorts best first. vector_weight: the cosine's share of the score, 0 to 1. */
void rank_fuse(struct candidate *list, size_t count, double vector_weight);

#endif
