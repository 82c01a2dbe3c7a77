#include "svc-chat/store_tools.h"

#include <string.h>

#include "common/base/id.h"
#include "common/db/quota.h"
#include "svc-chat/store_steps.h"

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
	{ NULL, NULL },
};

/* --- Loading ----------------------------------------------------------------------------------------------------------- */

static int read_passages(const PGresult *res, int row, struct store_rounds *ret, struct arena *a,
                         struct error *err)
{
	Documents__SearchReply *found =
	    step_unpack(res, row, "content", &documents__search_reply__descriptor, a);

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
		return step_read(res, row, &ret->calls[ret->call_count++], a, err);
	if (strcmp(kind, "retrieve") == 0)
		return read_passages(res, row, ret, a, err);
	round->number = (int)db_int(res, row, "number");
	round->round = (int)db_int(res, row, "round");
	round->said = step_unpack(res, row, "content", &chat__round_text__descriptor, a);
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
		sources = step_unpack(steps[1].res, 0, "sources", &documents__search_reply__descriptor, a);
	}
	if (sources) {
		ret->sources = sources->results;
		ret->source_count = sources->n_results;
	}
	db_steps_done(steps, 2);
	return result < 0 ? -1 : ret->round_count > 0;
}

/* --- Writing ----------------------------------------------------------------------------------------------------------- */

/* As bytea is written in an array. */
static char *hex(ProtobufCBinaryData b, struct arena *a)
{
	char *text = arena_alloc(a, 2 * b.len + 3);

	memcpy(text, "\\x", 3);
	hex_encode(text + 2, b.data, b.len);
	return text;
}

/* The parameters of add_round: an array for each column of a call. */
struct call_columns {
	char **number, **state, **id, **content, **detail;
};

static void fill(struct call_columns *c, size_t i, const struct tool_step *call, struct arena *a)
{
	c->number[i] = arena_printf(a, "%d", call->number);
	c->state[i] = (char *)call->state;
	c->id[i] = call->call->id;
	c->content[i] = hex(step_pack_call(call, a), a);
	c->detail[i] = hex(step_pack(&call->detail->base, a), a);
}

static bool any_waits(const struct store_added *added)
{
	for (size_t i = 0; i < added->count; i++)
		if (step_is(&added->calls[i], "waiting"))
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
		          step_pack(&added->round->said->base, a), added->content, added->reasoning,
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
	return db_changed(
	    db, "start_call",
	    DB_ARGS(w->owner, w->message_id, w->attempt, call->call->id, step_pack_call(call, a)), err);
}

int store_keep_call(struct db *db, const struct store_writer *w, const struct tool_step *call,
                    ProtobufCBinaryData passages, struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "tools_lightly", DB_ARGS() },
		{ "keep_call",
		  DB_ARGS(w->owner, w->message_id, w->attempt, call->call->id, call->state,
		          step_pack_call(call, a), step_pack(&call->detail->base, a), call->result) },
		{ "keep_passages", DB_ARGS(w->owner, w->message_id, w->attempt, passages) },
	};
	int from = step_is(call, "done") ? 0 : 1, count = (passages.data ? 3 : 2) - from, kept;

	if (db_together(db, steps + from, count, err) < 0)
		return -1;
	kept = db_affected(steps[1].res) > 0;
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
	rests = db_affected(steps[1].res) > 0;
	db_steps_done(steps, 2);
	return rests;
}

int store_waiting(struct db *db, const char *owner, int64_t *ret, struct error *err)
{
	return db_number(db, "waiting", DB_ARGS(owner), ret, err);
}
