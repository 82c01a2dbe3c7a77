#include "svc-documents/store_index.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-documents/ingest/parts.h"
#include "svc-documents/search/small.h"
#include "svc-documents/store.h"
#include "svc-documents/store_columns.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_text.h"

enum { BATCH = 500 /* rows written by one statement */ };

/* Written in the caller's transaction, so that a reader sees the old or the new, never a mixture. */
const struct db_stmt store_index_statements[] = {
	{ "clear_content", "DELETE FROM content WHERE owner_id = $1 AND document_id = $2" },
	{ "clear_text", "DELETE FROM piece_of_text WHERE owner_id = $1 AND document_id = $2" },
	{ "clear_chunks", "DELETE FROM chunk WHERE owner_id = $1 AND document_id = $2" },
	{ "clear_postings", "DELETE FROM posting WHERE owner_id = $1 AND document_id = $2"
	                    " AND uuid_hash(document_id) = uuid_hash($2)" },
	{ "clear_vocabulary", "DELETE FROM vocabulary WHERE owner_id = $1 AND document_id = $2" },
	{ "add_content",
	  "INSERT INTO content (owner_id, document_id, page_starts, page_ends, characters, bytes)"
	  " VALUES ($1, $2, $3, $4, $5, $6)" },
	/* The same with all of the text, when that is one row. */
	{ "add_whole",
	  "WITH t AS (INSERT INTO piece_of_text (owner_id, document_id, number, text) VALUES ($1, $2, 0, $7))"
	  " INSERT INTO content (owner_id, document_id, page_starts, page_ends, characters, bytes)"
	  " VALUES ($1, $2, $3, $4, $5, $6)" },
	{ "add_text",
	  "INSERT INTO piece_of_text (owner_id, document_id, number, text) VALUES ($1, $2, $3, $4)" },
	{ "add_vocabulary", "INSERT INTO vocabulary (owner_id, document_id, words) VALUES ($1, $2, $3)" },
	{ "add_chunks",
	  "INSERT INTO chunk (owner_id, document_id, number, page, start, stop, heading, text)"
	  " SELECT $1, $2, number, nullif(page, 0), start, stop, nullif(heading, ''), text"
	  " FROM unnest($3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::text[], $8::text[])"
	  " AS t (number, page, start, stop, heading, text)" },
	{ "add_postings",
	  "INSERT INTO posting (owner_id, term, document_id, packed)"
	  " SELECT $1, term, $2, packed FROM unnest($3::bigint[], $4::bytea[]) AS t (term, packed)" },
	{ "lock_document", "SELECT coalesce(chunks, 0) AS chunks, terms, generation, small FROM document"
	                   " WHERE owner_id = $1 AND id = $2 FOR UPDATE" },
	{ "lock_claimed",
	  "SELECT coalesce(chunks, 0) AS chunks, terms, generation, small FROM document"
	  " WHERE owner_id = $1 AND id = $2 AND job_number = $3 AND job_attempt = $4 FOR UPDATE" },
	{ "ready",
	  "UPDATE document SET status = 'ready', progress = 1, step = NULL, error = NULL, pages = $3, chunks = $4, terms = $5,"
	  " model = NULL, name = CASE WHEN name = left(metadata->>'url', 200) AND $6 <> '' THEN left($6, 200) ELSE name END,"
	  " metadata = coalesce($7::json, metadata), size = CASE WHEN $8::bigint < 0 THEN size ELSE $8 END,"
	  " language = $9, terms_version = $10, small = $11, generation = generation + 1, updated_at = now()"
	  " WHERE owner_id = $1 AND id = $2" },
	{ "indexed_anew", "UPDATE document SET terms = $3, language = $4, terms_version = $5, small = $6,"
	                  " generation = generation + 1 WHERE owner_id = $1 AND id = $2" },
	/* Last in its transaction: all of an owner's wait for this row. */
	{ "count_corpus",
	  "INSERT INTO corpus (owner_id, documents, chunks, terms, small, version) VALUES ($1, $2, $3, $4, $5, 1)"
	  " ON CONFLICT (owner_id) DO UPDATE SET documents = corpus.documents + EXCLUDED.documents,"
	  " chunks = corpus.chunks + EXCLUDED.chunks, terms = corpus.terms + EXCLUDED.terms,"
	  " small = corpus.small + EXCLUDED.small, version = corpus.version + 1" },
	/* The same of one that is ready at once: each thread has a row of its own, for which nobody waits. */
	{ "count_part",
	  "INSERT INTO corpus_part (owner_id, part, documents, chunks, terms, small) VALUES ($1, $2, 1, $3, $4, 1)"
	  " ON CONFLICT (owner_id, part) DO UPDATE SET documents = corpus_part.documents + 1,"
	  " chunks = corpus_part.chunks + EXCLUDED.chunks, terms = corpus_part.terms + EXCLUDED.terms,"
	  " small = corpus_part.small + 1 RETURNING small" },
	{ "chunk_words",
	  "SELECT heading, substr(text, 1, (stop - start)::int) AS text FROM chunk"
	  " WHERE owner_id = $1 AND document_id = $2 AND number >= $3 ORDER BY number LIMIT $4" },
	{ 0 },
};

/* --- Writing ---------------------------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int add_chunks(struct db *db, const char *owner, const char *id, const struct prepared *p, size_t from,
                      size_t to, struct arena *a, struct error *err)
{
	struct chunk_columns c;

	columns_of_chunks(p, from, to, &c, a);
	return db_exec(db, "add_chunks",
	               DB_ARGS(owner, id, c.numbers, c.pages, c.starts, c.stops, c.headings, c.texts), NULL,
	               err);
}

static int add_postings(struct db *db, const char *owner, const char *id, const struct index *x, size_t from,
                        size_t to, struct arena *a, struct error *err)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = from; i < to; i++) {
		text_addc(&t, i == from ? '{' : ',');
		index_print(&t, &x->lists[i]);
	}
	text_addc(&t, '}');
	return db_exec(db, "add_postings",
	               DB_ARGS(owner, id, columns_of_terms(x, from, to, a), (const char *)t.at), NULL, err);
}

/* The text, in rows of so many characters. */
static int add_text(struct db *db, const char *owner, const char *id, const struct clean *c,
                    struct error *err)
{
	const char *at = c->text, *end = at + c->size;
	size_t rested = 0;
	struct arena a;
	int rc = 0;

	arena_init(&a, 0);
	for (int number = 0; at < end && rc == 0; number++) {
		const char *stop = utf8_skip(at, end, STORE_TEXT_ROW);

		rc = db_exec(
		    db, "add_text",
		    DB_ARGS(owner, id, number, (const char *)arena_strndup(&a, at, (size_t)(stop - at))),
		    NULL, err);
		at = stop;
		clean_rest(c, &rested, (size_t)(at - c->text));
		arena_reset(&a);
	}
	arena_done(&a);
	return rc;
}

static int add_all_postings(struct db *db, const char *owner, const char *id, const struct index *x,
                            struct error *err)
{
	struct arena a;
	int rc = 0;

	arena_init(&a, 0);
	for (size_t i = 0; i < x->count && rc == 0; i += BATCH * 4) {
		rc = add_postings(db, owner, id, x, i, least(i + (size_t)BATCH * 4, x->count), &a, err);
		arena_reset(&a);
	}
	arena_done(&a);
	return rc < 0 || !*x->vocabulary
	           ? rc
	           : db_exec(db, "add_vocabulary", DB_ARGS(owner, id, x->vocabulary), NULL, err);
}

/* All lists of a document that has none. */
static int add_words(struct db *db, const char *owner, const char *id, const struct index *x, bool *small,
                     struct error *err)
{
	ProtobufCBinaryData block;
	struct arena a;
	int rc;

	arena_init(&a, 0);
	*small = *small && small_pack(x, &block, &a);
	rc = *small ? store_add_small(db, owner, id, x->vocabulary, block, err)
	            : add_all_postings(db, owner, id, x, err);
	arena_done(&a);
	return rc;
}

/* What was begun is waited for, also when something has failed already (rc). */
static int add_parts(struct db *db, const char *owner, const char *id, const struct prepared *p,
                     struct part parts[2], int rc, int64_t *terms, struct error *err)
{
	int begun = 1;

	for (int i = 0; i < begun; i++) {
		struct part *part = &parts[i % 2];

		part_wait(part);
		if (rc == 0 && begun < p->parts)
			part_start(&parts[begun++ % 2], p, i + 1);
		*terms = part->index.terms;
		if (rc == 0)
			rc = add_all_postings(db, owner, id, &part->index, err);
		part_drop(part);
	}
	return rc;
}

/* What is needed for one statement is given back after it. */
static int add_all_chunks(struct db *db, const char *owner, const char *id, const struct prepared *p,
                          struct error *err)
{
	size_t rested = 0;
	struct arena a;
	int rc = 0;

	arena_init(&a, 0);
	for (size_t i = 0; i < p->count && rc == 0; i += BATCH) {
		rc = add_chunks(db, owner, id, p, i, least(i + BATCH, p->count), &a, err);
		clean_rest(&p->clean, &rested, p->chunks[i].start);
		arena_reset(&a);
	}
	arena_done(&a);
	return rc;
}

static int clear(struct db *db, const char *owner, const char *id, const char *const *statements,
                 struct error *err)
{
	for (; *statements; statements++)
		if (db_exec(db, *statements, DB_ARGS(owner, id), NULL, err) < 0)
			return -1;
	return 0;
}

/* The document's row, taken for the rest of the transaction. */
struct locked {
	int64_t chunks, terms, generation;
	bool small;
};
static int lock(struct db *db, const char *stmt, struct db_args args, struct locked *ret, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, stmt, args, &res, err);

	if (found > 0)
		*ret = (struct locked){ db_int(res, 0, "chunks"), db_int(res, 0, "terms"),
			                db_int(res, 0, "generation"), *db_text(res, 0, "small") == 't' };
	return found;
}

/* The owner's figures, as they change by this document. *of_owner: how many small ones there are now. */
static int count(struct db *db, const char *owner, const struct locked *before, const struct locked *now,
                 int64_t *of_owner, struct error *err)
{
	int64_t documents = (now->chunks > 0) - (before->chunks > 0);

	if (db_exec(db, "count_corpus",
	            DB_ARGS(owner, documents, now->chunks - before->chunks, now->terms - before->terms,
	                    (int)now->small - (int)before->small),
	            NULL, err) < 0)
		return -1;
	return store_count_small(db, owner, of_owner, err);
}

/* Of those that have lists in rows of their own none becomes small (store_small.h). */
static bool may_be_small(const struct locked *before)
{
	return before->small || before->chunks == 0;
}

static int add_text_and_chunks(struct db *db, const char *owner, const char *id, const struct prepared *p,
                               struct arena *a, struct error *err)
{
	const char *starts, *ends;
	int64_t characters = columns_characters(p), bytes = (int64_t)p->clean.size;

	columns_of_pages(&p->clean, &starts, &ends, a);
	if (bytes && characters <= STORE_TEXT_ROW) {
		if (db_exec(db, "add_whole",
		            DB_ARGS(owner, id, starts, ends, characters, bytes, p->clean.text), NULL,
		            err) < 0)
			return -1;
	} else if (add_text(db, owner, id, &p->clean, err) < 0 ||
	           db_exec(db, "add_content", DB_ARGS(owner, id, starts, ends, characters, bytes), NULL,
	                   err) < 0) {
		return -1;
	}
	return add_all_chunks(db, owner, id, p, err);
}

/* now->small: whether it may be a small one, and then whether it is. */
static int add_all(struct db *db, const char *owner, const char *id, const struct prepared *p,
                   struct locked *now, struct arena *a, struct error *err)
{
	struct part parts[2];
	int rc;

	if (p->parts) {
		now->small = false;
		part_start(&parts[0], p, 0);
		rc = add_text_and_chunks(db, owner, id, p, a, err);
		return add_parts(db, owner, id, p, parts, rc, &now->terms, err);
	}
	now->terms = p->index.terms;
	if (add_text_and_chunks(db, owner, id, p, a, err) < 0)
		return -1;
	return add_words(db, owner, id, &p->index, &now->small, err);
}

int store_prepared(struct db *db, const char *owner, const char *id, const struct fence *f,
                   const struct prepared *p, int64_t *small, struct arena *a, struct error *err)
{
	static const char *const all[] = {
		"spare",         "clear_content",  "clear_text",       "clear_chunks",
		"clear_vectors", "clear_postings", "clear_vocabulary", NULL
	};
	const char *pages = p->clean.page_count ? arena_printf(a, "%zu", p->clean.page_count) : NULL;
	struct locked before, now = { .chunks = (int64_t)p->count };
	int found = lock(db, "lock_claimed", DB_ARGS(owner, id, f->number, f->attempt), &before, err);

	if (found <= 0)
		return found;
	if ((before.generation || before.chunks) && clear(db, owner, id, all, err) < 0)
		return -1;
	now.small = may_be_small(&before);
	if (add_all(db, owner, id, p, &now, a, err) < 0)
		return -1;
	if (db_exec(db, "ready",
	            DB_ARGS(owner, id, pages, now.chunks, now.terms, p->title ? p->title : "", p->metadata,
	                    p->size, language_name(p->language), (int)TERMS_VERSION, now.small),
	            NULL, err) < 0 ||
	    db_exec(db, "tell", DB_ARGS(id), NULL, err) < 0)
		return -1;
	return count(db, owner, &before, &now, small, err) < 0 ? -1 : 1;
}

int store_index(struct db *db, const char *owner, const char *id, const struct index *x,
                enum language language, struct error *err)
{
	static const char *const words[] = { "clear_postings", "clear_vocabulary", NULL };
	struct locked before, now = { .chunks = x->chunks, .terms = x->terms };
	int found = lock(db, "lock_document", DB_ARGS(owner, id), &before, err);
	int64_t small;

	if (found <= 0 || before.chunks != (int64_t)x->chunks)
		return found < 0 ? -1 : 0;
	now.small = may_be_small(&before);
	if (clear(db, owner, id, words, err) < 0 || add_words(db, owner, id, x, &now.small, err) < 0)
		return -1;
	if (db_exec(db, "indexed_anew",
	            DB_ARGS(owner, id, x->terms, language_name(language), (int)TERMS_VERSION, now.small),
	            NULL, err) < 0)
		return -1;
	return count(db, owner, &before, &now, &small, err) < 0 ? -1 : 1;
}

int store_index_again(struct db *db, const char *owner, const char *id, struct index_builder *b, size_t first,
                      int limit, size_t *read, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "chunk_words", DB_ARGS(owner, id, (int64_t)first, limit), &res, err) < 0)
		return -1;
	*read = (size_t)PQntuples(res);
	for (int i = 0; i < PQntuples(res); i++) {
		const char *text = db_text(res, i, "text");

		index_add(b, text, strlen(text), db_text(res, i, "heading"));
	}
	return 0;
}
