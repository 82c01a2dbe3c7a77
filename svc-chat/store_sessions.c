#include "svc-chat/store.h"

#define SESSION "SELECT id, chatbot_id, owner_id AS user_id, title, created_at, updated_at FROM session"

#define CHAT "SELECT number AS id, title, created_at, updated_at FROM session"

const struct db_stmt store_sessions_statements[] = {
	{ "create_session", "INSERT INTO session (owner_id, id, chatbot_id, title) VALUES ($1, $2, $3, $4)" },
	{ "rename_session",
	  "UPDATE session SET title = $3, updated_at = now() WHERE owner_id = $1 AND id = $2" },
	{ "get_session", SESSION " WHERE owner_id = $1 AND id = $2" },
	{ "list_sessions", SESSION
	  " WHERE owner_id = $1 AND NOT visitor AND kind = 'session' AND ($2::uuid IS NULL OR id < $2)"
	  " ORDER BY id DESC LIMIT $3" },
	{ "delete_session", "DELETE FROM session WHERE owner_id = $1 AND id = $2" },
	{ "create_chat", "INSERT INTO session (owner_id, id, kind, title) VALUES ($1, $2, $3, $4)" },
	{ "find_chat", "SELECT id FROM session WHERE owner_id = $1 AND number = $2 AND kind <> 'session'" },
	{ "get_chat", CHAT " WHERE owner_id = $1 AND id = $2" },
	{ "list_chats", CHAT " WHERE owner_id = $1 AND NOT visitor AND kind = $2 AND number < $3"
	                     " ORDER BY number DESC LIMIT $4" },
	{ "message_by_number",
	  "SELECT id FROM message WHERE owner_id = $1 AND session_id = $2 AND number = $3" },
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

int store_rename_session(struct db *db, const char *owner, const char *id, const char *title,
                         struct error *err)
{
	return db_changed(db, "rename_session", DB_ARGS(owner, id, title), err);
}

/* --- Chats ------------------------------------------------------------------------------------------------------------ */

int store_create_chat(struct db *db, const char *owner, const char *id, const char *kind, const char *title,
                      Chat__ChatSession *out, struct arena *a, struct error *err)
{
	if (db_exec(db, "create_chat", DB_ARGS(owner, id, kind, title), NULL, err) < 0)
		return -1;
	return store_get_chat(db, owner, id, out, a, err);
}

int store_get_chat(struct db *db, const char *owner, const char *id, Chat__ChatSession *out, struct arena *a,
                   struct error *err)
{
	return db_one(db, "get_chat", DB_ARGS(owner, id), &out->base, a, err);
}

static int find_id(struct db *db, const char *stmt, struct db_args args, const char **id, struct arena *a,
                   struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, stmt, args, &res, err);

	if (found > 0)
		*id = arena_strdup(a, db_text(res, 0, "id"));
	return found;
}

int store_find_chat(struct db *db, const char *owner, int64_t number, const char **id, struct arena *a,
                    struct error *err)
{
	return find_id(db, "find_chat", DB_ARGS(owner, number), id, a, err);
}

int store_list_chats(struct db *db, const char *owner, const char *kind, int64_t before, int limit,
                     Chat__ChatSessionList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list_chats", DB_ARGS(owner, kind, before ? before : INT64_MAX), limit,
	               STORE_SESSIONS, &out->base, a, err);
}

int store_message_by_number(struct db *db, const char *owner, const char *session, int64_t number,
                            const char **id, struct arena *a, struct error *err)
{
	return find_id(db, "message_by_number", DB_ARGS(owner, session, number), id, a, err);
}

int store_usage(struct db *db, const char *owner, int64_t *messages, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "usage", DB_ARGS(owner), &res, err) < 0)
		return -1;
	*messages = PQntuples(res) ? db_int(res, 0, "messages") : 0;
	return 0;
}
