/*
 * store_index: what processing a document stores: the text, its chunks, the lists of its terms. (store_text.h reads them;
 * store_vectors.h has the vectors, which follow.)
 *
 * Writing replaces all of it in the caller's transaction, so that a reader sees the old or the new, never a mixture.
 */
#ifndef PARLEY_DOCUMENTS_STORE_INDEX_H
#define PARLEY_DOCUMENTS_STORE_INDEX_H

#include "common/db/db.h"
#include "svc-documents/ingest/chunk.h"
#include "svc-documents/search/index.h"
#include "svc-documents/store.h"

extern const struct db_stmt store_index_statements[];

/* Everything that processing a document yields. */
struct prepared {
	struct clean clean;
	struct chunk *chunks;
	size_t count;
	struct index index;
	/* Of a large text it is made part by part, as it is stored (ingest/parts.h), by any thread; parts 0: index is all of it. */
	int parts;
	void (*index_part)(const struct prepared *p, int part, struct index *ret, struct arena *a);
	enum language language;
	struct stemmers_shelf *stemmers; /* index_part()'s */
	/* What a web page said of itself; NULL keeps what there is. */
	const char *title, *metadata;
	const char *warning; /* for its owner: what may be wrong with the text; or NULL */
	int64_t size;        /* of the page; negative: as it was */
};

/* 1 done, 0 the document is gone or a later job's, -1. *small: how many small documents its owner has now (store_small.h). */
int store_prepared(struct db *db, const char *owner, const char *id, const struct fence *f,
                   const struct prepared *p, int64_t *small, struct arena *a, struct error *err) CHECKED;
/* The words of the chunks there are, indexed anew; 0 when they are not those chunks any more. */
int store_index(struct db *db, const char *owner, const char *id, const struct index *x,
                enum language language, struct error *err) CHECKED;
/* Give b the chunks from `first` on, at most `limit`. */
int store_index_again(struct db *db, const char *owner, const char *id, struct index_builder *b, size_t first,
                      int limit, size_t *read, struct error *err) CHECKED;

#endif
