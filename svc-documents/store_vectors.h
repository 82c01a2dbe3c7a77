/*
 * store_vectors: the vectors of a document's passages. They follow its words, and are kept for the same texts of a document
 * that is processed anew.
 */
#ifndef PARLEY_DOCUMENTS_STORE_VECTORS_H
#define PARLEY_DOCUMENTS_STORE_VECTORS_H

#include "common/db/db.h"

extern const struct db_stmt store_vectors_statements[];

/* Batch by batch in one transaction that begins with store_generation() (which locks the
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

#endif
