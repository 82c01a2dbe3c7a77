#include "svc-chat/store.h"

#define SESSION                                                                                                            \
	"SELECT id, chatbot_id, owner_id AS user_id, title, created_at, updated_at, visitor_name, visitor_email, contact," \
	" handover FROM session"

#define CHAT "SELECT number AS id, title, created_at, updated_at FROM session"

/* The beginning of the first of $3 days, of which today is the last. */
#define SINCE \
	"(date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => $3 - 1)) AT TIME ZONE 'UTC'"

const struct db_stmt store_sessions_statements[] = {
	{ "create_session", "INSERT INTO session (owner_id, id, chatbot_id, title) VALUES ($1, $2, $3, $4)" },
	/* Of a visitor whom the site has named. */
	{ "add_known_visitor",
	  "INSERT INTO session (owner_id, id, chatbot_id, visitor, visitor_origin, expires_at, visitor_name, visitor_email)"
	  " VALUES ($1, $2, $3, true, $4, $5, $6, $7)" },
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
	{ "list_conversations", SESSION " WHERE owner_id = $1 AND chatbot_id = $2 AND visitor"
	                                " AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4" },
	{ "is_conversation",
	  "SELECT id FROM session WHERE owner_id = $1 AND chatbot_id = $2 AND id = $3 AND visitor" },
	{ "figures", "SELECT to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,"
	             " count(DISTINCT m.session_id) AS conversations, count(*) AS messages,"
	             " count(*) FILTER (WHERE m.feedback = 'up') AS thumbs_up,"
	             " count(*) FILTER (WHERE m.feedback = 'down') AS thumbs_down,"
	             " count(*) FILTER (WHERE m.rag_status = 'empty' OR m.status = 'failed') AS unanswered"
	             " FROM message m JOIN session s ON s.owner_id = $1 AND s.id = m.session_id"
	             " WHERE m.owner_id = $1 AND s.chatbot_id = $2 AND m.role = 'assistant' AND m.shown"
	             " AND m.created_at >= " SINCE " GROUP BY 1 ORDER BY 1" },
	{ "unanswered",
	  "SELECT q.content FROM message a JOIN session s ON s.owner_id = $1 AND s.id = a.session_id"
	  " JOIN message q ON q.owner_id = $1 AND q.id = a.question_id"
	  " WHERE a.owner_id = $1 AND s.chatbot_id = $2 AND a.role = 'assistant' AND a.shown"
	  " AND (a.rag_status = 'empty' OR a.status = 'failed')"
	  " AND a.created_at >= " SINCE " ORDER BY a.created_at DESC LIMIT 100" },
	{ "forget",
	  "DELETE FROM session WHERE owner_id = $1 AND id IN (SELECT id FROM session WHERE owner_id = $1"
	  " AND chatbot_id = $2 AND updated_at < now() - make_interval(days => $3) ORDER BY id LIMIT $4)" },
	{ "usage",
	  "SELECT coalesce((SELECT messages FROM usage WHERE owner_id = $1), 0)"
	  " + coalesce((SELECT sum(messages) FROM asked_part WHERE owner_id = $1), 0)::bigint AS messages" },
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

int store_add_known_visitor(struct db *db, const char *owner, const char *session, const char *chatbot,
                            const char *origin, const char *expires_at, const struct visitor *visitor,
                            struct error *err)
{
	return db_exec(db, "add_known_visitor",
	               DB_ARGS(owner, session, chatbot, origin, expires_at, visitor->name, visitor->email),
	               NULL, err);
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

/* --- Of visitors ------------------------------------------------------------------------------------------------------ */

int store_list_conversations(struct db *db, const char *owner, const char *chatbot, const char *cursor,
                             int limit, Chat__SessionList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list_conversations", DB_ARGS(owner, chatbot, cursor), limit, STORE_SESSIONS,
	               &out->base, a, err);
}

int store_is_conversation(struct db *db, const char *owner, const char *chatbot, const char *session,
                          struct error *err)
{
	return db_changed(db, "is_conversation", DB_ARGS(owner, chatbot, session), err);
}

int store_figures(struct db *db, const char *owner, const char *chatbot, int days, Chat__Analytics *out,
                  struct arena *a, struct error *err)
{
	struct db_step steps[] = { { "figures", DB_ARGS(owner, chatbot, days) },
		                   { "unanswered", DB_ARGS(owner, chatbot, days) } };
	int done;

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	done = db_rows(steps[0].res, &chat__day_figures__descriptor, &out->n_days, &out->days, a, err);
	out->n_unanswered_questions = (size_t)PQntuples(steps[1].res);
	out->unanswered_questions = arena_new(a, char *, out->n_unanswered_questions);
	for (size_t i = 0; i < out->n_unanswered_questions; i++)
		out->unanswered_questions[i] = arena_strdup(a, db_text(steps[1].res, (int)i, "content"));
	db_steps_done(steps, 2);
	return done;
}

int store_usage(struct db *db, const char *owner, int64_t *messages, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "usage", DB_ARGS(owner), &res, err) < 0)
		return -1;
	*messages = db_int(res, 0, "messages");
	return 0;
}

int store_forget(struct db *db, const char *owner, const char *chatbot, int days, int most, int64_t *gone,
                 struct error *err)
{
	return db_change(db, "forget", DB_ARGS(owner, chatbot, days, most), gone, err);
}
