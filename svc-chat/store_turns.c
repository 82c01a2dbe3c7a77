/* Answers: from the turn that begins one to the events that are kept of it. */
#include <string.h>

#include "svc-chat/store.h"

#define ANSWER                                                                                       \
	"SELECT a.id AS message_id, a.stream, a.status, a.error, a.request_hash,"                    \
	" (SELECT q.id FROM message q WHERE q.owner_id = a.owner_id AND q.session_id = a.session_id" \
	" AND q.number < a.number ORDER BY q.number DESC LIMIT 1) AS question_id,"                   \
	" EXISTS (SELECT FROM stream_log l WHERE l.owner_id = a.owner_id AND l.message_id = a.id"    \
	" AND l.expires_at > now()) AS has_log"                                                      \
	" FROM message a WHERE a.role = 'assistant' AND a.owner_id = $1"

#define LEASE "now() + interval '10 seconds'"
_Static_assert(STORE_LEASE_SECONDS == 10, "LEASE says how many seconds");

const struct db_stmt store_turns_statements[] = {
	{ "find_turn", ANSWER " AND a.session_id = $2 AND a.id = $3" },
	{ "latest_turn", ANSWER " AND a.session_id = $2 ORDER BY a.number DESC LIMIT 1" },
	{ "turn_by_key", ANSWER " AND a.session_id = $2 AND a.key = $3" },
	{ "turn_by_stream", ANSWER " AND ($2::uuid IS NULL OR a.session_id = $2) AND a.stream = $3" },

	{ "lock_session", "SELECT id FROM session WHERE owner_id = $1 AND id = $2 FOR UPDATE" },
	{ "add_question", "INSERT INTO message (owner_id, session_id, id, role, content, created_at)"
	                  " VALUES ($1, $2, $3, 'user', $4, $5)" },
	{ "add_answer",
	  "INSERT INTO message (owner_id, session_id, id, role, status, created_at, stream, key, request_hash,"
	  " lease_until) VALUES ($1, $2, $3, 'assistant', 'generating', $4, $5, $6, $7, " LEASE ")" },
	{ "touch_session", "UPDATE session SET updated_at = now(), title = coalesce(title, $3)"
	                   " WHERE owner_id = $1 AND id = $2" },
	{ "count_messages", "INSERT INTO usage (owner_id, messages) VALUES ($1, $2)"
	                    " ON CONFLICT (owner_id) DO UPDATE SET messages = usage.messages + $2" },
	{ "abandon_turn", "DELETE FROM message WHERE owner_id = $1 AND session_id = $2 AND id IN ($3, $4)" },
	{ "renew",
	  "UPDATE message SET lease_until = " LEASE ", content = coalesce($3, content),"
	  " reasoning = coalesce($4, reasoning), sources = CASE WHEN $3 IS NULL THEN sources ELSE $5 END"
	  " WHERE owner_id = $1 AND id = $2 AND status = 'generating' RETURNING stop" },
	{ "finish", "UPDATE message SET status = $3, content = $4, reasoning = $5, sources = $6, error = $7,"
	            " model = $8, prompt_tokens = $9, completion_tokens = $10, lease_until = NULL"
	            " WHERE owner_id = $1 AND id = $2 AND status = 'generating'" },
	{ "keep_events",
	  "INSERT INTO stream_log (owner_id, message_id, events, expires_at)"
	  " VALUES ($1, $2, $3, now() + interval '10 minutes') ON CONFLICT (owner_id, message_id)"
	  " DO UPDATE SET events = excluded.events, expires_at = excluded.expires_at" },
	{ "rename_stream", "UPDATE message SET stream = $3 WHERE owner_id = $1 AND id = $2" },
	{ "load_events", "SELECT events FROM stream_log"
	                 " WHERE owner_id = $1 AND message_id = $2 AND expires_at > now()" },
	{ "stop",
	  "WITH told AS (UPDATE message SET stop = true WHERE owner_id = $1 AND session_id = $2 AND id = $3"
	  " AND status = 'generating' RETURNING id)"
	  " SELECT pg_notify('" STORE_STOP_CHANNEL "', id::text) FROM told" },

	/* Of any owner: after replicas that died. */
	{ "close_orphans",
	  "UPDATE message SET status = CASE WHEN stop THEN 'stopped' ELSE 'interrupted' END, lease_until = NULL,"
	  " error = CASE WHEN stop THEN NULL ELSE 'the answer was interrupted; this is what there was' END"
	  " WHERE status = 'generating' AND lease_until < now()"
	  /* after a restart of the database the living come first */
	  " AND pg_postmaster_start_time() < now() - make_interval(secs => $1)" },
	{ "sweep_events", "DELETE FROM stream_log WHERE expires_at < now()" },
	{ "sweep_keys", "UPDATE message SET key = NULL, request_hash = NULL"
	                " WHERE key IS NOT NULL AND created_at < now() - interval '1 day'" },
	{ NULL, NULL },
};

static int find(struct db *db, const char *stmt, struct db_args args, struct store_turn *ret, struct arena *a,
                struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, stmt, args, &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*ret = (struct store_turn){
		.question_id = arena_strdup(a, db_text(res, 0, "question_id")),
		.message_id = arena_strdup(a, db_text(res, 0, "message_id")),
		.stream = arena_strdup(a, db_text(res, 0, "stream")),
		.status = arena_strdup(a, db_text(res, 0, "status")),
		.error = arena_strdup(a, db_text(res, 0, "error")),
		.request_hash = arena_strdup(a, db_text(res, 0, "request_hash")),
		.has_log = *db_text(res, 0, "has_log") == 't',
	};
	return 1;
}

int store_find_turn(struct db *db, const char *owner, const char *session, const char *message_id,
                    struct store_turn *ret, struct arena *a, struct error *err)
{
	return find(db, "find_turn", DB_ARGS(owner, session, message_id), ret, a, err);
}

int store_latest_turn(struct db *db, const char *owner, const char *session, struct store_turn *ret,
                      struct arena *a, struct error *err)
{
	return find(db, "latest_turn", DB_ARGS(owner, session), ret, a, err);
}

int store_turn_by_key(struct db *db, const char *owner, const char *session, const char *key,
                      struct store_turn *ret, struct arena *a, struct error *err)
{
	return find(db, "turn_by_key", DB_ARGS(owner, session, key), ret, a, err);
}

int store_turn_by_stream(struct db *db, const char *owner, const char *session, const char *stream,
                         struct store_turn *ret, struct arena *a, struct error *err)
{
	return find(db, "turn_by_stream", DB_ARGS(owner, session, stream), ret, a, err);
}

int store_lock_session(struct db *db, const char *owner, const char *session, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "lock_session", DB_ARGS(owner, session), &res, err) < 0)
		return -1;
	return PQntuples(res) > 0;
}

int store_begin_turn(struct db *db, const struct store_new_turn *t, struct error *err)
{
	if (db_exec(db, "add_question",
	            DB_ARGS(t->owner, t->session, t->question_id, t->content, t->created_at), NULL, err) < 0)
		return -1;
	if (db_exec(db, "add_answer",
	            DB_ARGS(t->owner, t->session, t->message_id, t->created_at, t->stream, t->key,
	                    t->request_hash),
	            NULL, err) < 0) {
		if (!db_failed_with(err, DB_UNIQUE, "message_generating"))
			return -1;
		error_clear(err);
		return error_set(err, ERROR_CONFLICT, "an answer is being written in this session");
	}
	if (db_exec(db, "touch_session", DB_ARGS(t->owner, t->session, t->title), NULL, err) < 0)
		return -1;
	return db_exec(db, "count_messages", DB_ARGS(t->owner, 1), NULL, err);
}

int store_abandon_turn(struct db *db, const struct store_new_turn *t, struct error *err)
{
	if (db_begin(db, err) < 0)
		return -1;
	if (db_exec(db, "abandon_turn", DB_ARGS(t->owner, t->session, t->question_id, t->message_id), NULL,
	            err) < 0 ||
	    db_exec(db, "count_messages", DB_ARGS(t->owner, -1), NULL, err) < 0 || db_commit(db, err) < 0) {
		db_rollback(db);
		return -1;
	}
	return 0;
}

int store_renew(struct db *db, const char *owner, const char *message_id, const struct store_progress *p,
                bool *stop, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "renew", DB_ARGS(owner, message_id, p->content, p->reasoning, p->sources), &res,
	            err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*stop = *db_text(res, 0, "stop") == 't';
	return 1;
}

static int finish(struct db *db, const char *owner, const Chat__Message *m, ProtobufCBinaryData events,
                  struct arena *a, struct error *err)
{
	ProtobufCBinaryData sources = store_pack_sources(m->sources, m->n_sources, a);
	int64_t rows;

	if (db_change(db, "finish",
	              DB_ARGS(owner, m->id, store_status_name(m->status), m->content, m->reasoning, sources,
	                      m->error, m->model, m->usage->prompt_tokens, m->usage->completion_tokens),
	              &rows, err) < 0)
		return -1;
	if (!rows)
		return 0;
	if (db_exec(db, "keep_events", DB_ARGS(owner, m->id, events), NULL, err) < 0 ||
	    db_exec(db, "touch_session", DB_ARGS(owner, m->session_id, (const char *)NULL), NULL, err) < 0 ||
	    db_commit(db, err) < 0)
		return -1;
	return 1;
}

int store_finish(struct db *db, const char *owner, const Chat__Message *message, ProtobufCBinaryData events,
                 struct arena *a, struct error *err)
{
	int done;

	if (db_begin(db, err) < 0)
		return -1;
	done = finish(db, owner, message, events, a, err);
	if (done < 1)
		db_rollback(db);
	return done;
}

int store_retell(struct db *db, const char *owner, const char *message_id, const char *stream,
                 ProtobufCBinaryData events, struct error *err)
{
	if (db_begin(db, err) < 0)
		return -1;
	if (db_exec(db, "rename_stream", DB_ARGS(owner, message_id, stream), NULL, err) < 0 ||
	    db_exec(db, "keep_events", DB_ARGS(owner, message_id, events), NULL, err) < 0 ||
	    db_commit(db, err) < 0) {
		db_rollback(db);
		return -1;
	}
	return 0;
}

int store_load_events(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData *ret,
                      struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "load_events", DB_ARGS(owner, message_id), &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*ret = db_bytes(res, 0, "events", a);
	return 1;
}

int store_stop(struct db *db, const char *owner, const char *session, const char *message_id,
               struct error *err)
{
	int64_t rows;

	if (db_change(db, "stop", DB_ARGS(owner, session, message_id), &rows, err) < 0)
		return -1;
	return rows > 0;
}

/* --- After dead replicas -------------------------------------------------------------------------------------------- */

int store_close_orphans(struct db *db, int grace_seconds, int64_t *closed, struct error *err)
{
	return db_change(db, "close_orphans", DB_ARGS(grace_seconds), closed, err);
}

int store_sweep(struct db *db, int64_t *streams, struct error *err)
{
	if (db_change(db, "sweep_events", DB_ARGS(), streams, err) < 0)
		return -1;
	return db_exec(db, "sweep_keys", DB_ARGS(), NULL, err);
}
