#include "svc-documents/store_search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "svc-documents/search/respell.h"

enum {
	LISTED_MAX =
	    200 /* documents named in a statement; above, all of the owner's are read and the rest left out */
};

/*
 * What each term and key has is looked up by itself, and OFFSET 0 keeps it so: of an owner that it has not heard of
 * (whoever came since the last ANALYZE) PostgreSQL expects one row, and would read all of them to compare each with each key.
 */
#define EACH " CROSS JOIN LATERAL (SELECT * FROM "
#define BY_ITSELF " OFFSET 0) "
/* What an owner has, in its parts; one of those has another version with each document. */
#define COUNTED                                                                            \
	"(SELECT documents, chunks, terms, small, version FROM corpus WHERE owner_id = $1" \
	" UNION ALL SELECT documents, chunks, terms, small, documents FROM corpus_part WHERE owner_id = $1) c"

const struct db_stmt store_search_statements[] = {
	{ "corpus_all",
	  "SELECT id, name, chunks, terms, model, language, generation, small, type = 'url' AS web FROM document"
	  " WHERE owner_id = $1 AND chunks > 0 ORDER BY id LIMIT $2" },
	{ "corpus_of",
	  "SELECT d.id, d.name, coalesce(d.chunks, 0) AS chunks, d.terms, d.model, d.language, d.generation,"
	  " d.small, d.type = 'url' AS web, (SELECT sum(documents) FROM " COUNTED ") AS of_owner"
	  " FROM unnest($2::uuid[]) AS k (id)" EACH "document WHERE owner_id = $1 AND id = k.id" BY_ITSELF
	  "d ORDER BY d.id" },
	{ "corpus_counts", "SELECT sum(documents)::bigint AS documents, sum(chunks)::bigint AS chunks,"
	                   " sum(terms)::bigint AS terms, sum(small)::bigint AS small,"
	                   " sum(version)::bigint AS version FROM " COUNTED },
	{ "lists_all", "SELECT p.term, p.document_id, p.packed FROM unnest($2::bigint[]) AS k (term)" EACH
	               "posting WHERE owner_id = $1 AND term = k.term" BY_ITSELF "p" },
	{ "lists_of", "SELECT p.term, p.document_id, p.packed FROM unnest($2::bigint[]) AS k (term)"
	              " CROSS JOIN unnest($3::uuid[]) AS d (id)" EACH
	              "posting WHERE owner_id = $1 AND term = k.term AND document_id = d.id" BY_ITSELF "p" },
	{ "vocabularies", "SELECT v.document_id, v.words FROM unnest($2::uuid[]) AS k (id)" EACH
	                  "vocabulary WHERE owner_id = $1 AND document_id = k.id" BY_ITSELF "v" },
	{ "nearest_all", "SELECT document_id, number, -(vector <#> $2::halfvec) AS cosine FROM embedding"
	                 " WHERE owner_id = $1 ORDER BY vector <#> $2::halfvec LIMIT $3" },
	{ "nearest_of", "SELECT document_id, number, -(vector <#> $2::halfvec) AS cosine FROM embedding"
	                " WHERE owner_id = $1 AND document_id = ANY($4::uuid[])"
	                " ORDER BY vector <#> $2::halfvec LIMIT $3" },
	{ "nearest_indexed",
	  "SELECT document_id, number, cosine FROM nearest_indexed($1, $2, $3, $4, $5::uuid[])" },
	{ "cosines",
	  "SELECT e.document_id, e.number, -(e.vector <#> $5::halfvec) AS cosine"
	  " FROM unnest($2::uuid[], $3::int[]) AS k (document_id, number)" EACH
	  "embedding WHERE owner_id = $1 AND document_id = k.document_id AND number = k.number" BY_ITSELF
	  "e" EACH "document WHERE owner_id = $1 AND id = k.document_id" BY_ITSELF "d WHERE d.model = $4" },
	{ "chunks",
	  "SELECT c.document_id, c.number, c.id, coalesce(c.page, 0) AS page, c.start, c.stop, c.heading, c.text"
	  " FROM unnest($2::uuid[], $3::int[]) AS k (document_id, number)" EACH
	  "chunk WHERE owner_id = $1 AND document_id = k.document_id AND number = k.number" BY_ITSELF "c"
	  " ORDER BY c.document_id, c.number" },
	{ "known_cosines",
	  "SELECT k.place - 1 AS place, -(q.vector <#> $4::halfvec) AS cosine"
	  " FROM unnest($2::text[]) WITH ORDINALITY AS k (hash, place)"
	  " LEFT JOIN known_question q ON q.owner_id = $1 AND q.hash = k.hash AND q.model = $3"
	  " ORDER BY k.place" },
	{ "add_known",
	  "INSERT INTO known_question (owner_id, hash, model, vector)"
	  " SELECT $1, hash, $2, vector::halfvec FROM unnest($3::text[], $4::text[]) AS k (hash, vector)"
	  " ON CONFLICT DO NOTHING" },
	/* A page of a site has an address of its own. */
	{ "addresses",
	  "SELECT k.place, coalesce(p.address, d.metadata->>'url') AS address"
	  " FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS k (document_id, page, place)"
	  " JOIN document d ON d.owner_id = $1 AND d.id = k.document_id"
	  " LEFT JOIN part p ON p.owner_id = $1 AND p.document_id = k.document_id AND p.page = k.page" },
	{ 0 },
};

static void read_corpus(const PGresult *res, struct stored_corpus *ret, struct arena *a)
{
	struct corpus_document *documents;

	ret->count = (size_t)PQntuples(res);
	ret->documents = documents = arena_new(a, struct corpus_document, ret->count);
	ret->models = arena_new(a, const char *, ret->count);
	for (int i = 0; i < PQntuples(res); i++) {
		documents[i] =
		    (struct corpus_document){ .id = arena_strdup(a, db_text(res, i, "id")),
			                      .name = arena_strdup(a, db_text(res, i, "name")),
			                      .chunks = (uint32_t)db_int(res, i, "chunks"),
			                      .terms = db_int(res, i, "terms"),
			                      .language = language_named(db_text(res, i, "language")),
			                      .generation = db_int(res, i, "generation"),
			                      .small = *db_text(res, i, "small") == 't',
			                      .web = *db_text(res, i, "web") == 't' };
		ret->models[i] = arena_strdup(a, db_text(res, i, "model"));
	}
}

int store_corpus(struct db *db, const struct scope *scope, int limit, struct stored_corpus *ret,
                 struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (scope->ids) {
		if (db_exec(db, "corpus_of",
		            DB_ARGS(scope->owner, db_text_array(scope->ids, scope->count, a)), &res, err) < 0)
			return -1;
	} else if (db_exec(db, "corpus_all", DB_ARGS(scope->owner, limit), &res, err) < 0) {
		return -1;
	}
	read_corpus(res, ret, a);
	ret->of_owner = scope->ids && ret->count ? db_int(res, 0, "of_owner") : (int64_t)ret->count;
	return 0;
}

int store_corpus_counts(struct db *db, const char *owner, struct corpus_counts *ret, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	*ret = (struct corpus_counts){ 0 };
	if (db_exec(db, "corpus_counts", DB_ARGS(owner), &res, err) < 0)
		return -1;
	if (PQntuples(res) > 0)
		*ret = (struct corpus_counts){ db_int(res, 0, "documents"), db_int(res, 0, "chunks"),
			                       db_int(res, 0, "terms"), db_int(res, 0, "small"),
			                       db_int(res, 0, "version") };
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

static const char *term_array(const struct query *q, bool near, struct arena *a)
{
	uint64_t hashes[QUERY_HASHES];
	size_t n = query_hashes(q, near, hashes);
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < n; i++)
		text_addf(&t, "%c%" PRId64, i ? ',' : '{', (int64_t)hashes[i]);
	text_adds(&t, n ? "}" : "{}");
	return t.at;
}

int store_lists(struct db *db, const struct scope *scope, const struct query *q, bool near, bool most,
                struct found_list **ret, size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	const char *terms = term_array(q, near, a);

	*ret = NULL;
	*count = 0;
	if (strlen(terms) == 2)
		return 0;
	if (scope->ids && scope->count <= LISTED_MAX && !most) {
		if (db_exec(db, "lists_of",
		            DB_ARGS(scope->owner, terms, db_text_array(scope->ids, scope->count, a)), &res,
		            err) < 0)
			return -1;
	} else if (db_exec(db, "lists_all", DB_ARGS(scope->owner, terms), &res, err) < 0) {
		return -1;
	}
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct found_list, *count);
	for (size_t i = 0; i < *count; i++) {
		ProtobufCBinaryData packed = db_bytes(res, (int)i, "packed", a);

		(*ret)[i] = (struct found_list){ .hash = (uint64_t)db_int(res, (int)i, "term"),
			                         .packed = packed.data,
			                         .size = packed.len };
		strncpy((*ret)[i].document, db_text(res, (int)i, "document_id"),
		        sizeof(*ret)[i].document - 1);
	}
	return 0;
}

size_t store_place_lists(const struct found_list *found, size_t count, const struct query *q,
                         const struct corpus *c, struct list *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		ptrdiff_t document = place(c, found[i].document);
		double worth;
		int term =
		    document < 0 ? -1 : query_find(q, found[i].hash, c->documents[document].language, &worth);

		if (term >= 0)
			ret[n++] = (struct list){ (size_t)term, (size_t)document, found[i].packed,
				                  found[i].size, worth };
	}
	return n;
}

int store_vocabularies(struct db *db, const char *owner, const struct corpus *c, struct query *q,
                       const bool *doubtful, struct stemmers *stemmers, size_t *found, struct arena *a,
                       struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	char **ids = arena_new(a, char *, c->count);

	for (size_t i = 0; i < c->count; i++)
		ids[i] = (char *)c->documents[i].id;
	*found = 0;
	if (db_exec(db, "vocabularies", DB_ARGS(owner, db_text_array(ids, c->count, a)), &res, err) < 0)
		return -1;
	for (int i = 0; i < PQntuples(res); i++) {
		ptrdiff_t document = place(c, db_text(res, i, "document_id"));

		if (document >= 0)
			*found += respell_look(q, doubtful, db_text(res, i, "words"),
			                       c->documents[document].language, stemmers);
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

int store_nearest_indexed(struct db *db, const struct scope *scope, const char *vector, int dimension,
                          int limit, const struct corpus *c, struct hit **ret, size_t *count, struct arena *a,
                          struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	const char *ids = scope->ids ? db_text_array(scope->ids, scope->count, a) : NULL;

	if (db_exec(db, "nearest_indexed", DB_ARGS(scope->owner, dimension, vector, limit, ids), &res, err) <
	    0)
		return -1;
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
			                   .heading = arena_strdup(a, db_text(res, i, "heading")),
			                   .page = (int)db_int(res, i, "page"),
			                   .first = db_int(res, i, "start"),
			                   .last = db_int(res, i, "stop"),
			                   .text = arena_strdup(a, text),
			                   .size = strlen(text) };
	}
	return 0;
}

int store_known_cosines(struct db *db, const char *owner, const char *model, const char *vector,
                        char **hashes, size_t count, double *cosines, size_t *missing, size_t *missing_count,
                        struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "known_cosines", DB_ARGS(owner, db_text_array(hashes, count, a), model, vector), &res,
	            err) < 0)
		return -1;
	*missing_count = 0;
	for (int row = 0; row < PQntuples(res); row++) {
		const char *cosine = db_text(res, row, "cosine");
		size_t place = (size_t)db_int(res, row, "place");

		cosines[place] = cosine ? strtod(cosine, NULL) : 0;
		if (!cosine)
			missing[(*missing_count)++] = place;
	}
	return 0;
}

int store_add_known(struct db *db, const char *owner, const char *model, char **hashes, char **vectors,
                    size_t count, struct arena *a, struct error *err)
{
	return db_exec(
	    db, "add_known",
	    DB_ARGS(owner, model, db_text_array(hashes, count, a), db_text_array(vectors, count, a)), NULL,
	    err);
}

int store_addresses(struct db *db, const char *owner, Documents__Source *const *sources, size_t count,
                    struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	char **ids = arena_new(a, char *, count), **pages = arena_new(a, char *, count);

	for (size_t i = 0; i < count; i++) {
		ids[i] = sources[i]->document_id;
		pages[i] = arena_printf(a, "%d", (int)sources[i]->page);
	}
	if (db_exec(db, "addresses",
	            DB_ARGS(owner, db_text_array(ids, count, a), db_text_array(pages, count, a)), &res,
	            err) < 0)
		return -1;
	for (int i = 0; i < PQntuples(res); i++)
		sources[db_int(res, i, "place") - 1]->url = arena_strdup(a, db_text(res, i, "address"));
	return 0;
}
