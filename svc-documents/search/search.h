/*
 * search: the passages of one's documents that best answer a question. Words (and vectors, where a model makes them)
 * are looked up, the best ranked finely and fused, neighbours joined (bm25.h, rank.h, passage.h say how).
 */
#ifndef PARLEY_DOCUMENTS_SEARCH_H
#define PARLEY_DOCUMENTS_SEARCH_H

#include "documents.pb-c.h"
#include "svc-documents/search/vectors.h"
#include "svc-documents/store_search.h"
#include "svc-documents/svc.h"

enum { SEARCH_LIMIT = 8 /* sources, unless asked otherwise */ };

struct search_wish {
	const char *question;
	size_t limit;
	bool debug;                     /* with each result, how it was found */
	bool headings;                  /* and what it stands under */
	struct question_vector *vector; /* of the question; NULL: it is made when it is needed */
};

/* scope: as the caller may see it; ERROR_NOT_FOUND when a named document is not there. */
int search(struct call *call, const struct scope *scope, const struct search_wish *wish,
           Documents__SearchReply *out) CHECKED;

#endif
