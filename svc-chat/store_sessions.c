#include "svc-chat/store.h"

#define SESSION "SELECT id, chatbot_id, owner_id AS user_id, title, created_at, updated_at FROM session"

const struct db_stmt store_sessions_statements[] = {
	{ "create_session", "INSERT INTO session (owner_id, id, chatbot_id, title) VALUES ($1, $2, $3, $4)" },
	{ "get_session", SESSION " WHERE owner_id = $1 AND id = $2" },
	{ "list_sessions", SESSION " WHERE owner_id = $1 AND NOT visitor AND ($2::uuid IS NULL OR id < $2)"
	                           " ORDER BY id DESC LIMIT $3" },
	{ "delete_session", "DELETE FROM session WHERE owner_id = $1 AND id = $2" },
	{ "usage", "SELECT messages FROM usage WHERE owner_id = $1" },
	{ NULL, NULL },
};

int store_create_session(struct db *db, const char *owner, const char *id, const char *chatbot,
                         const char *title, struct error *err)
{
	if (db_exec(db, "create_session", DB_ARGS(owner, id, chatbot, title), NULL, err) == 0)
		return 0;
	if (db_failed_with(err, DB_FOREIGN, "session_chatbot")) {
		error_clear(err);
		return error_set(err, ERROR_NOT_FOUND, "no such chatbot");
	}
	return -1;
}

int store_get_session(struct db *db, const char *owner, const char *id, Chat__SessionDetails *out,
                      struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "get_session", DB_ARGS(owner, id), &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	return db_row(res, 0, &out->base, a, err) < 0 ? -1 : 1;
}

int store_list_sessions(struct db *db, const char *owner, const char *cursor, int limit,
                        Chat__SessionList *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	/* One more than asked for tells whether anything follows. */
	if (db_exec(db, "list_sessions", DB_ARGS(owner, cursor, limit + 1), &res, err) < 0)
		return -1;
	if (db_rows(res, &chat__session__descriptor, &out->n_sessions, &out->sessions, a, err) < 0)
		return -1;
	if (out->n_sessions > (size_t)limit) {
		out->n_sessions = (size_t)limit;
		out->next = out->sessions[limit - 1]->id;
	}
	return 0;
}

int store_delete_session(struct db *db, const char *owner, const char *id, struct error *err)
{
	int64_t rows;

	if (db_change(db, "delete_session", DB_ARGS(owner, id), &rows, err) < 0)
		return -1;
	return rows > 0;
}

int store_usage(struct db *db, const char *owner, int64_t *messages, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "usage", DB_ARGS(owner), &res, err) < 0)
		return -1;
	*messages = PQntuples(res) ? db_int(res, 0, "messages") : 0;
	return 0;
}
