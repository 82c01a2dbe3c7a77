/*
 * store_hnsw: indexes of vectors (HNSW, of pgvector), one for each owner who has very many and each dimension. Who has
 * fewer is searched exactly, which is as fast and misses nothing.
 *
 * They are no part of the schema: what is to be made or dropped is told as a statement that takes long (common/db/apart.h).
 */
#ifndef PARLEY_DOCUMENTS_STORE_HNSW_H
#define PARLEY_DOCUMENTS_STORE_HNSW_H

#include "common/db/db.h"

enum { HNSW_LEAST = 50000 /* vectors of an owner */ };

extern const struct db_stmt store_hnsw_statements[];

/* Why this database cannot have them, in a sentence; NULL when it can. */
int store_hnsw_missing(struct db *db, const char **ret, struct arena *a, struct error *err) CHECKED;

/* What comes next: what lies about half made or is not needed any more is dropped, then the largest owner without an
 * index, of at least so many vectors, gets one. 1 with the statements, 0 all is as it should be, -1. */
int store_hnsw_due(struct db *db, int64_t least, const char **sql, struct arena *a,
                   struct error *err) CHECKED;

#endif
