/*
 * store_small: small documents, whose lists stand in one row each (search/small.h) instead of in one for each term.
 *
 * An upload writes one row so instead of hundreds. A search has the blocks of all of an owner's small documents before it,
 * so there are never many: the oldest are spread over rows of their own in the background. A document of which the lists
 * have rows of their own keeps them so however small it becomes: a search that began with the one never meets the other.
 */
#ifndef PARLEY_DOCUMENTS_STORE_SMALL_H
#define PARLEY_DOCUMENTS_STORE_SMALL_H

#include "common/db/db.h"
#include "svc-documents/search/index.h"

extern const struct db_stmt store_small_statements[];

enum { SMALL_MOST = 256 /* small documents of an owner, above which some are spread */ };

/* In the caller's transaction: the words and the block of a document that has neither. */
int store_add_small(struct db *db, const char *owner, const char *id, const char *words,
                    ProtobufCBinaryData block, struct error *err) CHECKED;

/* All of an owner's. */
struct small_document {
	const char *id;
	int64_t generation;
};
int store_small_documents(struct db *db, const char *owner, struct small_document **ret, size_t *count,
                          struct arena *a, struct error *err) CHECKED;
/* The blocks of these, as far as they are small still, in any order. */
struct small_block {
	const char *id;
	int64_t generation; /* which the block is of */
	ProtobufCBinaryData block;
};
int store_small_blocks(struct db *db, const char *owner, char *const *ids, size_t n, struct small_block **ret,
                       size_t *count, struct arena *a, struct error *err) CHECKED;

/* How many small documents the owner has. */
int store_count_small(struct db *db, const char *owner, int64_t *ret, struct error *err) CHECKED;

/* In the caller's transaction: some of the oldest become as others are. *left: how many are small still; *spread: how many
 * are not any more. Those that somebody else is changing are left alone. */
int store_spread(struct db *db, const char *owner, size_t *spread, int64_t *left, struct arena *a,
                 struct error *err) CHECKED;

#endif
