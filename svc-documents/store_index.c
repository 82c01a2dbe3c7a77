#include "svc-documents/store_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-documents/ingest/embed.h"
#include "svc-documents/store.h"

enum { BATCH = 500 }; /* rows written by one statement */

const struct db_stmt store_index_statements[] = {
	{ "clear_content", "DELETE FROM content WHERE owner_id = $1 AND document_id = $2" },
	{ "clear_chunks", "DELETE FROM chunk WHERE owner_id = $1 AND document_id = $2" },
	{ "clear_postings", "DELETE FROM posting WHERE owner_id = $1 AND document_id = $2" },
	{ "clear_vectors", "DELETE FROM embedding WHERE owner_id = $1 AND document_id = $2" },
	{ "add_content", "INSERT INTO content (owner_id, document_id, text, page_starts, page_ends)"
	                 " VALUES ($1, $2, $3, $4, $5)" },
	{ "add_chunks",
	  "INSERT INTO chunk (owner_id, document_id, number, page, start, stop, heading, text)"
	  " SELECT $1, $2, number, nullif(page, 0), start, stop, nullif(heading, ''), text"
	  " FROM unnest($3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::text[], $8::text[])"
	  " AS t (number, page, start, stop, heading, text)" },
	{ "add_vectors",
	  "INSERT INTO embedding (owner_id, document_id, number, vector)"
	  " SELECT $1, $2, number, vector::halfvec FROM unnest($3::int[], $4::text[]) AS t (number, vector)" },
	{ "add_postings",
	  "INSERT INTO posting (owner_id, term, document_id, packed)"
	  " SELECT $1, term, $2, packed FROM unnest($3::bigint[], $4::bytea[]) AS t (term, packed)" },
	{ "lock_document", "SELECT chunks FROM document WHERE owner_id = $1 AND id = $2 FOR UPDATE" },
	{ "ready",
	  "UPDATE document SET status = 'ready', progress = 1, error = NULL, pages = $3, chunks = $4, terms = $5,"
	  " model = $6, name = CASE WHEN name = left(metadata->>'url', 200) AND $7 <> '' THEN left($7, 200) ELSE name END,"
	  " metadata = coalesce($8::json, metadata), size = CASE WHEN $9::bigint < 0 THEN size ELSE $9 END,"
	  " updated_at = now() WHERE owner_id = $1 AND id = $2" },
	{ "set_model", "UPDATE document SET model = $3 WHERE owner_id = $1 AND id = $2" },
	{ "notify", "SELECT pg_notify('" STORE_CHANNEL "', $1)" },
	{ "chunk_texts",
	  "SELECT coalesce(heading || E'\\n', '') || substr(text, 1, (stop - start)::int) AS text FROM chunk"
	  " WHERE owner_id = $1 AND document_id = $2 ORDER BY number" },

	{ "text_size", "SELECT octet_length(c.text) AS bytes, length(c.text) AS characters FROM document d"
	               " LEFT JOIN content c ON c.owner_id = d.owner_id AND c.document_id = d.id"
	               " WHERE d.owner_id = $1 AND d.id = $2" },
	{ "text",
	  "SELECT substr(text, $3::int + 1, $4::int - $3::int) AS text, page_starts, page_ends FROM content"
	  " WHERE owner_id = $1 AND document_id = $2" },
	{ 0 },
};

/* --- Writing ---------------------------------------------------------------------------------------------------- */

/* "{1,2,3}" from the numbers that a function gives. */
static const char *numbers(size_t from, size_t to, int64_t (*one)(const struct prepared *, size_t),
                           const struct prepared *p, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = from; i < to; i++)
		text_addf(&t, "%c%" PRId64, i == from ? '{' : ',', one(p, i));
	text_adds(&t, to > from ? "}" : "{}");
	return t.at;
}

static int64_t number_of(const struct prepared *p, size_t i)
{
	(void)p;
	return (int64_t)i;
}
static int64_t page_of(const struct prepared *p, size_t i)
{
	return p->chunks[i].page;
}
static int64_t start_of(const struct prepared *p, size_t i)
{
	return p->chunks[i].first;
}
static int64_t stop_of(const struct prepared *p, size_t i)
{
	return p->chunks[i].last;
}
static int64_t term_of(const struct prepared *p, size_t i)
{
	return (int64_t)p->index.lists[i].term;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int add_chunks(struct db *db, const char *owner, const char *id, const struct prepared *p, size_t from,
                      size_t to, struct arena *a, struct error *err)
{
	char **headings = arena_new(a, char *, to - from), **texts = arena_new(a, char *, to - from);

	for (size_t i = from; i < to; i++) {
		const struct chunk *c = &p->chunks[i];
		size_t stop =
		    i + 1 < p->count && p->chunks[i + 1].start > c->end ? p->chunks[i + 1].start : c->end;

		headings[i - from] = arena_strdup(a, c->heading ? c->heading : "");
		texts[i - from] = arena_strndup(a, p->clean.text + c->start, stop - c->start);
	}
	return db_exec(db, "add_chunks",
	               DB_ARGS(owner, id, numbers(from, to, number_of, p, a),
	                       numbers(from, to, page_of, p, a), numbers(from, to, start_of, p, a),
	                       numbers(from, to, stop_of, p, a), db_text_array(headings, to - from, a),
	                       db_text_array(texts, to - from, a)),
	               NULL, err);
}

static int add_vectors(struct db *db, const char *owner, const char *id, const float *vectors, int dimension,
                       size_t from, size_t to, struct arena *a, struct error *err)
{
	char **values = arena_new(a, char *, to - from);

	for (size_t i = from; i < to; i++)
		values[i - from] = embed_print(vectors + i * (size_t)dimension, dimension, a);
	return db_exec(
	    db, "add_vectors",
	    DB_ARGS(owner, id, numbers(from, to, number_of, NULL, a), db_text_array(values, to - from, a)),
	    NULL, err);
}

static int add_postings(struct db *db, const char *owner, const char *id, const struct prepared *p,
                        size_t from, size_t to, struct arena *a, struct error *err)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = from; i < to; i++) {
		const struct index_list *l = &p->index.lists[i];

		text_adds(&t, i == from ? "{\"\\\\x" : ",\"\\\\x");
		for (size_t k = 0; k < l->size; k++) {
			static const char digits[] = "0123456789abcdef";

			text_addc(&t, digits[l->packed[k] >> 4]);
			text_addc(&t, digits[l->packed[k] & 15]);
		}
		text_addc(&t, '"');
	}
	text_addc(&t, '}');
	return db_exec(db, "add_postings",
	               DB_ARGS(owner, id, numbers(from, to, term_of, p, a), (const char *)t.at), NULL, err);
}

/* What is needed for one statement is given back after it. */
static int in_batches(struct db *db, const char *owner, const char *id, const struct prepared *p,
                      struct error *err)
{
	struct arena a;
	int rc = 0;

	arena_init(&a, 0);
	for (size_t i = 0; i < p->count && rc == 0; i += BATCH) {
		size_t to = least(i + BATCH, p->count);

		rc = add_chunks(db, owner, id, p, i, to, &a, err);
		if (rc == 0)
			rc = add_vectors(db, owner, id, p->vectors, p->dimension, i, to, &a, err);
		arena_reset(&a);
	}
	for (size_t i = 0; i < p->index.count && rc == 0; i += BATCH * 4) {
		rc = add_postings(db, owner, id, p, i, least(i + (size_t)BATCH * 4, p->index.count), &a, err);
		arena_reset(&a);
	}
	arena_done(&a);
	return rc;
}

/* Characters where the pages start and end. */
static void print_pages(const struct clean *c, const char **starts, const char **ends, struct arena *a)
{
	struct text s, e;
	size_t byte = 0;
	int64_t at = 0;

	text_init(&s, a);
	text_init(&e, a);
	for (size_t i = 0; i < c->page_count; i++) {
		const struct page *p = &c->pages[i];

		at += (int64_t)utf8_length(c->text + byte, p->start - byte);
		text_addf(&s, "%c%" PRId64, i ? ',' : '{', at);
		at += (int64_t)utf8_length(c->text + p->start, p->end - p->start);
		text_addf(&e, "%c%" PRId64, i ? ',' : '{', at);
		byte = p->end;
	}
	text_adds(&s, c->page_count ? "}" : "{}");
	text_adds(&e, c->page_count ? "}" : "{}");
	*starts = s.at;
	*ends = e.at;
}

static int clear(struct db *db, const char *owner, const char *id, struct error *err)
{
	if (db_exec(db, "clear_content", DB_ARGS(owner, id), NULL, err) < 0 ||
	    db_exec(db, "clear_postings", DB_ARGS(owner, id), NULL, err) < 0)
		return -1;
	return db_exec(db, "clear_chunks", DB_ARGS(owner, id), NULL, err);
}

/* Takes the row for the rest of the transaction: 1, 0 when it is gone, -1. */
static int lock(struct db *db, const char *owner, const char *id, int64_t *chunks, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "lock_document", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		*chunks = db_int(res, 0, "chunks");
	return found;
}

int store_prepared(struct db *db, const char *owner, const char *id, const struct prepared *p,
                   struct arena *a, struct error *err)
{
	const char *starts, *ends, *pages = NULL;
	int64_t before;
	int found = lock(db, owner, id, &before, err);

	if (found <= 0)
		return found;
	print_pages(&p->clean, &starts, &ends, a);
	if (p->clean.page_count)
		pages = arena_printf(a, "%zu", p->clean.page_count);
	if (clear(db, owner, id, err) < 0 ||
	    db_exec(db, "add_content", DB_ARGS(owner, id, p->clean.text, starts, ends), NULL, err) < 0 ||
	    in_batches(db, owner, id, p, err) < 0)
		return -1;
	if (db_exec(db, "ready",
	            DB_ARGS(owner, id, pages, (int64_t)p->count, p->index.terms, p->model,
	                    p->title ? p->title : "", p->metadata, p->size),
	            NULL, err) < 0)
		return -1;
	return db_exec(db, "notify", DB_ARGS(id), NULL, err) < 0 ? -1 : 1;
}

int store_vectors(struct db *db, const char *owner, const char *id, const float *vectors, size_t count,
                  int dimension, const char *model, struct arena *a, struct error *err)
{
	int64_t chunks;
	int found = lock(db, owner, id, &chunks, err);

	if (found <= 0 || chunks != (int64_t)count)
		return found < 0 ? -1 : 0;
	if (db_exec(db, "clear_vectors", DB_ARGS(owner, id), NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i += BATCH)
		if (add_vectors(db, owner, id, vectors, dimension, i, least(i + BATCH, count), a, err) < 0)
			return -1;
	return db_exec(db, "set_model", DB_ARGS(owner, id, model), NULL, err) < 0 ? -1 : 1;
}

int store_chunk_texts(struct db *db, const char *owner, const char *id, char ***ret, size_t *count,
                      struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "chunk_texts", DB_ARGS(owner, id), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, char *, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = arena_strdup(a, db_text(res, (int)i, "text"));
	return 0;
}

/* --- The text --------------------------------------------------------------------------------------------------- */

int store_text_size(struct db *db, const char *owner, const char *id, int64_t *bytes, int64_t *characters,
                    struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "text_size", DB_ARGS(owner, id), &res, err);

	if (found <= 0)
		return found;
	*bytes = db_text(res, 0, "bytes") ? db_int(res, 0, "bytes") : -1;
	*characters = db_int(res, 0, "characters");
	return 1;
}

/* "{1,2,3}" */
static size_t read_numbers(const char *text, int64_t **ret, struct arena *a)
{
	size_t n = 0, room = strlen(text) / 2 + 1;

	*ret = arena_new(a, int64_t, room);
	for (const char *s = text + 1; *s && *s != '}' && n < room; s++) {
		char *end;

		(*ret)[n++] = strtoll(s, &end, 10);
		s = *end == ',' ? end : end - 1;
	}
	return n;
}

int store_text(struct db *db, const char *owner, const char *id, int64_t start, int64_t end,
               Documents__Text *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "text", DB_ARGS(owner, id, start, end), &res, err);
	int64_t *starts, *ends;
	size_t n, m;

	if (found <= 0)
		return found;
	out->text = arena_strdup(a, db_text(res, 0, "text"));
	n = read_numbers(db_text(res, 0, "page_starts"), &starts, a);
	m = read_numbers(db_text(res, 0, "page_ends"), &ends, a);
	out->pages = arena_new(a, Documents__Page *, n);
	for (size_t i = 0; i < n && i < m; i++) {
		Documents__Page *p = arena_new(a, Documents__Page, 1);

		documents__page__init(p);
		p->has_number = p->has_start = p->has_end = 1;
		p->number = (int32_t)i + 1;
		p->start = starts[i];
		p->end = ends[i];
		out->pages[out->n_pages++] = p;
	}
	return 1;
}
