#include "svc-documents/store_vectors.h"

#include <inttypes.h>

#include "common/base/text.h"
#include "svc-documents/ingest/embed.h"
#include "svc-documents/store.h"

enum { BATCH = 500 /* rows written by one statement */ };

/* What a model gets of a passage. */
#define EMBEDDED "coalesce(heading || E'\\n', '') || substr(text, 1, (stop - start)::int)"

const struct db_stmt store_vectors_statements[] = {
	{ "lock_generation", "SELECT generation FROM document WHERE owner_id = $1 AND id = $2 FOR UPDATE" },
	{ "clear_vectors", "DELETE FROM embedding WHERE owner_id = $1 AND document_id = $2" },
	{ "add_vectors",
	  "INSERT INTO embedding (owner_id, document_id, number, vector)"
	  " SELECT $1, $2, number, vector::halfvec FROM unnest($3::int[], $4::text[]) AS t (number, vector)" },
	{ "set_model",
	  STORE_NOTED("UPDATE document SET model = $3, step = NULL WHERE owner_id = $1 AND id = $2") },
	{ "chunk_texts",
	  "SELECT c.text, s.vector FROM (SELECT number, " EMBEDDED " AS text FROM chunk"
	  " WHERE owner_id = $1 AND document_id = $2 AND number >= $3 ORDER BY number LIMIT $4) c"
	  " LEFT JOIN spare_vector s ON s.owner_id = $1 AND s.document_id = $2 AND s.hash = md5(c.text)::uuid"
	  " AND s.model = $5 || vector_dims(s.vector) || $6 ORDER BY c.number" },
	{ "spare",
	  "INSERT INTO spare_vector (owner_id, document_id, hash, model, vector)"
	  " SELECT $1, $2, md5(" EMBEDDED ")::uuid, d.model, e.vector FROM document d"
	  " JOIN chunk c ON c.owner_id = d.owner_id AND c.document_id = d.id"
	  " JOIN embedding e ON e.owner_id = c.owner_id AND e.document_id = c.document_id AND e.number = c.number"
	  " WHERE d.owner_id = $1 AND d.id = $2 AND d.model IS NOT NULL ON CONFLICT DO NOTHING" },
	{ "clear_spare", "DELETE FROM spare_vector WHERE owner_id = $1 AND document_id = $2" },
	{ 0 },
};

int store_generation(struct db *db, const char *owner, const char *id, int64_t *ret, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "lock_generation", DB_ARGS(owner, id), &res, err);

	*ret = found > 0 ? db_int(res, 0, "generation") : 0;
	return found;
}

/* "{3,4,5}" */
static const char *numbers(size_t from, size_t to, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = from; i < to; i++)
		text_addf(&t, "%c%zu", i == from ? '{' : ',', i);
	text_adds(&t, to > from ? "}" : "{}");
	return t.at;
}

/* vectors[from .. to) of those that begin with chunk `first`. */
static int add_vectors(struct db *db, const char *owner, const char *id, const float *vectors, int dimension,
                       size_t first, size_t from, size_t to, struct arena *a, struct error *err)
{
	char **values = arena_new(a, char *, to - from);

	for (size_t i = from; i < to; i++)
		values[i - from] = embed_print(vectors + i * (size_t)dimension, dimension, a);
	return db_exec(
	    db, "add_vectors",
	    DB_ARGS(owner, id, numbers(first + from, first + to, a), db_text_array(values, to - from, a)),
	    NULL, err);
}

int store_clear_vectors(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_exec(db, "clear_vectors", DB_ARGS(owner, id), NULL, err);
}

int store_vectors(struct db *db, const char *owner, const char *id, const float *vectors, size_t first,
                  size_t n, int dimension, struct arena *a, struct error *err)
{
	for (size_t i = 0; i < n; i += BATCH)
		if (add_vectors(db, owner, id, vectors, dimension, first, i, i + BATCH < n ? i + BATCH : n, a,
		                err) < 0)
			return -1;
	return 0;
}

int store_set_model(struct db *db, const char *owner, const char *id, const char *model, struct error *err)
{
	if (db_exec(db, "clear_spare", DB_ARGS(owner, id), NULL, err) < 0)
		return -1;
	return db_exec(db, "set_model", DB_ARGS(owner, id, model), NULL, err);
}

int store_chunk_texts(struct db *db, const char *owner, const char *id, size_t first, int limit,
                      const char *model, const char *at, struct chunk_text **ret, size_t *count_ret,
                      struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "chunk_texts", DB_ARGS(owner, id, (int64_t)first, limit, model, at), &res, err) < 0)
		return -1;
	*count_ret = (size_t)PQntuples(res);
	*ret = arena_new(a, struct chunk_text, *count_ret);
	for (size_t i = 0; i < *count_ret; i++)
		(*ret)[i] = (struct chunk_text){ arena_strdup(a, db_text(res, (int)i, "text")),
			                         arena_strdup(a, db_text(res, (int)i, "vector")) };
	return 0;
}
