/* Turns as those find them who follow their streams, and what is kept of these. */
#include "svc-chat/store.h"

#define TURN                                                                                       \
	"SELECT a.id AS message_id, a.stream, a.status, a.error, a.request_hash, a.question_id,"   \
	" coalesce((SELECT l.last FROM stream_log l WHERE l.owner_id = $1 AND l.message_id = a.id" \
	" AND l.expires_at > now()), a.last_event) AS last"                                        \
	" FROM message a WHERE a.role = 'assistant' AND a.owner_id = $1"

const struct db_stmt store_follow_statements[] = {
	{ "find_turn", TURN " AND a.session_id = $2 AND a.id = $3" },
	{ "latest_turn", TURN " AND a.session_id = $2 AND a.shown ORDER BY a.number DESC LIMIT 1" },
	{ "turn_by_key", TURN " AND a.session_id = $2 AND a.key = $3" },
	{ "turn_by_stream", TURN " AND ($2::uuid IS NULL OR a.session_id = $2) AND a.stream = $3" },

	{ "keep_events",
	  "INSERT INTO stream_log (owner_id, message_id, events, last, expires_at)"
	  " VALUES ($1, $2, $3, $4, now() + interval '10 minutes') ON CONFLICT (owner_id, message_id)"
	  " DO UPDATE SET events = excluded.events, last = excluded.last, expires_at = excluded.expires_at" },
	{ "rename_stream", "UPDATE message SET stream = $3 WHERE owner_id = $1 AND id = $2" },
	{ "load_events", "SELECT events FROM stream_log"
	                 " WHERE owner_id = $1 AND message_id = $2 AND expires_at > now()" },
	{ "load_cuts", "SELECT cuts, session_id FROM message"
	               " WHERE owner_id = $1 AND id = $2 AND last_event IS NOT NULL" },
	{ NULL, NULL },
};

int store_read_turn(const PGresult *res, struct store_turn *ret, struct arena *a)
{
	if (PQntuples(res) == 0)
		return 0;
	*ret = (struct store_turn){
		.question_id = arena_strdup(a, db_text(res, 0, "question_id")),
		.message_id = arena_strdup(a, db_text(res, 0, "message_id")),
		.stream = arena_strdup(a, db_text(res, 0, "stream")),
		.status = arena_strdup(a, db_text(res, 0, "status")),
		.error = arena_strdup(a, db_text(res, 0, "error")),
		.request_hash = arena_strdup(a, db_text(res, 0, "request_hash")),
		.last = db_int(res, 0, "last"),
	};
	return 1;
}

static int find(struct db *db, const char *stmt, struct db_args args, struct store_turn *ret, struct arena *a,
                struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, stmt, args, &res, err) < 0)
		return -1;
	return store_read_turn(res, ret, a);
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

int store_turn_by_stream(struct db *db, const char *owner, const char *session, const char *stream,
                         struct store_turn *ret, struct arena *a, struct error *err)
{
	return find(db, "turn_by_stream", DB_ARGS(owner, session, stream), ret, a, err);
}

/* --- The log of a stream ----------------------------------------------------------------------------------------------- */

int store_retell(struct db *db, const char *owner, const char *message_id, const char *stream,
                 ProtobufCBinaryData events, int64_t last, struct error *err)
{
	struct db_step steps[] = {
		{ "rename_stream", DB_ARGS(owner, message_id, stream) },
		{ "keep_events", DB_ARGS(owner, message_id, events, last) },
	};

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	db_steps_done(steps, 2);
	return 0;
}

int store_keep_events(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData events,
                      int64_t last, struct error *err)
{
	return db_exec(db, "keep_events", DB_ARGS(owner, message_id, events, last), NULL, err);
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

int store_load_cuts(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData *ret,
                    const char **session, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "load_cuts", DB_ARGS(owner, message_id), &res, err);

	if (found > 0) {
		*ret = db_bytes(res, 0, "cuts", a);
		*session = arena_strdup(a, db_text(res, 0, "session_id"));
	}
	return found;
}
