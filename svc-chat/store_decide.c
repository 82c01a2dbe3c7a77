#include "svc-chat/store_decide.h"

#include <string.h>

#include "svc-chat/store_sql.h"
#include "svc-chat/store_steps.h"

const struct db_stmt store_decide_statements[] = {
	{ "find_call",
	  "SELECT s.message_id, s.number, s.round, s.kind, s.state, s.content, s.detail, s.result FROM step s"
	  " WHERE s.owner_id = $1 AND s.call_id = $3 AND EXISTS (SELECT FROM message"
	  " WHERE owner_id = $1 AND session_id = $2 AND id = s.message_id)" },
	{ "decide", "UPDATE step SET state = $4, content = $5, detail = $6, result = $7"
	            " WHERE owner_id = $1 AND message_id = $2 AND call_id = $3 AND state = 'waiting'" },
	{ "answer",
	  "UPDATE step SET state = $5, content = $6, detail = $7 WHERE owner_id = $1 AND message_id = $2"
	  " AND call_id = $3 AND state = $4 AND detail = $8" },
	/* Held by nobody, it is taken over at once; where its holder dies, when the lease ends that the holder has. */
	{ "go_on",
	  "UPDATE message SET status = 'generating', lease_until = coalesce(lease_until, " STORE_LET_GO ")"
	  " WHERE owner_id = $1 AND session_id = $2 AND id = $3 AND status = 'waiting'"
	  " AND NOT EXISTS (SELECT FROM step WHERE owner_id = $1 AND message_id = $3 AND state = 'waiting')"
	  " RETURNING id" },
	{ "asked",
	  "SELECT s.message_id, s.number, s.round, s.kind, s.state, s.content, s.detail, s.result FROM step s"
	  " WHERE s.owner_id = $1 AND s.state IN ('waiting', 'running') AND s.message_id IN (SELECT id FROM message"
	  " WHERE owner_id = $1 AND session_id = $2 AND status IN ('waiting', 'generating'))" },

	{ "wait_for_sign_in",
	  "SELECT m.session_id, s.message_id, s.number, s.round, s.kind, s.state, s.content, s.detail, s.result"
	  " FROM step s JOIN message m ON m.owner_id = $1 AND m.id = s.message_id WHERE s.owner_id = $1"
	  " AND s.state = 'waiting' AND m.status IN ('waiting', 'generating') LIMIT 200" },

	{ "allow_in_session",
	  "INSERT INTO session_tool (owner_id, session_id, server_id, tool, digest) VALUES ($1, $2, $3, $4, $5)"
	  " ON CONFLICT (owner_id, session_id, server_id, tool) DO UPDATE SET digest = excluded.digest" },
	{ "allowed_in_session",
	  "SELECT server_id, tool, digest FROM session_tool WHERE owner_id = $1 AND session_id = $2" },
	{ NULL, NULL },
};

int store_find_call(struct db *db, const char *owner, const char *session, const char *id,
                    const char **message_id, struct tool_step *ret, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "find_call", DB_ARGS(owner, session, id), &res, err);

	if (found <= 0)
		return found;
	*message_id = arena_strdup(a, db_text(res, 0, "message_id"));
	return step_read(res, 0, ret, a, err) < 0 ? -1 : 1;
}

/* What is said of a call, and whether its turn goes on by it. */
static int say(struct db *db, const char *owner, const char *session, const char *message_id,
               const struct db_step *said, bool *goes_on, struct error *err)
{
	struct db_step steps[] = {
		{ "lock_session", DB_ARGS(owner, session) },
		*said,
		{ "go_on", DB_ARGS(owner, session, message_id) },
	};
	int changed;

	if (db_together(db, steps, 3, err) < 0)
		return -1;
	changed = db_affected(steps[1].res) > 0;
	*goes_on = db_affected(steps[2].res) > 0;
	db_steps_done(steps, 3);
	return changed;
}

int store_decide(struct db *db, const char *owner, const char *session, const char *message_id,
                 const struct tool_step *call, bool *goes_on, struct arena *a, struct error *err)
{
	return say(db, owner, session, message_id,
	           &(struct db_step){ "decide", DB_ARGS(owner, message_id, call->call->id, call->state,
	                                                step_pack_call(call, a),
	                                                step_pack(&call->detail->base, a), call->result) },
	           goes_on, err);
}

int store_answer(struct db *db, const char *owner, const char *session, const char *message_id,
                 const struct tool_step *call, const char *was, ProtobufCBinaryData detail, bool *goes_on,
                 struct arena *a, struct error *err)
{
	return say(db, owner, session, message_id,
	           &(struct db_step){ "answer", DB_ARGS(owner, message_id, call->call->id, was, call->state,
	                                                step_pack_call(call, a),
	                                                step_pack(&call->detail->base, a), detail) },
	           goes_on, err);
}

bool store_cancel_questions(struct tool_step *call, struct arena *a)
{
	bool waits = false;

	for (size_t i = 0; i < call->call->n_elicitations; i++) {
		if (call->call->elicitations[i]->action)
			continue;
		call->call->elicitations[i]->action = (char *)"cancel";
		call->detail->answers[i] = arena_strdup(a, "{\"action\":\"cancel\"}");
		waits = true;
	}
	if (!waits)
		return false;
	if (step_is(call, "waiting"))
		call->state = "ready";
	call->call->status = (char *)"running";
	return true;
}

/* What its server asks is not answered; what was not sent yet is denied. */
static int deny(struct db *db, const char *owner, const char *session, const char *message,
                struct tool_step *call, const char *why, bool *goes_on, struct arena *a, struct error *err)
{
	ProtobufCBinaryData detail = step_pack(&call->detail->base, a);
	const char *was = call->state;

	*goes_on = false;
	if (store_cancel_questions(call, a))
		return store_answer(db, owner, session, message, call, was, detail, goes_on, a, err);
	if (strcmp(was, "waiting") != 0)
		return 0;
	call->state = "failed";
	call->call->status = (char *)"denied";
	call->call->content = (char *)why;
	call->result = why;
	return store_decide(db, owner, session, message, call, goes_on, a, err);
}

int store_deny_all(struct db *db, const char *owner, const char *session, const char *why,
                   const char **message_id, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	bool goes_on = false;

	*message_id = NULL;
	if (db_exec(db, "asked", DB_ARGS(owner, session), &res, err) < 0)
		return -1;
	for (int row = 0; row < PQntuples(res); row++) {
		const char *message = db_text(res, row, "message_id");
		struct tool_step call;

		if (step_read(res, row, &call, a, err) < 0)
			return -1;
		if (deny(db, owner, session, message, &call, why, &goes_on, a, err) < 0)
			return -1;
		if (goes_on)
			*message_id = arena_strdup(a, message);
	}
	return 0;
}

int store_wait_for_sign_in(struct db *db, const char *owner, int64_t server_id, struct store_asked **ret,
                           size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	*count = 0;
	if (db_exec(db, "wait_for_sign_in", DB_ARGS(owner), &res, err) < 0)
		return -1;
	*ret = arena_new(a, struct store_asked, (size_t)PQntuples(res));
	for (int row = 0; row < PQntuples(res); row++) {
		struct store_asked *asked = &(*ret)[*count];

		if (step_read(res, row, &asked->call, a, err) < 0)
			return -1;
		asked->session = arena_strdup(a, db_text(res, row, "session_id"));
		asked->message_id = arena_strdup(a, db_text(res, row, "message_id"));
		*count += asked->call.call->oauth_url && asked->call.call->server_id == server_id;
	}
	return 0;
}

/* --- What may be called without asking -------------------------------------------------------------------------------- */

int store_allow_in_session(struct db *db, const char *owner, const char *session, int64_t server,
                           const char *tool, const char *digest, struct error *err)
{
	return db_exec(db, "allow_in_session", DB_ARGS(owner, session, server, tool, digest), NULL, err);
}

int store_allowed_in_session(struct db *db, const char *owner, const char *session, PGresult **ret,
                             struct error *err)
{
	return db_exec(db, "allowed_in_session", DB_ARGS(owner, session), ret, err);
}
