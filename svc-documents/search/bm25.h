/*
 * bm25: which chunks of the documents searched have the words of a question, and how much that says.
 *
 * Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) with
 * k1 = 1.2, b = 0.6 and the statistics of exactly the documents searched: document frequencies come from the lists
 * themselves, so there is nothing to keep up to date beside them.
 */
#ifndef PARLEY_DOCUMENTS_BM25_H
#define PARLEY_DOCUMENTS_BM25_H

#include "common/base/arena.h"
#include "svc-documents/search/query.h"

/* A document that is searched. */
struct corpus_document {
	const char *id, *name;
	enum language language;
	int64_t generation; /* of its index: a new number whenever that is written anew */
	uint32_t chunks;
	int64_t terms;   /* of all its chunks */
	size_t base;     /* chunks of the documents before it: filled by corpus_init() */
	bool small;      /* its lists stand in one row (store_small.h), as far as one knows */
	bool web;        /* of the web: its passages have addresses */
	double affinity; /* how much the whole document is about the question: filled by bm25() */
};

struct corpus {
	struct corpus_document
	    *documents; /* by id; of a large corpus only those that have words of the question */
	size_t count;
	size_t chunks; /* of these */
	double all_documents, all_chunks;
	double average; /* terms of a chunk */
};
/* Of documents that are all there is; corpus_narrow() then for a corpus of which they are a part. */
void corpus_init(struct corpus *c, struct corpus_document *documents, size_t count);
void corpus_narrow(struct corpus *c, int64_t documents, int64_t chunks, int64_t terms);

/* A term's list in one of the documents, as the index has it. */
struct list {
	size_t term, document; /* places in the query and in the corpus */
	const uint8_t *packed;
	size_t size;
	double worth; /* 1, less for a word spelled otherwise */
};

struct hit {
	size_t document;
	uint32_t number;
	double score;
};

/* The best `limit` chunks, best first; fills the terms' idf and the documents' affinity. Returns how many. */
size_t bm25(struct query *q, struct corpus *c, const struct list *lists, size_t count, size_t limit,
            struct hit **ret, struct arena *a);

#endif
