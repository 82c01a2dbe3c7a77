#include "svc-documents/store_small.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "svc-documents/search/small.h"

enum {
	SPREAD = 64, /* documents at once */
	ROWS = 2000  /* written by one statement */
};

const struct db_stmt store_small_statements[] = {
	{ "add_small",
	  "INSERT INTO vocabulary (owner_id, document_id, words, lists) VALUES ($1, $2, $3, $4)" },
	{ "small_documents",
	  "SELECT id, generation FROM document WHERE owner_id = $1 AND small ORDER BY id" },
	/* One by one: store_search.c says why. */
	{ "small_blocks",
	  "SELECT v.document_id, d.generation, v.lists FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL"
	  " (SELECT * FROM vocabulary WHERE owner_id = $1 AND document_id = k.id OFFSET 0) v CROSS JOIN LATERAL"
	  " (SELECT * FROM document WHERE owner_id = $1 AND id = k.id OFFSET 0) d WHERE v.lists IS NOT NULL" },
	/* Their blocks are read by another statement: one that waits for no lock may lock newer rows than it has read. */
	{ "lock_small", "SELECT id FROM document WHERE owner_id = $1 AND small ORDER BY id LIMIT $2"
	                " FOR UPDATE SKIP LOCKED" },
	{ "spread", "INSERT INTO posting (owner_id, term, document_id, packed)"
	            " SELECT $1, term, document_id, packed FROM unnest($2::bigint[], $3::uuid[], $4::bytea[])"
	            " AS t (term, document_id, packed)" },
	{ "no_blocks",
	  "UPDATE vocabulary SET lists = NULL WHERE owner_id = $1 AND document_id = ANY ($2::uuid[])" },
	{ "not_small", "UPDATE document SET small = false WHERE owner_id = $1 AND id = ANY ($2::uuid[])" },
	{ "count_small",
	  "SELECT sum(small)::bigint AS small FROM (SELECT small FROM corpus WHERE owner_id = $1"
	  " UNION ALL SELECT small FROM corpus_part WHERE owner_id = $1) c" },
	{ 0 },
};

int store_add_small(struct db *db, const char *owner, const char *id, const char *words,
                    ProtobufCBinaryData block, struct error *err)
{
	return db_exec(db, "add_small", DB_ARGS(owner, id, words, block), NULL, err);
}

int store_small_documents(struct db *db, const char *owner, struct small_document **ret, size_t *count,
                          struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "small_documents", DB_ARGS(owner), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct small_document, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct small_document){ arena_strdup(a, db_text(res, (int)i, "id")),
			                             db_int(res, (int)i, "generation") };
	return 0;
}

int store_small_blocks(struct db *db, const char *owner, char *const *ids, size_t n, struct small_block **ret,
                       size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "small_blocks", DB_ARGS(owner, db_text_array(ids, n, a)), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct small_block, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct small_block){ arena_strdup(a, db_text(res, (int)i, "document_id")),
			                          db_int(res, (int)i, "generation"),
			                          db_bytes(res, (int)i, "lists", a) };
	return 0;
}

int store_count_small(struct db *db, const char *owner, int64_t *ret, struct error *err)
{
	return db_number(db, "count_small", DB_ARGS(owner), ret, err) < 0 ? -1 : 0;
}

/* --- Spreading -------------------------------------------------------------------------------------------------- */

struct row {
	struct index_list list;
	const char *id;
};

/* As the table's key has them: so neighbours are written one after the other. */
static int by_key(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	int64_t one = (int64_t)a->list.term, two = (int64_t)b->list.term;

	return one != two ? (one > two) - (one < two) : strcmp(a->id, b->id);
}

static struct row *rows_of(const struct small_block *blocks, size_t n, size_t *count, struct arena *a)
{
	struct row *rows;

	*count = 0;
	for (size_t i = 0; i < n; i++)
		*count += small_count(blocks[i].block.data, blocks[i].block.len);
	rows = arena_new(a, struct row, *count);
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		ProtobufCBinaryData b = blocks[i].block;

		for (size_t k = 0, lists = small_count(b.data, b.len); k < lists; k++)
			rows[(*count)++] = (struct row){ small_list(b.data, b.len, k), blocks[i].id };
	}
	if (*count)
		qsort(rows, *count, sizeof *rows, by_key);
	return rows;
}

static int write_rows(struct db *db, const char *owner, const struct row *rows, size_t n, struct error *err)
{
	struct text terms, ids, lists;
	struct arena a;
	int rc;

	arena_init(&a, 0);
	text_init(&terms, &a);
	text_init(&ids, &a);
	text_init(&lists, &a);
	for (size_t i = 0; i < n; i++) {
		text_addf(&terms, "%c%" PRId64, i ? ',' : '{', (int64_t)rows[i].list.term);
		text_addf(&ids, "%c%s", i ? ',' : '{', rows[i].id);
		text_addc(&lists, i ? ',' : '{');
		index_print(&lists, &rows[i].list);
	}
	text_addc(&terms, '}');
	text_addc(&ids, '}');
	text_addc(&lists, '}');
	rc = db_exec(db, "spread",
	             DB_ARGS(owner, (const char *)terms.at, (const char *)ids.at, (const char *)lists.at),
	             NULL, err);
	arena_done(&a);
	return rc;
}

/* Of the documents that are locked by now. */
static int spread(struct db *db, const char *owner, char *const *ids, size_t n, struct arena *a,
                  struct error *err)
{
	struct small_block *blocks;
	size_t count, total;
	struct row *rows;

	if (store_small_blocks(db, owner, ids, n, &blocks, &count, a, err) < 0)
		return -1;
	rows = rows_of(blocks, count, &total, a);
	for (size_t i = 0; i < total; i += ROWS)
		if (write_rows(db, owner, rows + i, total - i < ROWS ? total - i : ROWS, err) < 0)
			return -1;
	if (db_exec(db, "no_blocks", DB_ARGS(owner, db_text_array(ids, n, a)), NULL, err) < 0)
		return -1;
	return db_exec(db, "not_small", DB_ARGS(owner, db_text_array(ids, n, a)), NULL, err);
}

int store_spread(struct db *db, const char *owner, size_t *done, int64_t *left, struct arena *a,
                 struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	char *ids[SPREAD];
	size_t n;

	if (db_exec(db, "lock_small", DB_ARGS(owner, (int)SPREAD), &res, err) < 0)
		return -1;
	*done = n = (size_t)PQntuples(res);
	for (size_t i = 0; i < n; i++)
		ids[i] = arena_strdup(a, db_text(res, (int)i, "id"));
	if (n && spread(db, owner, ids, n, a, err) < 0)
		return -1;
	if (db_exec(db, "count_corpus", DB_ARGS(owner, 0, 0, 0, -(int64_t)n), NULL, err) < 0)
		return -1;
	return store_count_small(db, owner, left, err);
}
