#include "svc-documents/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/db/quota.h"
#include "common/service/channels.h"
#include "svc-documents/store_files.h"

/* As the message wants it. */
#define COLUMNS                                                                                \
	"id, id AS document_id, name, coalesce(description, '') AS description, type, status," \
	" progress, error, size, pages, chunks, metadata, owner_id, created_at, updated_at, tags, step"
#define DOCUMENT "SELECT " COLUMNS " FROM document"

enum { AT_ONCE = 64 /* documents that one owner may be adding */ };

const struct db_stmt store_statements[] = {
	/* Only one that is older: so two of a kind never wait for each other. */
	{ "twin", "SELECT coalesce(original, file_id) AS file FROM document WHERE owner_id = $1 AND hash = $3"
	          " AND id < $2 AND file_id IS NOT NULL ORDER BY id LIMIT 1 FOR UPDATE" },
	{ "set_hash", "UPDATE document SET hash = $3 WHERE owner_id = $1 AND id = $2"
	              " AND job_number = $4 AND job_attempt = $5" },
	{ "share", "UPDATE document SET original = $3 WHERE owner_id = $1 AND id = $2 AND original IS NULL" },
	{ "create",
	  "INSERT INTO document (owner_id, id, name, description, type, status, error, size, file_id, metadata)"
	  " SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8::bigint, $9, coalesce($10::json, '{}')"
	  " FROM (SELECT count(*) AS documents, coalesce(sum(size), 0) AS bytes FROM document WHERE owner_id = $1) had"
	  " WHERE had.documents < $11 AND had.bytes + coalesce($8::bigint, 0) <= $12" },
	/* For store_whole.h: what is asked first, one that is ready at once, and its file, unless it is another's, too. */
	{ "same_file",
	  "SELECT id FROM document WHERE owner_id = $1 AND hash = $2 AND file_id IS NOT NULL LIMIT 1" },
	{ "hold", "SELECT 1 FROM document WHERE owner_id = $1 AND id = $2 FOR KEY SHARE" },
	{ "create_ready",
	  "INSERT INTO document (owner_id, id, name, description, type, status, progress, step, size, file_id, hash,"
	  " metadata, chunks, terms, language, terms_version, small, generation, original)"
	  " SELECT $1::uuid, $2, $3, $4, $5, 'ready', 1, $6, $7, $8, $9, coalesce($10::json, '{}'), $11, $12, $13, $14,"
	  " true, 1, twin.file[1] FROM (SELECT array_agg(coalesce(original, file_id)) AS file FROM document"
	  " WHERE owner_id = $1 AND id = $15) twin RETURNING " COLUMNS },
	{ "put_unshared",
	  "INSERT INTO piece (owner_id, file_id, number, data) SELECT $1::uuid, $2, 0, $3 FROM"
	  " (SELECT count(original) AS shared FROM document WHERE owner_id = $1 AND file_id = $2) d WHERE d.shared = 0" },
	{ "get", DOCUMENT " WHERE owner_id = $1 AND id = $2" },
	{ "list", DOCUMENT " WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2)"
	                   " AND ($3::text IS NULL OR $3 = ANY (tags)) ORDER BY id DESC LIMIT $4" },
	/* A search in memory knows the name. */
	{ "edit",
	  STORE_NOTED(
	      "UPDATE document SET name = coalesce($3, name), description = CASE WHEN $5 THEN NULL"
	      " ELSE coalesce($4, description) END, tags = coalesce($6::text[], tags), updated_at = now()"
	      " WHERE owner_id = $1 AND id = $2") },
	/* In one order, so that two who delete the same ones do not wait for each other. */
	{ "lock",
	  "SELECT id FROM document WHERE owner_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE" },
	{ "delete", "DELETE FROM document WHERE owner_id = $1 AND id = $2"
	            " RETURNING coalesce(original, file_id) AS file, coalesce(chunks, 0) AS chunks, terms,"
	            " small::int AS small" },
	{ "tell_chatbots", "SELECT pg_notify('" CHANNEL_CHATBOTS "', $1)" },
	{ "tell", "SELECT pg_notify('" STORE_CHANNEL "', $1)" },
	/* A commit that is on disk a moment later, at the latest with the next one that waits for it. */
	{ "lightly", "SELECT set_config('synchronous_commit', 'off', true)" },
	{ "usage", "SELECT count(*) AS documents, coalesce(sum(size), 0)::bigint AS bytes FROM document"
	           " WHERE owner_id = $1" },
	{ "source", "SELECT type, name, coalesce(original, file_id) AS file, hash IS NOT NULL AS hashed,"
	            " EXISTS (SELECT FROM site WHERE owner_id = $1 AND document_id = $2) AS site,"
	            " metadata->>'url' AS url, chunks IS NOT NULL AS indexed"
	            " FROM document WHERE owner_id = $1 AND id = $2" },
	{ "original", "SELECT name, type, size, coalesce(original, file_id) AS file, hash FROM document"
	              " WHERE owner_id = $1 AND id = $2" },
	{ "claim",
	  "UPDATE document SET status = 'processing', progress = 0.05, step = $5, error = NULL, updated_at = now(),"
	  " job_number = $3, job_attempt = $4 WHERE owner_id = $1 AND id = $2"
	  " AND (job_number < $3 OR job_number = $3 AND job_attempt <= $4)" },
	/* The same for who works on it unseen. */
	{ "claim_quietly",
	  "UPDATE document SET job_number = $3, job_attempt = $4 WHERE owner_id = $1 AND id = $2"
	  " AND (job_number < $3 OR job_number = $3 AND job_attempt <= $4)" },
	{ "progress", "UPDATE document SET progress = $5, step = $6, updated_at = now()"
	              " WHERE owner_id = $1 AND id = $2 AND job_number = $3 AND job_attempt = $4" },
	{ "step", "UPDATE document SET step = $3 WHERE owner_id = $1 AND id = $2" },
	{ "fail",
	  "UPDATE document SET status = 'failed', progress = 0, step = NULL, error = $5, updated_at = now()"
	  " WHERE owner_id = $1 AND id = $2 AND job_number = $3 AND job_attempt = $4" },
	{ "pending",
	  "UPDATE document SET status = 'pending', progress = 0, step = NULL, error = NULL, updated_at = now()"
	  " WHERE owner_id = $1 AND id = $2" },
	{ "get_progress",
	  "SELECT status, error, progress, step FROM document WHERE owner_id = $1 AND id = $2" },
	{ "of_other_models",
	  "SELECT owner_id, id FROM document WHERE chunks > 0 AND model IS DISTINCT FROM $1"
	  " ORDER BY id LIMIT $2" },
	{ "of_other_words",
	  "SELECT owner_id, id FROM document WHERE chunks > 0 AND terms_version < $1 ORDER BY id LIMIT $2" },
	{ 0 },
};

/* Why there was no room. */
static int no_room(struct db *db, const char *owner, const struct quota *quota, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "usage", DB_ARGS(owner), &res, err);

	if (found < 0)
		return -1;
	if (found && db_int(res, 0, "documents") >= quota->documents)
		return error_set(
		    err, ERROR_FORBIDDEN,
		    "you have %lld documents, as many as one user may have here: delete one first",
		    (long long)quota->documents);
	return error_set(
	    err, ERROR_TOO_LARGE,
	    "this is more than the %lld bytes that one user may keep here: delete documents first",
	    (long long)quota->bytes);
}

int store_create(struct db *db, const char *owner, const struct new_document *d, const struct quota *quota,
                 struct error *err)
{
	/* Who is far from its bounds need not come one at a time: so many are never under way at once. */
	int made =
	    db_changed(db, "create",
	               DB_ARGS(owner, d->id, d->name, d->description, d->type, d->status, d->error, d->size,
	                       d->file, d->metadata, quota->documents - AT_ONCE, quota->bytes / 4 * 3),
	               err);

	if (!made)
		made = quota_add(db, owner, "create",
		                 DB_ARGS(owner, d->id, d->name, d->description, d->type, d->status, d->error,
		                         d->size, d->file, d->metadata, quota->documents, quota->bytes),
		                 NULL, err);

	if (made)
		return made < 0 ? -1 : 0;
	return no_room(db, owner, quota, err);
}

int store_room(struct db *db, const char *owner, int64_t size, const struct quota *quota, int64_t *more,
               struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int64_t documents, bytes;

	if (db_exec(db, "usage", DB_ARGS(owner), &res, err) < 0)
		return -1;
	documents = quota->documents - AT_ONCE - db_int(res, 0, "documents");
	bytes = quota->bytes / 4 * 3 - db_int(res, 0, "bytes");
	if (documents <= 0 || size > bytes)
		return 0;
	*more = documents - 1;
	if (size && *more > bytes / size - 1)
		*more = bytes / size - 1;
	return 1;
}

int store_same_file(struct db *db, const char *owner, const char *hash, const char **ret, struct arena *a,
                    struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "same_file", DB_ARGS(owner, hash), &res, err);

	*ret = found > 0 ? arena_strdup(a, db_text(res, 0, "id")) : NULL;
	return found;
}

int store_get(struct db *db, const char *owner, const char *id, Documents__Document *out, struct arena *a,
              struct error *err)
{
	return db_one(db, "get", DB_ARGS(owner, id), &out->base, a, err);
}

int store_list(struct db *db, const char *owner, const char *cursor, const char *tag, int limit,
               Documents__DocumentList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list", DB_ARGS(owner, cursor, tag), limit, STORE_PAGE, &out->base, a, err);
}

int store_edit(struct db *db, const char *owner, const char *id, const struct edit *e, struct error *err)
{
	return db_changed(db, "edit", DB_ARGS(owner, id, e->name, e->description, e->no_description, e->tags),
	                  err);
}

int store_lock(struct db *db, const char *owner, const char *ids, char ***ret, size_t *count, struct arena *a,
               struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "lock", DB_ARGS(owner, ids), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, char *, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = arena_strdup(a, db_text(res, (int)i, "id"));
	return 0;
}

/* Those who wait for the document hear of a change, by a statement of its own: one on the rows of an owner may be run by a
 * machine where nobody listens. */
static int told(struct db *db, const char *id, int changed, struct error *err)
{
	return changed <= 0 ? changed : db_exec(db, "tell", DB_ARGS(id), NULL, err) < 0 ? -1 : 1;
}

int store_delete(struct db *db, const char *owner, const char *id, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "delete", DB_ARGS(owner, id), &res, err);

	if (found <= 0)
		return found;
	if (db_exec(db, "drop_file", DB_ARGS(owner, db_text(res, 0, "file")), NULL, err) < 0 ||
	    db_exec(db, "tell_chatbots", DB_ARGS(owner), NULL, err) < 0 ||
	    db_exec(db, "clear_postings", DB_ARGS(owner, id), NULL, err) < 0 ||
	    db_exec(db, "count_corpus",
	            DB_ARGS(owner, -(db_int(res, 0, "chunks") > 0), -db_int(res, 0, "chunks"),
	                    -db_int(res, 0, "terms"), -db_int(res, 0, "small")),
	            NULL, err) < 0)
		return -1;
	return told(db, id, 1, err);
}

int store_usage(struct db *db, const char *owner, Documents__Usage *out, struct arena *a, struct error *err)
{
	return db_one(db, "usage", DB_ARGS(owner), &out->base, a, err) < 0 ? -1 : 0;
}

int store_source(struct db *db, const char *owner, const char *id, struct source_file *ret, struct arena *a,
                 struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "source", DB_ARGS(owner, id), &res, err);

	if (found <= 0)
		return found;
	*ret = (struct source_file){ .type = arena_strdup(a, db_text(res, 0, "type")),
		                     .name = arena_strdup(a, db_text(res, 0, "name")),
		                     .file = arena_strdup(a, db_text(res, 0, "file")),
		                     .site = *db_text(res, 0, "site") == 't',
		                     .hashed = *db_text(res, 0, "hashed") == 't',
		                     .url = arena_strdup(a, db_text(res, 0, "url")),
		                     .indexed = *db_text(res, 0, "indexed") == 't' };
	return 1;
}

int store_original(struct db *db, const char *owner, const char *id, struct original *ret, struct arena *a,
                   struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "original", DB_ARGS(owner, id), &res, err);

	if (found <= 0)
		return found;
	*ret = (struct original){ .name = arena_strdup(a, db_text(res, 0, "name")),
		                  .type = arena_strdup(a, db_text(res, 0, "type")),
		                  .file = arena_strdup(a, db_text(res, 0, "file")),
		                  .hash = arena_strdup(a, db_text(res, 0, "hash")),
		                  .size = db_int(res, 0, "size") };
	return 1;
}

int store_claim(struct db *db, const char *owner, const char *id, const struct fence *f, const char *step,
                struct error *err)
{
	struct db_step steps[] = {
		{ "lightly", DB_ARGS(), NULL },
		{ "claim", DB_ARGS(owner, id, f->number, f->attempt, step), NULL },
		{ "tell", DB_ARGS(id), NULL },
	};
	int rc;

	if (!step)
		return db_changed(db, "claim_quietly", DB_ARGS(owner, id, f->number, f->attempt), err);
	rc = db_together(db, steps, 3, err);
	if (rc == 0)
		rc = db_affected(steps[1].res) > 0;
	db_steps_done(steps, 3);
	return rc;
}

int store_share(struct db *db, const char *owner, const char *id, const struct fence *f, const char *file,
                const char *hash, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_exec(db, "lightly", DB_ARGS(), NULL, err) < 0
	                ? -1
	                : db_changed(db, "set_hash", DB_ARGS(owner, id, hash, f->number, f->attempt), err);

	if (found > 0)
		found = db_find(db, "twin", DB_ARGS(owner, id, hash), &res, err);
	if (found > 0)
		found = db_changed(db, "share", DB_ARGS(owner, id, db_text(res, 0, "file")), err);
	if (found <= 0)
		return found;
	return store_drop_file(db, owner, file, err) < 0 ? -1 : 1;
}

int store_progress(struct db *db, const char *owner, const char *id, const struct fence *f, double progress,
                   const char *step, struct error *err)
{
	return told(
	    db, id,
	    db_changed(db, "progress", DB_ARGS(owner, id, f->number, f->attempt, progress, step), err), err);
}

int store_step(struct db *db, const char *owner, const char *id, const char *step, struct error *err)
{
	return db_exec(db, "step", DB_ARGS(owner, id, step), NULL, err);
}

int store_failed(struct db *db, const char *owner, const char *id, const struct fence *f, const char *why,
                 struct error *err)
{
	return told(db, id, db_changed(db, "fail", DB_ARGS(owner, id, f->number, f->attempt, why), err), err);
}

int store_pending(struct db *db, const char *owner, const char *id, struct error *err)
{
	return told(db, id, db_changed(db, "pending", DB_ARGS(owner, id), err), err);
}

int store_get_progress(struct db *db, const char *owner, const char *id, struct progress *ret,
                       struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_progress", DB_ARGS(owner, id), &res, err);

	if (found <= 0)
		return found;
	*ret = (struct progress){ arena_strdup(a, db_text(res, 0, "status")),
		                  arena_strdup(a, db_text(res, 0, "error")),
		                  strtod(db_text(res, 0, "progress"), NULL),
		                  arena_strdup(a, db_text(res, 0, "step")) };
	return 1;
}

static void read_keys(const PGresult *res, struct document_key **ret, size_t *count, struct arena *a)
{
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct document_key, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct document_key){ arena_strdup(a, db_text(res, (int)i, "owner_id")),
			                           arena_strdup(a, db_text(res, (int)i, "id")) };
}

int store_of_other_models(struct db *db, const char *model, int limit, struct document_key **ret,
                          size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "of_other_models", DB_ARGS(model, limit), &res, err) < 0)
		return -1;
	read_keys(res, ret, count, a);
	return 0;
}

int store_of_other_words(struct db *db, int version, int limit, struct document_key **ret, size_t *count,
                         struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "of_other_words", DB_ARGS(version, limit), &res, err) < 0)
		return -1;
	read_keys(res, ret, count, a);
	return 0;
}
