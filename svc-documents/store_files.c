#include "svc-documents/store_files.h"

#include <stdio.h>
#include <string.h>

#include "common/base/id.h"

const struct db_stmt store_files_statements[] = {
	{ "put_piece", "INSERT INTO piece (owner_id, file_id, number, data) VALUES ($1, $2, $3, $4)"
	               " ON CONFLICT (owner_id, file_id, number) DO UPDATE SET data = EXCLUDED.data" },
	{ "file", "SELECT count(*) AS pieces, coalesce(sum(length(data)), 0) AS bytes,"
	          " coalesce(max(number) + 1 = count(*), true) AS whole"
	          " FROM piece WHERE owner_id = $1 AND file_id = $2" },
	{ "get_piece", "SELECT data FROM piece WHERE owner_id = $1 AND file_id = $2 AND number = $3" },
	/* Not while a document has it, be it another's at first; one that has another's instead of its own does not. */
	{ "drop_file", "DELETE FROM piece WHERE owner_id = $1 AND file_id = $2 AND NOT EXISTS"
	               " (SELECT FROM document WHERE owner_id = $1 AND original = $2) AND NOT EXISTS"
	               " (SELECT FROM document WHERE owner_id = $1 AND file_id = $2 AND original IS NULL)" },
	{ "sweep",
	  "DELETE FROM piece p WHERE created_at < now() - interval '1 hour' AND NOT EXISTS"
	  " (SELECT FROM document d WHERE d.owner_id = p.owner_id AND d.file_id = p.file_id) AND NOT EXISTS"
	  " (SELECT FROM document d WHERE d.owner_id = p.owner_id AND d.original = p.file_id)" },
	{ "s3_begin", "INSERT INTO s3_file (owner_id, file_id, parts) VALUES ($1, $2, $3)"
	              " ON CONFLICT (owner_id, file_id) DO NOTHING" },
	{ "s3_moved", "UPDATE s3_file SET moved = true WHERE owner_id = $1 AND file_id = $2" },
	{ "drop_moved", "DELETE FROM piece WHERE owner_id = $1 AND file_id = $2" },
	{ "s3_find", "SELECT parts FROM s3_file WHERE owner_id = $1 AND file_id = $2 AND moved" },
	{ "s3_moving",
	  "SELECT 1 FROM job WHERE kind = 'move' AND owner_id = $1 AND key = $2 AND failed IS NULL" },
	{ "s3_sweep", "UPDATE s3_file SET moved = false WHERE owner_id = $1 AND file_id = $2" },
	{ "s3_drop", "DELETE FROM s3_file WHERE owner_id = $1 AND file_id = $2" },
	{ "s3_orphans",
	  "SELECT owner_id, file_id AS file, parts FROM s3_file s WHERE NOT EXISTS"
	  " (SELECT FROM document d WHERE d.owner_id = s.owner_id AND d.file_id = s.file_id) AND NOT EXISTS"
	  " (SELECT FROM document d WHERE d.owner_id = s.owner_id AND d.original = s.file_id) LIMIT $1" },
	{ "s3_unmoved", "SELECT d.owner_id, d.file_id AS file, 0 AS parts FROM document d JOIN piece p"
	                " ON p.owner_id = d.owner_id AND p.file_id = d.file_id AND p.number = 0"
	                " WHERE d.status IN ('ready', 'failed') LIMIT $1" },
	/* Owners with lists of words whom nothing counts: their account is gone. A replica of before that spreads small documents
	 * counts nothing for an owner who has parts alone. Owner by owner, from one index entry to the next: all postings would be many, and a recursive query is none for a
	 * sharded table. */
	{ "next_poster",
	  "SELECT owner_id, EXISTS (SELECT 1 FROM corpus c WHERE c.owner_id = posting.owner_id)"
	  " OR EXISTS (SELECT 1 FROM corpus_part c WHERE c.owner_id = posting.owner_id) AS known"
	  " FROM posting WHERE owner_id > $1 ORDER BY owner_id LIMIT 1" },
	{ "sweep_known", "DELETE FROM known_question WHERE created_at < now() - interval '30 days'" },
	{ "drop_postings", "DELETE FROM posting WHERE owner_id = $1" },
	{ 0 },
};

int store_put_piece(struct db *db, const char *owner, const char *file, int number, ProtobufCBinaryData data,
                    struct error *err)
{
	struct db_step steps[] = {
		{ "lightly", DB_ARGS(), NULL },
		{ "put_piece", DB_ARGS(owner, file, number, data), NULL },
	};
	int rc;

	if (db->held) /* all that its caller does beside would be light, too */
		return db_exec(db, "put_piece", steps[1].args, NULL, err);
	rc = db_together(db, steps, 2, err); /* on disk with the document that it is of */
	db_steps_done(steps, 2);
	return rc;
}

int store_file(struct db *db, const char *owner, const char *file, struct file_summary *ret,
               struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "file", DB_ARGS(owner, file), &res, err) < 0)
		return -1;
	*ret = (struct file_summary){ db_int(res, 0, "pieces"), db_int(res, 0, "bytes"),
		                      *db_text(res, 0, "whole") == 't' };
	return 0;
}

int store_get_piece(struct db *db, const char *owner, const char *file, int number, ProtobufCBinaryData *ret,
                    struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_piece", DB_ARGS(owner, file, number), &res, err);

	if (found > 0)
		*ret = db_bytes(res, 0, "data", a);
	return found;
}

int store_drop_file(struct db *db, const char *owner, const char *file, struct error *err)
{
	return db_exec(db, "drop_file", DB_ARGS(owner, file), NULL, err);
}

/* Postings have no key to their owner, which would cost an upload dearly: those of deleted accounts are found here. */
static int drop_orphans(struct db *db, struct error *err)
{
	char owner[UUID_TEXT] = "00000000-0000-0000-0000-000000000000";
	int found;

	do {
		OWN(pgresult) PGresult *res = NULL;

		found = db_find(db, "next_poster", DB_ARGS(owner), &res, err);
		if (found <= 0)
			break;
		snprintf(owner, sizeof owner, "%s", db_text(res, 0, "owner_id"));
		if (!strcmp(db_text(res, 0, "known"), "f") &&
		    db_exec(db, "drop_postings", DB_ARGS(owner), NULL, err) < 0)
			return -1;
	} while (found > 0);
	return found;
}

int store_sweep(struct db *db, int64_t *pieces, struct error *err)
{
	if (db_change(db, "sweep", DB_ARGS(), pieces, err) < 0 ||
	    db_exec(db, "sweep_known", DB_ARGS(), NULL, err) < 0)
		return -1;
	return drop_orphans(db, err);
}

int store_s3_begin(struct db *db, const char *owner, const char *file, int parts, struct error *err)
{
	return db_exec(db, "s3_begin", DB_ARGS(owner, file, parts), NULL, err);
}

int store_s3_moved(struct db *db, const char *owner, const char *file, int parts, struct error *err)
{
	int moved = db_changed(db, "s3_moved", DB_ARGS(owner, file), err);

	if (moved == 0)
		return store_s3_begin(db, owner, file, parts, err) < 0 ? -1 : 0;
	return moved < 0 || db_exec(db, "drop_moved", DB_ARGS(owner, file), NULL, err) < 0 ? -1 : 1;
}

int store_s3_find(struct db *db, const char *owner, const char *file, int *parts, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "s3_find", DB_ARGS(owner, file), &res, err);

	if (found > 0)
		*parts = (int)db_int(res, 0, "parts");
	return found;
}

int store_s3_moving(struct db *db, const char *owner, const char *file, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	return db_find(db, "s3_moving", DB_ARGS(owner, file), &res, err);
}

int store_s3_sweep(struct db *db, const char *owner, const char *file, struct error *err)
{
	return db_exec(db, "s3_sweep", DB_ARGS(owner, file), NULL, err);
}

int store_s3_drop(struct db *db, const char *owner, const char *file, struct error *err)
{
	return db_exec(db, "s3_drop", DB_ARGS(owner, file), NULL, err);
}

static int s3_list(struct db *db, const char *stmt, int limit, struct s3_file **ret, size_t *count,
                   struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, stmt, DB_ARGS(limit), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct s3_file, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct s3_file){ arena_strdup(a, db_text(res, (int)i, "owner_id")),
			                      arena_strdup(a, db_text(res, (int)i, "file")),
			                      (int)db_int(res, (int)i, "parts") };
	return 0;
}

int store_s3_orphans(struct db *db, int limit, struct s3_file **ret, size_t *count, struct arena *a,
                     struct error *err)
{
	return s3_list(db, "s3_orphans", limit, ret, count, a, err);
}

int store_s3_unmoved(struct db *db, int limit, struct s3_file **ret, size_t *count, struct arena *a,
                     struct error *err)
{
	return s3_list(db, "s3_unmoved", limit, ret, count, a, err);
}
