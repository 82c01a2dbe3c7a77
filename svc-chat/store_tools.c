#include "svc-chat/store_tools.h"

#include <string.h>

#include "common/base/id.h"
#include "common/db/quota.h"
#include "common/rpc/envelope.h"
#include "svc-chat/store_sql.h"

/* The turn is still this attempt's. */
#define MINE                                                                           \
	"EXISTS (SELECT FROM message WHERE owner_id = $1 AND id = $2 AND attempt = $3" \
	" AND status IN ('generating', 'waiting'))"

const struct db_stmt store_tools_statements[] = {
	/* A commit that is on disk a moment later: store_tools.h. */
	{ "tools_lightly", "SELECT set_config('synchronous_commit', 'off', true)" },
	{ "add_round",
	  "WITH mine AS (UPDATE message SET tools = true, content = $7, reasoning = $8, sources = $9"
	  " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND status = 'generating' RETURNING id),"
	  " said AS (INSERT INTO step (owner_id, message_id, number, round, kind, state, content)"
	  " SELECT $1, id, $4::int, $5::int, 'model', 'done', $6::bytea FROM mine"
	  " ON CONFLICT (owner_id, message_id, number) DO UPDATE SET state = 'done', content = excluded.content),"
	  " calls AS (INSERT INTO step (owner_id, message_id, number, round, kind, state, call_id, content, detail)"
	  " SELECT $1, mine.id, t.number, $5::int, 'tool_call', t.state, t.call_id, t.content, t.detail FROM mine,"
	  " unnest($10::int[], $11::text[], $12::uuid[], $13::bytea[], $14::bytea[])"
	  " AS t (number, state, call_id, content, detail))"
	  " SELECT id FROM mine" },
	{ "keep_passages",
	  "INSERT INTO step (owner_id, message_id, number, round, kind, state, content)"
	  " SELECT $1::uuid, $2::uuid, 0, 0, 'retrieve', 'done', $4::bytea WHERE " MINE
	  " ON CONFLICT (owner_id, message_id, number) DO UPDATE SET content = excluded.content" },
	{ "keep_log",
	  "INSERT INTO stream_log (owner_id, message_id, events, last, expires_at)"
	  " SELECT $1::uuid, $2::uuid, $4::bytea, $5::bigint, now() + interval '90 days' WHERE " MINE
	  " ON CONFLICT (owner_id, message_id) DO UPDATE SET events = excluded.events,"
	  " last = excluded.last, expires_at = excluded.expires_at" },
	{ "start_call",
	  "UPDATE step SET state = 'running', content = $5 WHERE owner_id = $1 AND message_id = $2"
	  " AND call_id = $4 AND state = 'ready' AND " MINE },
	{ "keep_call", "UPDATE step SET state = $5, content = $6, detail = $7, result = $8"
	               " WHERE owner_id = $1 AND message_id = $2 AND call_id = $4 AND " MINE },
	{ "add_attachment",
	  "INSERT INTO attachment (owner_id, message_id, id, name, type, data)"
	  " SELECT $1::uuid, $2::uuid, $4::uuid, $5, $6, $7::bytea WHERE " MINE
	  " AND (SELECT coalesce(sum(octet_length(data)), 0) FROM attachment WHERE owner_id = $1)"
	  " + octet_length($7::bytea) <= $8::bigint" },
	{ "get_attachment",
	  "SELECT name, type, data FROM attachment WHERE owner_id = $1 AND id = $3 AND message_id IN"
	  " (SELECT m.id FROM message m WHERE m.owner_id = $1 AND m.session_id = $2)" },
	{ "rest", "UPDATE message SET status = 'waiting' WHERE owner_id = $1 AND id = $2 AND attempt = $3"
	          " AND status = 'generating' AND EXISTS (SELECT FROM step WHERE owner_id = $1"
	          " AND message_id = $2 AND state = 'waiting')" },
	{ "waiting", "SELECT count(*) FROM message WHERE owner_id = $1 AND status = 'waiting'" },

	{ "rounds", "SELECT number, round, kind, state, content, detail, result FROM step"
	            " WHERE owner_id = $1 AND message_id = $2 AND state <> 'open' ORDER BY number" },
	{ "so_far",
	  "SELECT m.content, m.reasoning, m.sources, (SELECT l.events FROM stream_log l WHERE l.owner_id = $1"
	  " AND l.message_id = m.id) AS log FROM message m WHERE m.owner_id = $1 AND m.id = $2" },

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

/* --- Packing ----------------------------------------------------------------------------------------------------------- */

static ProtobufCBinaryData pack(const ProtobufCMessage *m, struct arena *a)
{
	ProtobufCBinaryData packed = { .len = protobuf_c_message_get_packed_size(m) };

	packed.data = arena_alloc(a, packed.len + 1);
	protobuf_c_message_pack(m, packed.data);
	return packed;
}

static ProtobufCBinaryData pack_call(const struct tool_step *call, struct arena *a)
{
	Chat__ToolCallList list = CHAT__TOOL_CALL_LIST__INIT;
	Chat__ToolCall *one = call->call;

	list.calls = &one;
	list.n_calls = 1;
	return pack(&list.base, a);
}

/* As bytea is written in an array. */
static char *hex(ProtobufCBinaryData b, struct arena *a)
{
	char *text = arena_alloc(a, 2 * b.len + 3);

	memcpy(text, "\\x", 3);
	hex_encode(text + 2, b.data, b.len);
	return text;
}

static void *unpack(const PGresult *res, int row, const char *column, const ProtobufCMessageDescriptor *type,
                    struct arena *a)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCBinaryData packed = db_bytes(res, row, column, a);

	return protobuf_c_message_unpack(type, &allocator, packed.len, packed.data);
}

static int read_call(const PGresult *res, int row, struct tool_step *ret, struct arena *a, struct error *err)
{
	Chat__ToolCallList *list = unpack(res, row, "content", &chat__tool_call_list__descriptor, a);

	*ret = (struct tool_step){
		.number = (int)db_int(res, row, "number"),
		.round = (int)db_int(res, row, "round"),
		.state = arena_strdup(a, db_text(res, row, "state")),
		.detail = unpack(res, row, "detail", &chat__tool_detail__descriptor, a),
		.result = arena_strdup(a, db_text(res, row, "result")),
	};
	if (!list || list->n_calls != 1 || !ret->detail)
		return error_internal(err, "a stored call of a tool cannot be read");
	ret->call = list->calls[0];
	return 0;
}

/* --- Loading ----------------------------------------------------------------------------------------------------------- */

static int read_passages(const PGresult *res, int row, struct store_rounds *ret, struct arena *a,
                         struct error *err)
{
	Documents__SearchReply *found = unpack(res, row, "content", &documents__search_reply__descriptor, a);

	if (!found)
		return error_internal(err, "stored passages cannot be read");
	ret->passages = found->results;
	ret->passage_count = found->n_results;
	return 0;
}

static int read_step(const PGresult *res, int row, struct store_rounds *ret, struct arena *a,
                     struct error *err)
{
	const char *kind = db_text(res, row, "kind");
	struct store_round *round = &ret->rounds[ret->round_count];

	if (strcmp(kind, "tool_call") == 0)
		return read_call(res, row, &ret->calls[ret->call_count++], a, err);
	if (strcmp(kind, "retrieve") == 0)
		return read_passages(res, row, ret, a, err);
	round->number = (int)db_int(res, row, "number");
	round->round = (int)db_int(res, row, "round");
	round->said = unpack(res, row, "content", &chat__round_text__descriptor, a);
	if (!round->said)
		return error_internal(err, "a stored step cannot be read");
	ret->round_count++;
	return 0;
}

int store_load_rounds(struct db *db, const char *owner, const char *message_id, struct store_rounds *ret,
                      struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "rounds", DB_ARGS(owner, message_id) },
		{ "so_far", DB_ARGS(owner, message_id) },
	};
	Documents__SearchReply *sources = NULL;
	int result = 0, rows;

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	rows = PQntuples(steps[0].res);
	*ret = (struct store_rounds){ .rounds = arena_new(a, struct store_round, (size_t)rows),
		                      .calls = arena_new(a, struct tool_step, (size_t)rows) };
	for (int row = 0; row < rows && result == 0; row++)
		result = read_step(steps[0].res, row, ret, a, err);
	if (PQntuples(steps[1].res)) {
		ret->content = arena_strdup(a, db_text(steps[1].res, 0, "content"));
		ret->reasoning = arena_strdup(a, db_text(steps[1].res, 0, "reasoning"));
		ret->log = db_bytes(steps[1].res, 0, "log", a);
		sources = unpack(steps[1].res, 0, "sources", &documents__search_reply__descriptor, a);
	}
	if (sources) {
		ret->sources = sources->results;
		ret->source_count = sources->n_results;
	}
	db_steps_done(steps, 2);
	return result < 0 ? -1 : ret->round_count > 0;
}

/* --- Writing ----------------------------------------------------------------------------------------------------------- */

/* The parameters of add_round: an array for each column of a call. */
struct call_columns {
	char **number, **state, **id, **content, **detail;
};

static void fill(struct call_columns *c, size_t i, const struct tool_step *call, struct arena *a)
{
	c->number[i] = arena_printf(a, "%d", call->number);
	c->state[i] = (char *)call->state;
	c->id[i] = call->call->id;
	c->content[i] = hex(pack_call(call, a), a);
	c->detail[i] = hex(pack(&call->detail->base, a), a);
}

static bool any_waits(const struct store_added *added)
{
	for (size_t i = 0; i < added->count; i++)
		if (strcmp(added->calls[i].state, "waiting") == 0)
			return true;
	return false;
}

int store_add_round(struct db *db, const struct store_writer *w, const struct store_added *added,
                    struct arena *a, struct error *err)
{
	struct call_columns c;
	char ***columns[] = { &c.number, &c.state, &c.id, &c.content, &c.detail };
	const char *arrays[5];

	for (int i = 0; i < 5; i++)
		*columns[i] = arena_new(a, char *, added->count);
	for (size_t i = 0; i < added->count; i++)
		fill(&c, i, &added->calls[i], a);
	for (int i = 0; i < 5; i++)
		arrays[i] = db_text_array(*columns[i], added->count, a);
	struct db_step steps[] = {
		{ "tools_lightly", DB_ARGS() },
		{ "add_round",
		  DB_ARGS(w->owner, w->message_id, w->attempt, added->round->number, added->round->round,
		          pack(&added->round->said->base, a), added->content, added->reasoning,
		          added->sources, arrays[0], arrays[1], arrays[2], arrays[3], arrays[4]) },
		{ "keep_log", DB_ARGS(w->owner, w->message_id, w->attempt, added->log, added->last) },
		{ "keep_passages", DB_ARGS(w->owner, w->message_id, w->attempt, added->passages) },
	};
	int stored, from = any_waits(added) ? 1 : 0, count = (added->passages.data ? 4 : 3) - from;

	if (db_together(db, steps + from, count, err) < 0)
		return -1;
	stored = PQntuples(steps[1].res);
	db_steps_done(steps + from, count);
	return stored;
}

int store_start_call(struct db *db, const struct store_writer *w, const struct tool_step *call,
                     struct arena *a, struct error *err)
{
	return db_changed(db, "start_call",
	                  DB_ARGS(w->owner, w->message_id, w->attempt, call->call->id, pack_call(call, a)),
	                  err);
}

static int changed(const PGresult *res)
{
	return *PQcmdTuples((PGresult *)res) != '0';
}

int store_keep_call(struct db *db, const struct store_writer *w, const struct tool_step *call,
                    ProtobufCBinaryData passages, struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "tools_lightly", DB_ARGS() },
		{ "keep_call", DB_ARGS(w->owner, w->message_id, w->attempt, call->call->id, call->state,
		                       pack_call(call, a), pack(&call->detail->base, a), call->result) },
		{ "keep_passages", DB_ARGS(w->owner, w->message_id, w->attempt, passages) },
	};
	int from = strcmp(call->state, "done") == 0 ? 0 : 1, count = (passages.data ? 3 : 2) - from, kept;

	if (db_together(db, steps + from, count, err) < 0)
		return -1;
	kept = changed(steps[1].res);
	db_steps_done(steps + from, count);
	return kept;
}

int store_add_attachment(struct db *db, const struct store_writer *w, const char *id, const char *name,
                         const char *type, ProtobufCBinaryData data, int64_t most, struct error *err)
{
	return quota_add(db, w->owner, "add_attachment",
	                 DB_ARGS(w->owner, w->message_id, w->attempt, id, name ? name : "",
	                         type ? type : "application/octet-stream", data, most),
	                 NULL, err);
}

int store_get_attachment(struct db *db, const char *owner, const char *session, const char *id,
                         const char **name, const char **type, ProtobufCBinaryData *data, struct arena *a,
                         struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_attachment", DB_ARGS(owner, session, id), &res, err);

	if (found > 0) {
		*name = arena_strdup(a, db_text(res, 0, "name"));
		*type = arena_strdup(a, db_text(res, 0, "type"));
		*data = db_bytes(res, 0, "data", a);
	}
	return found;
}

int store_rest(struct db *db, const struct store_writer *w, ProtobufCBinaryData log, int64_t last,
               struct error *err)
{
	struct db_step steps[] = {
		{ "keep_log", DB_ARGS(w->owner, w->message_id, w->attempt, log, last) },
		{ "rest", DB_ARGS(w->owner, w->message_id, w->attempt) },
	};
	int rests;

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	rests = changed(steps[1].res);
	db_steps_done(steps, 2);
	return rests;
}

int store_waiting(struct db *db, const char *owner, int64_t *ret, struct error *err)
{
	return db_number(db, "waiting", DB_ARGS(owner), ret, err);
}

/* --- What people say ------------------------------------------------------------------------------------------------- */

int store_find_call(struct db *db, const char *owner, const char *session, const char *id,
                    const char **message_id, struct tool_step *ret, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "find_call", DB_ARGS(owner, session, id), &res, err);

	if (found <= 0)
		return found;
	*message_id = arena_strdup(a, db_text(res, 0, "message_id"));
	return read_call(res, 0, ret, a, err) < 0 ? -1 : 1;
}

int store_decide(struct db *db, const char *owner, const char *session, const char *message_id,
                 const struct tool_step *call, bool *goes_on, struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "lock_session", DB_ARGS(owner, session) },
		{ "decide", DB_ARGS(owner, message_id, call->call->id, call->state, pack_call(call, a),
		                    pack(&call->detail->base, a), call->result) },
		{ "go_on", DB_ARGS(owner, session, message_id) },
	};
	int decided;

	if (db_together(db, steps, 3, err) < 0)
		return -1;
	decided = changed(steps[1].res);
	*goes_on = PQntuples(steps[2].res) > 0;
	db_steps_done(steps, 3);
	return decided;
}

ProtobufCBinaryData store_pack_detail(const Chat__ToolDetail *detail, struct arena *a)
{
	return pack(&detail->base, a);
}

int store_answer(struct db *db, const char *owner, const char *session, const char *message_id,
                 const struct tool_step *call, const char *was, ProtobufCBinaryData detail, bool *goes_on,
                 struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "lock_session", DB_ARGS(owner, session) },
		{ "answer", DB_ARGS(owner, message_id, call->call->id, was, call->state, pack_call(call, a),
		                    pack(&call->detail->base, a), detail) },
		{ "go_on", DB_ARGS(owner, session, message_id) },
	};
	int answered;

	if (db_together(db, steps, 3, err) < 0)
		return -1;
	answered = changed(steps[1].res);
	*goes_on = PQntuples(steps[2].res) > 0;
	db_steps_done(steps, 3);
	return answered;
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
	if (strcmp(call->state, "waiting") == 0)
		call->state = "ready";
	call->call->status = (char *)"running";
	return true;
}

/* What its server asks is not answered; what was not sent yet is denied. */
static int deny(struct db *db, const char *owner, const char *session, const char *message,
                struct tool_step *call, const char *why, bool *goes_on, struct arena *a, struct error *err)
{
	ProtobufCBinaryData detail = pack(&call->detail->base, a);
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

		if (read_call(res, row, &call, a, err) < 0)
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

		if (read_call(res, row, &asked->call, a, err) < 0)
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
