#include "svc-documents/store_search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

/* Documents named in a statement; above, all of the owner's are read and the rest left out. */
enum { LISTED_MAX = 200 };

const struct db_stmt store_search_statements[] = {
	{ "corpus_all", "SELECT id, name, coalesce(chunks, 0) AS chunks, terms, model FROM document"
	                " WHERE owner_id = $1 AND chunks > 0 ORDER BY id" },
	{ "corpus_of", "SELECT id, name, coalesce(chunks, 0) AS chunks, terms, model FROM document"
	               " WHERE owner_id = $1 AND id = ANY($2::uuid[]) ORDER BY id" },
	{ "lists_all",
	  "SELECT term, document_id, packed FROM posting WHERE owner_id = $1 AND term = ANY($2::bigint[])" },
	{ "lists_of", "SELECT term, document_id, packed FROM posting"
	              " WHERE owner_id = $1 AND term = ANY($2::bigint[]) AND document_id = ANY($3::uuid[])" },
	{ "nearest_all", "SELECT document_id, number, -(vector <#> $2::halfvec) AS cosine FROM embedding"
	                 " WHERE owner_id = $1 ORDER BY vector <#> $2::halfvec LIMIT $3" },
	{ "nearest_of", "SELECT document_id, number, -(vector <#> $2::halfvec) AS cosine FROM embedding"
	                " WHERE owner_id = $1 AND document_id = ANY($4::uuid[])"
	                " ORDER BY vector <#> $2::halfvec LIMIT $3" },
	{ "cosines",
	  "SELECT e.document_id, e.number, -(e.vector <#> $5::halfvec) AS cosine"
	  " FROM unnest($2::uuid[], $3::int[]) AS k (document_id, number)"
	  " JOIN embedding e ON e.owner_id = $1 AND e.document_id = k.document_id AND e.number = k.number"
	  " JOIN document d ON d.owner_id = $1 AND d.id = k.document_id AND d.model = $4" },
	{ "chunks",
	  "SELECT c.document_id, c.number, c.id, coalesce(c.page, 0) AS page, c.start, c.stop, c.text"
	  " FROM unnest($2::uuid[], $3::int[]) AS k (document_id, number)"
	  " JOIN chunk c ON c.owner_id = $1 AND c.document_id = k.document_id AND c.number = k.number"
	  " ORDER BY c.document_id, c.number" },
	{ 0 },
};

int store_corpus(struct db *db, const struct scope *scope, struct corpus_document **ret, const char ***models,
                 size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (scope->ids) {
		if (db_exec(db, "corpus_of",
		            DB_ARGS(scope->owner, db_text_array(scope->ids, scope->count, a)), &res, err) < 0)
			return -1;
	} else if (db_exec(db, "corpus_all", DB_ARGS(scope->owner), &res, err) < 0) {
		return -1;
	}
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct corpus_document, *count);
	*models = arena_new(a, const char *, *count);
	for (size_t i = 0; i < *count; i++) {
		(*ret)[i] = (struct corpus_document){ .id = arena_strdup(a, db_text(res, (int)i, "id")),
			                              .name = arena_strdup(a, db_text(res, (int)i, "name")),
			                              .chunks = (uint32_t)db_int(res, (int)i, "chunks"),
			                              .terms = db_int(res, (int)i, "terms") };
		(*models)[i] = arena_strdup(a, db_text(res, (int)i, "model"));
	}
	return 0;
}

static int by_id(const void *key, const void *document)
{
	return strcmp(key, ((const struct corpus_document *)document)->id);
}

/* The document's place in the corpus, or -1. */
static ptrdiff_t place(const struct corpus *c, const char *id)
{
	const struct corpus_document *d = bsearch(id, c->documents, c->count, sizeof *d, by_id);

	return d ? d - c->documents : -1;
}

static bool named(const struct scope *scope)
{
	return scope->ids && scope->count <= LISTED_MAX;
}

static const char *term_array(const struct query *q, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addc(&t, '{');
	for (size_t i = 0; i < q->count; i++)
		if (!q->terms[i].term.common)
			text_addf(&t, "%s%" PRId64, t.length > 1 ? "," : "", (int64_t)q->terms[i].term.hash);
	text_addc(&t, '}');
	return t.at;
}

int store_lists(struct db *db, const struct scope *scope, const struct query *q, const struct corpus *c,
                struct list **ret, size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	const char *terms = term_array(q, a);

	if (named(scope)) {
		if (db_exec(db, "lists_of",
		            DB_ARGS(scope->owner, terms, db_text_array(scope->ids, scope->count, a)), &res,
		            err) < 0)
			return -1;
	} else if (db_exec(db, "lists_all", DB_ARGS(scope->owner, terms), &res, err) < 0) {
		return -1;
	}
	*ret = arena_new(a, struct list, (size_t)PQntuples(res));
	*count = 0;
	for (int i = 0; i < PQntuples(res); i++) {
		ptrdiff_t document = place(c, db_text(res, i, "document_id"));
		int term = query_find(q, (uint64_t)db_int(res, i, "term"));
		ProtobufCBinaryData packed;

		if (document < 0 || term < 0)
			continue;
		packed = db_bytes(res, i, "packed", a);
		(*ret)[(*count)++] = (struct list){ (size_t)term, (size_t)document, packed.data, packed.len };
	}
	return 0;
}

static void read_hits(const PGresult *res, const struct corpus *c, struct hit **ret, size_t *count,
                      struct arena *a)
{
	*ret = arena_new(a, struct hit, (size_t)PQntuples(res));
	*count = 0;
	for (int i = 0; i < PQntuples(res); i++) {
		ptrdiff_t document = place(c, db_text(res, i, "document_id"));

		if (document >= 0)
			(*ret)[(*count)++] =
			    (struct hit){ (size_t)document, (uint32_t)db_int(res, i, "number"),
				          strtod(db_text(res, i, "cosine"), NULL) };
	}
}

int store_nearest(struct db *db, const struct scope *scope, const char *vector, int limit,
                  const struct corpus *c, struct hit **ret, size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (scope->ids) {
		if (db_exec(db, "nearest_of",
		            DB_ARGS(scope->owner, vector, limit, db_text_array(scope->ids, scope->count, a)),
		            &res, err) < 0)
			return -1;
	} else if (db_exec(db, "nearest_all", DB_ARGS(scope->owner, vector, limit), &res, err) < 0) {
		return -1;
	}
	read_hits(res, c, ret, count, a);
	return 0;
}

/* Two parallel arrays: the keys as a statement takes them. */
static void print_keys(const struct corpus *c, const struct chunk_key *keys, size_t count, const char **ids,
                       const char **numbers_text, struct arena *a)
{
	char **id = arena_new(a, char *, count), **number = arena_new(a, char *, count);

	for (size_t i = 0; i < count; i++) {
		id[i] = (char *)c->documents[keys[i].document].id;
		number[i] = arena_printf(a, "%" PRIu32, keys[i].number);
	}
	*ids = db_text_array(id, count, a);
	*numbers_text = db_text_array(number, count, a);
}

int store_cosines(struct db *db, const char *owner, const char *vector, const char *model,
                  const struct corpus *c, const struct chunk_key *keys, size_t count, struct hit **ret,
                  size_t *found, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	const char *ids, *places;

	print_keys(c, keys, count, &ids, &places, a);
	if (db_exec(db, "cosines", DB_ARGS(owner, ids, places, model, vector), &res, err) < 0)
		return -1;
	read_hits(res, c, ret, found, a);
	return 0;
}

int store_chunks(struct db *db, const char *owner, const struct corpus *c, const struct chunk_key *keys,
                 size_t count, struct stored_chunk **ret, size_t *found, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	const char *ids, *places;

	print_keys(c, keys, count, &ids, &places, a);
	if (db_exec(db, "chunks", DB_ARGS(owner, ids, places), &res, err) < 0)
		return -1;
	*found = (size_t)PQntuples(res);
	*ret = arena_new(a, struct stored_chunk, *found);
	for (int i = 0; i < PQntuples(res); i++) {
		const char *text = db_text(res, i, "text");

		(*ret)[i] =
		    (struct stored_chunk){ .document = (size_t)place(c, db_text(res, i, "document_id")),
			                   .number = (uint32_t)db_int(res, i, "number"),
			                   .id = arena_strdup(a, db_text(res, i, "id")),
			                   .page = (int)db_int(res, i, "page"),
			                   .first = db_int(res, i, "start"),
			                   .last = db_int(res, i, "stop"),
			                   .text = arena_strdup(a, text),
			                   .size = strlen(text) };
	}
	return 0;
}
