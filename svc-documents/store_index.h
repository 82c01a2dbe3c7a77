/*
 * store_index: what is stored of a document's text: the text itself, its chunks, their vectors, the lists of its terms.
 *
 * Writing replaces all of it in the caller's transaction, so that a reader sees the old or the new, never a mixture.
 */
#ifndef PARLEY_DOCUMENTS_STORE_INDEX_H
#define PARLEY_DOCUMENTS_STORE_INDEX_H

#include "common/db/db.h"
#include "documents.pb-c.h"
#include "svc-documents/ingest/chunk.h"
#include "svc-documents/search/index.h"
#include "svc-documents/search/passage.h"
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

/* Vectors follow the words, batch by batch in one transaction that begins with store_generation() (which locks the
 * document and tells which chunks those are) and store_clear_vectors(), and ends with store_set_model(). */
int store_generation(struct db *db, const char *owner, const char *id, int64_t *ret,
                     struct error *err) CHECKED;
int store_clear_vectors(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
int store_vectors(struct db *db, const char *owner, const char *id, const float *vectors, size_t first,
                  size_t n, int dimension, struct arena *a, struct error *err) CHECKED;
int store_set_model(struct db *db, const char *owner, const char *id, const char *model,
                    struct error *err) CHECKED;
/* The passages to embed, from chunk `first` on, at most `limit`, with the vectors that the same texts of the document had
 * before it was processed anew: of the model called `model` DIMENSION `at` (NULL: none). */
struct chunk_text {
	const char *text, *vector; /* as PostgreSQL prints it; or NULL */
};
int store_chunk_texts(struct db *db, const char *owner, const char *id, size_t first, int limit,
                      const char *model, const char *at, struct chunk_text **ret, size_t *count,
                      struct arena *a, struct error *err) CHECKED;

/* From character start to end, with the pages when all of it is asked for. *bytes is the whole text's size. */
int store_text_size(struct db *db, const char *owner, const char *id, int64_t *bytes, int64_t *characters,
                    struct error *err) CHECKED;
int store_text(struct db *db, const char *owner, const char *id, int64_t start, int64_t end,
               Documents__Text *out, struct arena *a, struct error *err) CHECKED;
/* The passages after the cursor in their order. 0: the cursor is gone, since the document was processed anew. */
int store_chunk_list(struct db *db, const char *owner, const char *id, const char *cursor, int limit,
                     Documents__ChunkList *out, struct arena *a, struct error *err) CHECKED;

#endif
