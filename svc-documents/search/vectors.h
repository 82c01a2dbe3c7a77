/* vectors: the side of a search that knows meaning: what a search has found so far, and the chunks near the question. */
#ifndef PARLEY_DOCUMENTS_VECTORS_H
#define PARLEY_DOCUMENTS_VECTORS_H

#include "svc-documents/search/cache.h"
#include "svc-documents/store_search.h"
#include "svc-documents/svc.h"

enum { SEARCH_CANDIDATES = 48 /* taken from each of the two ways of looking */ };

/* A search under way. */
struct search {
	const struct scope *scope;
	struct stemmers *stemmers;
	struct query query;
	unsigned spoken; /* query.h */
	struct corpus corpus;
	const char **models;               /* by document: what made its vectors */
	const struct stored_corpus *known; /* where all that comes from memory: to be released */
	bool large;                        /* the corpus holds only documents with words of the question */
	bool most;                         /* it is most of what the owner has */
	struct block *blocks;              /* of small documents: lists.h */
	size_t block_count;
	struct scope rest; /* whose lists have rows of their own */
	bool has_rest;
	bool has_vectors; /* candidates have cosines */
	struct candidate *found;
	size_t count;
	const struct cached **held; /* chunks, to be released */
	size_t *held_document, held_count;
};

/* A question's vector as PostgreSQL reads it, and what made it; made once, when first asked for. */
struct question_vector {
	bool asked;
	const char *text, *model; /* NULL when there is none */
	int dimension;
};
/* False, told to the log: the model does not answer soon. */
bool question_vector(struct call *call, const char *question, struct question_vector *v);

/* The candidate of a chunk, added when it is new. */
struct candidate *search_candidate(struct search *s, const struct hit *h);

/* Adds candidates and cosines. A model that does not answer soon is told to the log alone: words are enough. */
int search_vectors(struct call *call, struct search *s, const char *question,
                   struct question_vector *vector) CHECKED;

#endif
