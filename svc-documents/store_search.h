/* store_search: what a search reads of the index: the documents, the lists of terms, the vectors, the passages. */
#ifndef PARLEY_DOCUMENTS_STORE_SEARCH_H
#define PARLEY_DOCUMENTS_STORE_SEARCH_H

#include "common/db/db.h"
#include "documents.pb-c.h"
#include "svc-documents/search/bm25.h"
#include "svc-documents/search/index.h"
#include "svc-documents/search/passage.h"

extern const struct db_stmt store_search_statements[];

/* Which documents: ids NULL means all of the owner's. */
struct scope {
	const char *owner;
	char *const *ids;
	size_t count;
	bool lenient; /* some may be missing */
};

/* The documents there are, by id. Those not yet indexed have no chunks. Of all of an owner's, at most `limit`. */
struct stored_corpus {
	const struct corpus_document *documents;
	const char **models; /* by document: what made its vectors */
	size_t count;
	int64_t of_owner; /* how many the owner has in all, about */
};
int store_corpus(struct db *db, const struct scope *scope, int limit, struct stored_corpus *ret,
                 struct arena *a, struct error *err) CHECKED;
/* What the owner has in all; version: another one whenever something of stored_corpus is. All 0 where there is nothing. */
struct corpus_counts {
	int64_t documents, chunks, terms, small, version;
};
int store_corpus_counts(struct db *db, const char *owner, struct corpus_counts *ret,
                        struct error *err) CHECKED;

/* The lists of the query's terms; with `near`, of the words that are spelled nearly like them. most: the scope is most of what
 * the owner has, whose lists then all come: a look into the index for each term and document costs more. */
struct found_list {
	uint64_t hash;
	char document[37];
	const uint8_t *packed;
	size_t size;
};
int store_lists(struct db *db, const struct scope *scope, const struct query *q, bool near, bool most,
                struct found_list **ret, size_t *count, struct arena *a, struct error *err) CHECKED;
/* Which term and document of the corpus each belongs to; those of none are left out. ret has room for all. */
size_t store_place_lists(const struct found_list *found, size_t count, const struct query *q,
                         const struct corpus *c, struct list *ret);
/* Words of the corpus that are spelled nearly like the doubtful terms become theirs (respell.h). */
int store_vocabularies(struct db *db, const char *owner, const struct corpus *c, struct query *q,
                       const bool *doubtful, struct stemmers *stemmers, size_t *found, struct arena *a,
                       struct error *err) CHECKED;
/* The chunks whose vectors are nearest, best first; documents that are not of the corpus are left out. */
int store_nearest(struct db *db, const struct scope *scope, const char *vector, int limit,
                  const struct corpus *c, struct hit **ret, size_t *count, struct arena *a,
                  struct error *err) CHECKED;
/* The same by the index of the owner's vectors (store_hnsw.h); none where there is no index. A few may be missing. */
int store_nearest_indexed(struct db *db, const struct scope *scope, const char *vector, int dimension,
                          int limit, const struct corpus *c, struct hit **ret, size_t *count, struct arena *a,
                          struct error *err) CHECKED;
struct chunk_key {
	size_t document;
	uint32_t number;
};
/* How near these chunks' vectors are, in any order; of those that `model` made. */
int store_cosines(struct db *db, const char *owner, const char *vector, const char *model,
                  const struct corpus *c, const struct chunk_key *keys, size_t count, struct hit **ret,
                  size_t *found, struct arena *a, struct error *err) CHECKED;
/* Chunks by document and number, in that order. */
int store_chunks(struct db *db, const char *owner, const struct corpus *c, const struct chunk_key *keys,
                 size_t count, struct stored_chunk **ret, size_t *found, struct arena *a,
                 struct error *err) CHECKED;

/* How near known questions are to a vector that `model` made, by the hashes of their texts. *missing: places of those
 * that have no vector yet; their cosines are 0. Both arrays have room for count. */
int store_known_cosines(struct db *db, const char *owner, const char *model, const char *vector,
                        char **hashes, size_t count, double *cosines, size_t *missing, size_t *missing_count,
                        struct arena *a, struct error *err) CHECKED;
int store_add_known(struct db *db, const char *owner, const char *model, char **hashes, char **vectors,
                    size_t count, struct arena *a, struct error *err) CHECKED;

/* Where on the web these sources stand: fills their url. */
int store_addresses(struct db *db, const char *owner, Documents__Source *const *sources, size_t count,
                    struct arena *a, struct error *err) CHECKED;

#endif
