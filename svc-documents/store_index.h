/*
 * store_index: what is stored of a document's text: the text itself, its chunks, their vectors, the lists of its terms.
 *
 * Writing replaces all of it in the caller's transaction, so that a reader sees the old or the new, never a mixture.
 */
#ifndef PARLEY_DOCUMENTS_STORE_INDEX_H
#define PARLEY_DOCUMENTS_STORE_INDEX_H

#include "common/db/db.h"
#include "documents.pb-c.h"
#include "svc-documents/search/index.h"
#include "svc-documents/search/passage.h"

extern const struct db_stmt store_index_statements[];

/* Everything that processing a document yields. */
struct prepared {
	struct clean clean;
	struct chunk *chunks;
	size_t count;
	struct index index;
	const float *vectors; /* count times dimension */
	int dimension;
	const char *model;
	/* What a web page said of itself; NULL keeps what there is. */
	const char *title, *metadata;
	int64_t size; /* of the page; negative: as it was */
};

/* 1 done, 0 the document is gone, -1. */
int store_prepared(struct db *db, const char *owner, const char *id, const struct prepared *p,
                   struct arena *a, struct error *err) CHECKED;
/* New vectors for the chunks there are; 0 when they are not the ones that were embedded any more. */
int store_vectors(struct db *db, const char *owner, const char *id, const float *vectors, size_t count,
                  int dimension, const char *model, struct arena *a, struct error *err) CHECKED;
/* The passages to embed again, in order. */
int store_chunk_texts(struct db *db, const char *owner, const char *id, char ***ret, size_t *count,
                      struct arena *a, struct error *err) CHECKED;

/* From character start to end, with the pages when all of it is asked for. *bytes is the whole text's size. */
int store_text_size(struct db *db, const char *owner, const char *id, int64_t *bytes, int64_t *characters,
                    struct error *err) CHECKED;
int store_text(struct db *db, const char *owner, const char *id, int64_t start, int64_t end,
               Documents__Text *out, struct arena *a, struct error *err) CHECKED;

#endif
