/*
 * query: a question as the lexical search sees it: its distinct terms, their order, and what each is worth.
 * Function words (term.common) are not looked up, unless the question has nothing else.
 */
#ifndef PARLEY_DOCUMENTS_QUERY_H
#define PARLEY_DOCUMENTS_QUERY_H

#include "common/base/arena.h"
#include "svc-documents/search/terms.h"

enum { QUERY_CROWD = 64 };
enum { QUERY_TERMS = 96 }; /* distinct ones; what a longer question has beyond them is not looked at */

struct query_term {
	struct term term;
	double idf; /* in the documents searched: filled by bm25() */
	double
	    telling; /* the same among QUERY_CROWD chunks at least: in a handful, a word that all have still tells something */
};

struct query {
	struct query_term *terms;
	size_t count;
	size_t *order; /* the terms as they stand in the question */
	size_t length;
};

void query_parse(const char *text, struct sb_stemmer *stemmer, struct query *ret, struct arena *a);
/* The place of a term in the query, or -1. */
int query_find(const struct query *q, uint64_t hash);

#endif
