#include "svc-chat/store.h"

#include <string.h>

#include "common/envelope.h"
#include "documents.pb-c.h"

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

#define SESSION "SELECT id, chatbot_id, owner_id AS user_id, title, created_at, updated_at FROM session"

#define MESSAGE                                                                                             \
	"SELECT number, id, session_id, role, status, content, reasoning, sources, error, model, feedback," \
	" prompt_tokens, completion_tokens, " TIME("created_at") " AS created_at"

/* Bytes of a message in a reply, roughly. */
#define SIZE                                                            \
	"(octet_length(content) + coalesce(octet_length(reasoning), 0)" \
	" + coalesce(octet_length(sources), 0) + 200)"

#define ANSWER                                                                                       \
	"SELECT a.id AS message_id, a.stream, a.status, a.error, a.request_hash,"                    \
	" (SELECT q.id FROM message q WHERE q.owner_id = a.owner_id AND q.session_id = a.session_id" \
	" AND q.number < a.number ORDER BY q.number DESC LIMIT 1) AS question_id,"                   \
	" EXISTS (SELECT FROM stream_log l WHERE l.owner_id = a.owner_id AND l.message_id = a.id"    \
	" AND l.expires_at > now()) AS has_log"                                                      \
	" FROM message a WHERE a.role = 'assistant' AND a.owner_id = $1"

#define LEASE "now() + interval '10 seconds'"
_Static_assert(STORE_LEASE_SECONDS == 10, "LEASE says how many seconds");

const struct db_stmt store_statements[] = {
	{ "create_session", "INSERT INTO session (owner_id, id, chatbot_id, title) VALUES ($1, $2, $3, $4)" },
	{ "get_session", SESSION " WHERE owner_id = $1 AND id = $2" },
	{ "list_sessions",
	  SESSION " WHERE owner_id = $1 AND visitor_hash IS NULL AND ($2::uuid IS NULL OR id < $2)"
	          " ORDER BY id DESC LIMIT $3" },
	{ "delete_session", "DELETE FROM session WHERE owner_id = $1 AND id = $2" },
	{ "session_chatbot", "SELECT chatbot_id FROM session WHERE owner_id = $1 AND id = $2" },
	{ "usage", "SELECT messages FROM usage WHERE owner_id = $1" },

	{ "messages",
	  "SELECT * FROM (" MESSAGE ", lead(true) OVER w AS more, sum(" SIZE ") OVER w - " SIZE " AS before"
	  " FROM message WHERE owner_id = $1 AND session_id = $2 AND number > $3 AND number < $4"
	  " WINDOW w AS (ORDER BY number) ORDER BY number LIMIT $5) page WHERE before < $6 ORDER BY number" },
	{ "page_start", "SELECT number, more FROM (SELECT number, lead(true) OVER w AS more, sum(" SIZE
	                ") OVER w - " SIZE " AS before"
	                " FROM message WHERE owner_id = $1 AND session_id = $2 AND number < $3"
	                " WINDOW w AS (ORDER BY number DESC) ORDER BY number DESC LIMIT $4) page"
	                " WHERE before < $5 ORDER BY number LIMIT 1" },
	{ "get_message", MESSAGE " FROM message WHERE owner_id = $1 AND session_id = $2 AND id = $3" },
	{ "history", "SELECT role, content FROM (SELECT number, role, content,"
	             " sum(length(content)) OVER (ORDER BY number DESC) AS characters FROM message"
	             " WHERE owner_id = $1 AND session_id = $2 AND status NOT IN ('generating', 'failed')"
	             " AND number < (SELECT number FROM message WHERE owner_id = $1 AND id = $3)"
	             " ORDER BY number DESC LIMIT 200) turns WHERE characters <= $4 ORDER BY number" },

	{ "find_answer", ANSWER " AND a.session_id = $2 AND a.id = $3" },
	{ "latest_answer", ANSWER " AND a.session_id = $2 ORDER BY a.number DESC LIMIT 1" },
	{ "answer_by_key", ANSWER " AND a.session_id = $2 AND a.key = $3" },
	{ "answer_by_stream", ANSWER " AND ($2::uuid IS NULL OR a.session_id = $2) AND a.stream = $3" },

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

/* --- Sessions ------------------------------------------------------------------------------------------------------ */

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

int store_session_chatbot(struct db *db, const char *owner, const char *session, const char **chatbot,
                          struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "session_chatbot", DB_ARGS(owner, session), &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*chatbot = arena_strdup(a, db_text(res, 0, "chatbot_id"));
	return 1;
}

int store_usage(struct db *db, const char *owner, int64_t *messages, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "usage", DB_ARGS(owner), &res, err) < 0)
		return -1;
	*messages = PQntuples(res) ? db_int(res, 0, "messages") : 0;
	return 0;
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

ProtobufCBinaryData store_pack_sources(Documents__Source **sources, size_t n, struct arena *a)
{
	Documents__SearchReply list = DOCUMENTS__SEARCH_REPLY__INIT;
	ProtobufCBinaryData packed;

	list.results = sources;
	list.n_results = n;
	packed.len = documents__search_reply__get_packed_size(&list);
	packed.data = arena_alloc(a, packed.len + 1);
	documents__search_reply__pack(&list, packed.data);
	return packed;
}

static int read_sources(const PGresult *res, int row, Chat__Message *out, struct arena *a, struct error *err)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCBinaryData packed = db_bytes(res, row, "sources", a);
	Documents__SearchReply *list = documents__search_reply__unpack(&allocator, packed.len, packed.data);

	if (!list)
		return error_internal(err, "the sources of message %s cannot be read", out->id);
	out->sources = list->results;
	out->n_sources = list->n_results;
	return 0;
}

static char *text_of(const PGresult *res, int row, const char *column, struct arena *a)
{
	return arena_strdup(a, db_text(res, row, column));
}

static const char *const status_names[] = { "complete", "generating", "stopped", "interrupted", "failed" };

const char *store_status_name(Chat__MessageStatus status)
{
	return status_names[status];
}

/* By hand, since a message holds messages. */
static int read_message(const PGresult *res, int row, Chat__Message *out, struct arena *a, struct error *err)
{
	const char *status = db_text(res, row, "status");

	out->status = CHAT__MESSAGE_STATUS__COMPLETE;
	while (strcmp(status_names[out->status], status) != 0) /* the column is checked to be one of them */
		out->status++;
	out->has_status = true;
	out->id = text_of(res, row, "id", a);
	out->session_id = text_of(res, row, "session_id", a);
	out->role = text_of(res, row, "role", a);
	out->content = text_of(res, row, "content", a);
	out->reasoning = text_of(res, row, "reasoning", a);
	out->error = text_of(res, row, "error", a);
	out->model = text_of(res, row, "model", a);
	out->feedback = text_of(res, row, "feedback", a);
	out->created_at = text_of(res, row, "created_at", a);
	if (db_text(res, row, "completion_tokens")) {
		out->usage = arena_new(a, Chat__TokenUsage, 1);
		chat__token_usage__init(out->usage);
		out->usage->has_prompt_tokens = out->usage->has_completion_tokens = true;
		out->usage->prompt_tokens = db_int(res, row, "prompt_tokens");
		out->usage->completion_tokens = db_int(res, row, "completion_tokens");
	}
	return read_sources(res, row, out, a, err);
}

int store_messages(struct db *db, const char *owner, const char *session, int64_t after, int64_t before,
                   int limit, size_t *n, Chat__Message ***ret, int64_t *last, bool *more, struct arena *a,
                   struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int count;

	if (db_exec(db, "messages", DB_ARGS(owner, session, after, before, limit, STORE_BYTES), &res, err) <
	    0)
		return -1;
	count = PQntuples(res);
	*ret = arena_new(a, Chat__Message *, (size_t)count);
	*n = (size_t)count;
	*last = count ? db_int(res, count - 1, "number") : after;
	*more = count && db_text(res, count - 1, "more");
	for (int row = 0; row < count; row++) {
		(*ret)[row] = arena_new(a, Chat__Message, 1);
		chat__message__init((*ret)[row]);
		if (read_message(res, row, (*ret)[row], a, err) < 0)
			return -1;
	}
	return 0;
}

int store_page_start(struct db *db, const char *owner, const char *session, int64_t before, int limit,
                     int64_t max_bytes, int64_t *first, bool *more, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "page_start",
	            DB_ARGS(owner, session, before, limit, max_bytes ? max_bytes : INT64_MAX), &res, err) < 0)
		return -1;
	*first = PQntuples(res) ? db_int(res, 0, "number") : 0;
	*more = PQntuples(res) && db_text(res, 0, "more");
	return 0;
}

int store_get_message(struct db *db, const char *owner, const char *session, const char *id,
                      Chat__Message *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "get_message", DB_ARGS(owner, session, id), &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	return read_message(res, 0, out, a, err) < 0 ? -1 : 1;
}

int store_history(struct db *db, const char *owner, const char *session, const char *before_message,
                  int64_t characters, size_t *n, struct chat_message **ret, struct arena *a,
                  struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "history", DB_ARGS(owner, session, before_message, characters), &res, err) < 0)
		return -1;
	*n = (size_t)PQntuples(res);
	*ret = arena_new(a, struct chat_message, *n);
	for (size_t i = 0; i < *n; i++) {
		(*ret)[i].role = text_of(res, (int)i, "role", a);
		(*ret)[i].content = text_of(res, (int)i, "content", a);
	}
	return 0;
}

/* --- Answers ------------------------------------------------------------------------------------------------------- */

static int find(struct db *db, const char *stmt, struct db_args args, struct store_answer *ret,
                struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, stmt, args, &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*ret = (struct store_answer){
		.question_id = text_of(res, 0, "question_id", a),
		.message_id = text_of(res, 0, "message_id", a),
		.stream = text_of(res, 0, "stream", a),
		.status = text_of(res, 0, "status", a),
		.error = text_of(res, 0, "error", a),
		.request_hash = text_of(res, 0, "request_hash", a),
		.has_log = *db_text(res, 0, "has_log") == 't',
	};
	return 1;
}

int store_find_answer(struct db *db, const char *owner, const char *session, const char *message_id,
                      struct store_answer *ret, struct arena *a, struct error *err)
{
	return find(db, "find_answer", DB_ARGS(owner, session, message_id), ret, a, err);
}

int store_latest_answer(struct db *db, const char *owner, const char *session, struct store_answer *ret,
                        struct arena *a, struct error *err)
{
	return find(db, "latest_answer", DB_ARGS(owner, session), ret, a, err);
}

int store_answer_by_key(struct db *db, const char *owner, const char *session, const char *key,
                        struct store_answer *ret, struct arena *a, struct error *err)
{
	return find(db, "answer_by_key", DB_ARGS(owner, session, key), ret, a, err);
}

int store_answer_by_stream(struct db *db, const char *owner, const char *session, const char *stream,
                           struct store_answer *ret, struct arena *a, struct error *err)
{
	return find(db, "answer_by_stream", DB_ARGS(owner, session, stream), ret, a, err);
}

int store_lock_session(struct db *db, const char *owner, const char *session, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "lock_session", DB_ARGS(owner, session), &res, err) < 0)
		return -1;
	return PQntuples(res) > 0;
}

int store_begin_turn(struct db *db, const struct store_turn *t, struct error *err)
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

int store_abandon_turn(struct db *db, const struct store_turn *t, struct error *err)
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
