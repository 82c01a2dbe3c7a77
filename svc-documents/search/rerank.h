/*
 * rerank: the best passages put in order by a model that reads question and passage together, at any server with the
 * /rerank of Cohere and Jina. Only where one is configured; what fails or takes too long changes nothing.
 */
#ifndef PARLEY_DOCUMENTS_RERANK_H
#define PARLEY_DOCUMENTS_RERANK_H

#include "common/egress/egress.h"
#include "common/service/call.h"
#include "svc-documents/search/passage.h"

enum { RERANK_MAX = 50 /* passages it is shown */ };

struct reranker {
	struct egress *egress; /* NULL: none */
	const char *url, *key,
	    *model; /* "https://api.jina.ai/v1/rerank", "" for none, the model's name there */
};

/* How many passages to show it for so many wanted ones. */
size_t rerank_count(const struct reranker *r, size_t wanted);
/* Sorts them and gives them its scores, which are 0 to 1. until: Unix ms. */
void rerank(const struct reranker *r, struct call *call, const char *question, struct passage *passages,
            size_t count, int64_t until);

#endif
