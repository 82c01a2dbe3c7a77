/* Turns, from the question to the stored answer. */
#include <stdio.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/id.h"
#include "common/job/event.h"
#include "common/rpc/envelope.h"
#include "svc-chat/store.h"
#include "svc-chat/store_sql.h"

/* What an owner has asked so far is counted in so many rows, by session, so that turns of several do not wait for one row. */
#define COUNTED(part, begun)                                                                               \
	"counted AS (INSERT INTO asked_part (owner_id, part, messages) SELECT $1, " part ", 1 FROM " begun \
	" ON CONFLICT (owner_id, part) DO UPDATE SET messages = asked_part.messages + 1)"

enum {
	ASKED_PARTS = 32,
	CALL_BYTES = 128 << 10, /* of the calls of one message, in the history of the next */
};

#define SESSION                                                                                         \
	"chatbot_id, visitor, kind, updated_at, EXISTS (SELECT FROM listening l WHERE l.owner_id = $1)" \
	" AS listened FROM session WHERE owner_id = $1 AND id = $2"
#define HISTORY "100"
_Static_assert(STORE_HISTORY == 100, "HISTORY says how many");

#define UNDER_WAY "status IN ('generating', 'waiting', 'queued')"
#define ACTIVE "status IN ('generating', 'waiting')"

/* Each of the two by an index that has no other rows: a session may be long. */
#define BUSY                                                                                                \
	"busy AS (SELECT (SELECT count(*) FROM message WHERE owner_id = $1 AND session_id = $2 AND " ACTIVE \
	") + (SELECT count(*) FROM message WHERE owner_id = $1 AND session_id = $2"                         \
	" AND status = 'queued') AS turns)"
/* Numbers count within the session, which is locked: a sequence counts by itself on each machine of a cluster. By the order of
 * an index that has it: max() was looked for among all messages of the owner, until PostgreSQL had statistics of them. */
#define LAST                                                                                           \
	"last AS (SELECT coalesce((SELECT number FROM message WHERE owner_id = $1 AND session_id = $2" \
	" ORDER BY number DESC LIMIT 1), 0) AS number)"
#define NOT_YET(key)                                                                \
	"key AS (SELECT " key "::text IS NULL OR NOT EXISTS (SELECT 1 FROM message" \
	" WHERE owner_id = $1 AND session_id = $2 AND key = " key ") AS new)"

const struct db_stmt store_turns_statements[] = {
	{ "add_visitor", "INSERT INTO session (owner_id, id, chatbot_id, visitor, visitor_origin, expires_at)"
	                 " VALUES ($1, $2, $3, true, $4, $5) ON CONFLICT (owner_id, id) DO NOTHING" },
	{ "lock_session", "SELECT " SESSION " FOR NO KEY UPDATE" },
	/* The session is locked: nobody else begins here. */
	{ "begin_turn",
	  "WITH " BUSY ", " LAST ", " NOT_YET(
	      "$8") ","
	            " begun AS (INSERT INTO message (owner_id, session_id, number, id, role, status, content, created_at, stream, key,"
	            " request_hash, question_id, attempt, lease_until)"
	            " SELECT $1, $2, last.number + m.place, m.id, m.role, CASE WHEN m.place = 1 THEN 'complete'"
	            " WHEN busy.turns = 0 THEN 'generating' ELSE 'queued' END, m.content, $5, m.stream, m.key, m.request_hash,"
	            " m.question_id, m.attempt, m.lease_until FROM busy, last,"
	            " (VALUES (1, $3::uuid, 'user', $4::text, NULL::text, NULL::text, NULL::text, NULL::uuid, 0,"
	            " NULL::timestamptz), (2, $6::uuid, 'assistant', '', $7::text, $8::text, $9::text, $3::uuid, 1, " STORE_LEASE
	            ")) AS m (place, id, role, content, stream, key, request_hash, question_id, attempt, lease_until)"
	            " WHERE busy.turns >= $12 AND busy.turns < $11"
	            " AND EXISTS (SELECT 1 FROM session WHERE owner_id = $1 AND id = $2)"
	            " AND (SELECT new FROM key) RETURNING role, status),"
	            " touched AS (UPDATE session SET updated_at = now(), title = coalesce(title, $10)"
	            " WHERE owner_id = $1 AND id = $2 AND EXISTS (SELECT FROM begun)),"
	            " " COUNTED(
	                "$13::int",
	                "begun WHERE role = 'user'") " SELECT (SELECT status FROM begun WHERE role = 'assistant') AS status, turns, 1 AS known,"
	                                             " last.number + 1 AS question FROM busy, last" },
	/* Written anew: the last answer, while nothing else is under way. */
	{ "begin_again",
	  "WITH " BUSY ", " LAST ", " NOT_YET(
	      "$7") ", known AS (SELECT count(*) AS n FROM message"
	            " WHERE owner_id = $1 AND session_id = $2 AND id = $3 AND role = 'assistant'),"
	            " hidden AS (UPDATE message SET shown = false WHERE owner_id = $1 AND session_id = $2 AND id = $3"
	            " AND id = (SELECT id FROM message WHERE owner_id = $1 AND session_id = $2 AND role = 'assistant'"
	            " AND shown ORDER BY number DESC LIMIT 1)"
	            " AND (SELECT turns FROM busy) = 0 AND (SELECT new FROM key) RETURNING question_id),"
	            " begun AS (INSERT INTO message (owner_id, session_id, number, id, role, status, created_at, stream, key,"
	            " request_hash, question_id, replaces, attempt, lease_until)"
	            " SELECT $1, $2, last.number + 1, $4, 'assistant', 'generating', $5, $6, $7, $8, question_id, $3, 1,"
	            " " STORE_LEASE " FROM hidden, last RETURNING status),"
	            " touched AS (UPDATE session SET updated_at = now()"
	            " WHERE owner_id = $1 AND id = $2 AND EXISTS (SELECT FROM begun))"
	            " SELECT (SELECT status FROM begun) AS status, turns, known.n AS known FROM busy, known" },
	/* Asked otherwise: the last question. */
	{ "begin_edited",
	  "WITH " BUSY ", " LAST ", " NOT_YET(
	      "$7") ", known AS (SELECT count(*) AS n FROM message"
	            " WHERE owner_id = $1 AND session_id = $2 AND id = $3 AND role = 'user'),"
	            " hidden AS (UPDATE message SET shown = false WHERE owner_id = $1 AND session_id = $2"
	            " AND (id = $3 OR question_id = $3) AND $3 = (SELECT id FROM message WHERE owner_id = $1"
	            " AND session_id = $2 AND role = 'user' AND shown ORDER BY number DESC LIMIT 1)"
	            " AND (SELECT turns FROM busy) = 0 AND (SELECT new FROM key) RETURNING id),"
	            " asked AS (INSERT INTO message (owner_id, session_id, number, id, role, content, created_at, replaces)"
	            " SELECT $1, $2, last.number + 1, $9, 'user', $10, $5, $3 FROM last WHERE EXISTS (SELECT FROM hidden) RETURNING id),"
	            " begun AS (INSERT INTO message (owner_id, session_id, number, id, role, status, created_at, stream, key,"
	            " request_hash, question_id, attempt, lease_until)"
	            " SELECT $1, $2, last.number + 2, $4, 'assistant', 'generating', $5, $6, $7, $8, id, 1, " STORE_LEASE
	            " FROM asked, last RETURNING status),"
	            " touched AS (UPDATE session SET updated_at = now()"
	            " WHERE owner_id = $1 AND id = $2 AND EXISTS (SELECT FROM begun)),"
	            " " COUNTED(
	                "$11::int",
	                "begun") " SELECT (SELECT status FROM begun) AS status, turns, known.n AS known FROM busy, known" },
	{ "history",
	  /* Of its calls the latest: a server decides how much they say. */
	  "SELECT role, content, CASE WHEN tools THEN (SELECT string_agg(s.content, ''::bytea ORDER BY s.number)"
	  " FROM (SELECT number, content, sum(octet_length(content)) OVER (ORDER BY number DESC) AS bytes FROM step"
	  " WHERE owner_id = $1 AND message_id = turns.id AND kind = 'tool_call') s WHERE s.bytes <= $5)"
	  " END AS tool_calls FROM (SELECT number, role, content, id, tools,"
	  " sum(octet_length(content)) OVER (ORDER BY number DESC) AS bytes FROM message"
	  " WHERE owner_id = $1 AND session_id = $2 AND shown"
	  " AND status IN ('complete', 'stopped', 'interrupted')"
	  " AND number < (SELECT number FROM message WHERE owner_id = $1"
	  " AND id = (SELECT question_id FROM message WHERE owner_id = $1 AND id = $3))"
	  " ORDER BY number DESC LIMIT " HISTORY ") turns WHERE bytes <= $4 ORDER BY number" },
	{ "session_of_turn", "SELECT " SESSION },
	/* Each by its key. As a join, planned when there were few, it would go through all that the owner has. */
	{ "question_of_turn",
	  "WITH a AS MATERIALIZED (SELECT number, question_id, created_at FROM message WHERE owner_id = $1 AND id = $2)"
	  " SELECT id, content, number AS question, (SELECT number FROM a) AS answer,"
	  " (SELECT " STORE_TIME(
	      "created_at") " FROM a) AS created_at"
	                    " FROM message WHERE owner_id = $1 AND id = (SELECT question_id FROM a)" },

	/* Locks it, where the turn is still that attempt's. */
	{ "touch_session",
	  "UPDATE session SET updated_at = now() WHERE owner_id = $1 AND id = $2 AND EXISTS (SELECT FROM message"
	  " WHERE owner_id = $1 AND id = $3 AND attempt = $4 AND " UNDER_WAY ") RETURNING updated_at" },
	{ "finish_turn",
	  "UPDATE message SET status = $4, content = $6, reasoning = $7, sources = $8,"
	  " error = $9, model = $10, prompt_tokens = $11, completion_tokens = $12, finish_reason = $13,"
	  " rag_status = $14, cuts = $15, last_event = nullif($16::bigint, 0), lease_until = NULL"
	  " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND " UNDER_WAY
	  " RETURNING number, EXISTS (SELECT 1 FROM message WHERE owner_id = $1 AND session_id = $5 AND status = 'queued') AS more,"
	  " EXISTS (SELECT 1 FROM listening l WHERE l.owner_id = $1) AS listened" },
	/* Of a turn that this attempt has just ended. */
	{ "finish_log",
	  "INSERT INTO stream_log (owner_id, message_id, events, last, expires_at)"
	  " SELECT $1::uuid, id, $4::bytea, $5::bigint, now() + interval '10 minutes' FROM message"
	  " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND lease_until IS NULL"
	  " ON CONFLICT (owner_id, message_id)"
	  " DO UPDATE SET events = excluded.events, last = excluded.last, expires_at = excluded.expires_at" },
	{ "drop_steps",
	  "DELETE FROM step WHERE owner_id = $1 AND message_id = $2 AND kind IN ('retrieve', 'model')"
	  " AND EXISTS (SELECT FROM message WHERE owner_id = $1 AND id = $2 AND attempt = $3"
	  " AND lease_until IS NULL)" },
	/* Of a conversation with a chatbot: what somebody wants to hear of it. The ids are made of what happened, so that
	 * nothing is told twice. */
	{ "tell_message",
	  "INSERT INTO job (owner_id, id, kind, payload)"
	  " SELECT $1::uuid, md5(e || ' ' || $3::text || $5::text)::uuid, 'event', jsonb_build_object('event', e,"
	  " 'session', s.id, 'message', $3::text, 'chatbot', s.chatbot_id)"
	  " FROM listening l, session s, message m, unnest($4::text[]) AS e"
	  " WHERE l.owner_id = $1 AND e = ANY (l.events)"
	  " AND s.owner_id = $1 AND s.id = $2 AND s.chatbot_id IS NOT NULL"
	  " AND m.owner_id = $1 AND m.session_id = $2 AND m.id = $3::text::uuid AND m.lease_until IS NULL"
	  " ON CONFLICT (id) DO NOTHING RETURNING id" },
	{ "next_turn",
	  "UPDATE message SET status = 'generating' WHERE owner_id = $1 AND id ="
	  " (SELECT id FROM message WHERE owner_id = $1 AND session_id = $2 AND status = 'queued'"
	  " ORDER BY number LIMIT 1)"
	  " AND NOT EXISTS (SELECT FROM message WHERE owner_id = $1 AND session_id = $2 AND " ACTIVE ")"
	  " RETURNING id" },

	{ "stop", "UPDATE message SET stop = true, lease_until = coalesce(lease_until, " STORE_LET_GO ")"
	          " WHERE owner_id = $1 AND session_id = $2 AND id = $3 AND " UNDER_WAY },
	{ NULL, NULL },
};

/* --- Beginning -------------------------------------------------------------------------------------------------------- */

/* What tools gave back to it; what cannot be read is not told again. */
static void read_calls(const PGresult *res, int row, struct model_message *ret, struct arena *a)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCBinaryData packed = db_bytes(res, row, "tool_calls", a);
	Chat__ToolCallList *list = chat__tool_call_list__unpack(&allocator, packed.len, packed.data);
	struct model_call *calls = arena_new(a, struct model_call, list ? list->n_calls : 0);

	for (size_t i = 0; list && i < list->n_calls; i++)
		if (list->calls[i]->content)
			calls[ret->call_count++] =
			    (struct model_call){ list->calls[i]->id, list->calls[i]->name,
				                 list->calls[i]->arguments, list->calls[i]->content };
	ret->calls = calls;
}

static void read_history(const PGresult *res, struct store_begun *ret, struct arena *a)
{
	ret->history_count = (size_t)PQntuples(res);
	ret->history = arena_new(a, struct model_message, ret->history_count);
	for (size_t i = 0; i < ret->history_count; i++) {
		ret->history[i].role = arena_strdup(a, db_text(res, (int)i, "role"));
		ret->history[i].content = arena_strdup(a, db_text(res, (int)i, "content"));
		if (db_text(res, (int)i, "tool_calls"))
			read_calls(res, (int)i, &ret->history[i], a);
	}
}

static void read_session(const PGresult *res, struct store_begun *ret, struct arena *a)
{
	ret->chatbot_id = arena_strdup(a, db_text(res, 0, "chatbot_id"));
	ret->kind = arena_strdup(a, db_text(res, 0, "kind"));
	ret->visitor = *db_text(res, 0, "visitor") == 't';
	ret->listened = *db_text(res, 0, "listened") == 't';
}

static void read_question(const PGresult *res, struct store_begun *ret, struct arena *a)
{
	ret->question_id = arena_strdup(a, db_text(res, 0, "id"));
	ret->question = arena_strdup(a, db_text(res, 0, "content"));
	ret->created_at = arena_strdup(a, db_text(res, 0, "created_at"));
	ret->question_number = db_int(res, 0, "question");
	ret->answer_number = db_int(res, 0, "answer");
}

static int no_chatbot(struct error *err)
{
	if (!db_failed_with(err, DB_FOREIGN, "session_chatbot"))
		return -1;
	error_clear(err);
	return error_set(err, ERROR_NOT_FOUND, "no such chatbot");
}

static int no_writer(struct error *err)
{
	return error_busy(err, 5, "too many answers are being written right now");
}

/* Nothing was begun, since it may not be. */
static int why_not(const struct store_new_turn *t, const PGresult *res, struct error *err)
{
	if (!db_int(res, 0, "known"))
		return error_set(err, ERROR_NOT_FOUND, "no such message");
	if (t->waits && !db_int(res, 0, "turns"))
		return no_writer(err);
	if (!t->again && !t->edits)
		return error_set(err, ERROR_CONFLICT,
		                 "%d messages of this session are not answered yet; wait for them",
		                 STORE_UNDER_WAY);
	if (db_int(res, 0, "turns"))
		return error_set(err, ERROR_CONFLICT, "an answer is being written in this session");
	return error_set(err, ERROR_CONFLICT, "only the last %s of a session can be changed",
	                 t->again ? "answer" : "question");
}

/* The statements that begin a turn: where each stands among them, or -1. */
struct beginning {
	struct db_step steps[7];
	int count, lock, key, begin, tell, question, history;
};

static void add_step(struct beginning *b, int *place, const struct db_step *step)
{
	*place = b->count;
	b->steps[b->count++] = *step;
}

static const PGresult *answer_to(const struct beginning *b, int place)
{
	return b->steps[place].res;
}

/* What was asked: known, but for an answer that is written anew. */
static void note_question(const struct store_new_turn *t, const struct beginning *b, struct store_begun *ret,
                          struct arena *a)
{
	if (b->question >= 0) {
		read_question(answer_to(b, b->question), ret, a);
		return;
	}
	ret->question_id = arena_strdup(a, t->question_id);
	ret->question = arena_strdup(a, t->content);
	ret->created_at = arena_strdup(a, t->created_at);
	ret->question_number = db_int(answer_to(b, b->begin), 0, "question");
	ret->answer_number = ret->question_number + 1;
}

/* What the statements say of it. */
static int judge(const struct store_new_turn *t, const struct beginning *b, struct store_begun *begun,
                 struct store_turn *before, struct arena *a, struct error *err)
{
	const PGresult *session = answer_to(b, b->lock);
	const char *status = db_text(answer_to(b, b->begin), 0, "status");

	if (PQntuples(session) == 0 && t->chatbot && t->waits)
		return no_writer(err);
	if (PQntuples(session) == 0)
		return error_set(err, ERROR_NOT_FOUND, "no such session");
	if (t->key && store_read_turn(answer_to(b, b->key), before, a))
		return strcmp(before->request_hash, t->request_hash) == 0
		           ? 0
		           : error_set(err, ERROR_INVALID,
		                       "this Idempotency-Key was used for another message in this session");
	if (!status)
		return why_not(t, answer_to(b, b->begin), err);
	*begun = (struct store_begun){ .queued = strcmp(status, "queued") == 0 };
	read_session(session, begun, a);
	note_question(t, b, begun, a);
	if (b->history >= 0)
		read_history(answer_to(b, b->history), begun, a);
	begun->as_known = t->known && begun->question_number == t->known->last + 1 &&
	                  strcmp(db_text(session, 0, "updated_at"), t->known->updated_at) == 0;
	return 1;
}

/* Who was not woken looks by himself in a while. */
static void wake_if_told(struct db *db, const PGresult *told)
{
	struct error ignored = { 0 };

	if (PQntuples(told) && event_wake(db, &ignored) < 0)
		error_clear(&ignored);
}

/* Who began to listen a moment ago hears of it, too: by the time this one was asked, nobody was known to. */
static void tell_late(struct db *db, const struct db_step *tell)
{
	struct error ignored = { 0 };
	OWN(pgresult) PGresult *told = NULL;

	if (db_exec(db, tell->stmt, tell->args, &told, &ignored) < 0)
		error_clear(&ignored);
	else
		wake_if_told(db, told);
}

int store_begin_turn(struct db *db, const struct store_new_turn *t, struct store_begun *begun,
                     struct store_turn *before, struct arena *a, struct error *err)
{
	int part = (int)(fnv1a(t->session) % ASKED_PARTS), visitor, result;
	const struct db_step add_visitor = { "add_visitor", DB_ARGS(t->owner, t->session, t->chatbot,
		                                                    t->origin, t->expires_at) };
	const struct db_step lock = { "lock_session", DB_ARGS(t->owner, t->session) };
	const struct db_step key = { "turn_by_key", DB_ARGS(t->owner, t->session, t->key) };
	const struct db_step anew = { "begin_turn",
		                      DB_ARGS(t->owner, t->session, t->question_id, t->content, t->created_at,
		                              t->message_id, t->stream, t->key, t->request_hash, t->title,
		                              STORE_UNDER_WAY, (int)t->waits, part) };
	const struct db_step again = { "begin_again",
		                       DB_ARGS(t->owner, t->session, t->again, t->message_id, t->created_at,
		                               t->stream, t->key, t->request_hash) };
	const struct db_step edited = {
		"begin_edited", DB_ARGS(t->owner, t->session, t->edits, t->message_id, t->created_at,
		                        t->stream, t->key, t->request_hash, t->question_id, t->content, part)
	};
	const struct db_step tell = { "tell_message", DB_ARGS(t->owner, t->session, t->question_id,
		                                              "{message.created}", "") };
	const struct db_step question = { "question_of_turn", DB_ARGS(t->owner, t->message_id) };
	const struct db_step history = { "history", DB_ARGS(t->owner, t->session, t->message_id,
		                                            t->history_bytes, CALL_BYTES) };
	struct beginning b = { .key = -1, .tell = -1, .question = -1, .history = -1 };

	/* The session of a visitor's first message is not made for one that cannot be answered. */
	if (t->chatbot && !t->waits)
		add_step(&b, &visitor, &add_visitor);
	add_step(&b, &b.lock, &lock);
	if (t->key)
		add_step(&b, &b.key, &key);
	add_step(&b, &b.begin, t->again ? &again : t->edits ? &edited : &anew);
	if (!t->known || t->known->listened)
		add_step(&b, &b.tell, &tell);
	if (t->again || t->edits)
		add_step(&b, &b.question, &question);
	if (!t->known)
		add_step(&b, &b.history, &history);
	if (db_together(db, b.steps, b.count, err) < 0)
		return no_chatbot(err);
	if (b.tell >= 0)
		wake_if_told(db, answer_to(&b, b.tell));
	result = judge(t, &b, begun, before, a, err);
	db_steps_done(b.steps, b.count);
	if (result == 1 && b.tell < 0 && begun->listened)
		tell_late(db, &tell);
	return result;
}

int store_load_turn(struct db *db, const char *owner, const char *session, const char *message_id,
                    int history_bytes, struct store_begun *ret, struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "session_of_turn", DB_ARGS(owner, session) },
		{ "question_of_turn", DB_ARGS(owner, message_id) },
		{ "history", DB_ARGS(owner, session, message_id, history_bytes, CALL_BYTES) },
	};
	int found;

	if (db_together(db, steps, 3, err) < 0)
		return -1;
	found = PQntuples(steps[0].res) && PQntuples(steps[1].res);
	if (found) {
		*ret = (struct store_begun){ 0 };
		read_session(steps[0].res, ret, a);
		read_question(steps[1].res, ret, a);
		read_history(steps[2].res, ret, a);
	}
	db_steps_done(steps, 3);
	return found;
}

/* --- Ending ----------------------------------------------------------------------------------------------------------- */

int store_tell_message(struct db *db, const char *owner, const char *session, const char *id,
                       const char *event, struct error *err)
{
	char events[64], again[UUID_TEXT];
	int added;

	snprintf(events, sizeof events, "{%s}", event);
	uuid_make(again); /* it may happen to a message more than once */
	added = db_changed(db, "tell_message",
	                   DB_ARGS(owner, session, id, (const char *)events, (const char *)again), err);
	return added <= 0 ? added : event_wake(db, err);
}

static const char *next_of(const PGresult *res, struct arena *a)
{
	return PQntuples(res) ? arena_strdup(a, db_text(res, 0, "id")) : NULL;
}

/* Who waits in the session may begin; where that fails, somebody looks by himself in a while. */
static const char *let_next_begin(struct db *db, const char *owner, const char *session, struct arena *a)
{
	struct error ignored = { 0 };
	const char *next;

	if (store_next_turn(db, owner, session, &next, a, &ignored) == 0)
		return next;
	error_clear(&ignored);
	return NULL;
}

int store_finish_turn(struct db *db, const struct store_end *end, struct store_ended *ret, struct arena *a,
                      struct error *err)
{
	enum { TOUCH, FINISH, STEPS_MOST = 6 };
	const Chat__Message *m = end->message;
	ProtobufCBinaryData sources = store_pack_sources(m->sources, m->n_sources, a);
	struct db_step steps[STEPS_MOST] = {
		[TOUCH] = { "touch_session", DB_ARGS(end->owner, m->session_id, m->id, end->attempt) },
		[FINISH] = { "finish_turn",
		             DB_ARGS(end->owner, m->id, end->attempt, store_status_name(m->status),
		                     m->session_id, m->content, m->reasoning, sources, m->error, m->model,
		                     m->usage->prompt_tokens, m->usage->completion_tokens, m->finish_reason,
		                     m->rag_status, end->cuts, end->events.len ? 0 : end->last) },
	};
	const struct db_step log = { "finish_log",
		                     DB_ARGS(end->owner, m->id, end->attempt, end->events, end->last) };
	const struct db_step told = { "tell_message",
		                      DB_ARGS(end->owner, m->session_id, m->id, end->told, "") };
	const struct db_step noted = { "drop_steps", DB_ARGS(end->owner, m->id, end->attempt) };
	const struct db_step handover = { "mark_handover",
		                          DB_ARGS(end->owner, m->session_id, m->id, m->handover) };
	int count = FINISH + 1, tell = 0, done;
	bool more, late;

	if (end->events.len)
		steps[count++] = log;
	if (end->listened || m->handover) /* what goes to people, and they hear of it, or neither */
		steps[tell = count++] = told;
	if (end->noted)
		steps[count++] = noted;
	if (m->handover)
		steps[count++] = handover;
	if (db_together(db, steps, count, err) < 0)
		return -1;
	*ret = (struct store_ended){ 0 };
	done = PQntuples(steps[FINISH].res);
	more = done && *db_text(steps[FINISH].res, 0, "more") == 't';
	late = done && !tell && *db_text(steps[FINISH].res, 0, "listened") == 't';
	if (done && PQntuples(steps[TOUCH].res))
		snprintf(ret->known.updated_at, sizeof ret->known.updated_at, "%s",
		         db_text(steps[TOUCH].res, 0, "updated_at"));
	ret->known.last = db_int(steps[FINISH].res, 0, "number");
	if (tell)
		wake_if_told(db, steps[tell].res);
	db_steps_done(steps, count);
	if (late)
		tell_late(db, &told);
	if (more)
		ret->next = let_next_begin(db, end->owner, m->session_id, a);
	return done;
}

int store_next_turn(struct db *db, const char *owner, const char *session, const char **next, struct arena *a,
                    struct error *err)
{
	struct db_step steps[] = {
		{ "lock_session", DB_ARGS(owner, session) },
		{ "next_turn", DB_ARGS(owner, session) },
	};

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	*next = next_of(steps[1].res, a);
	db_steps_done(steps, 2);
	return 0;
}

int store_stop(struct db *db, const char *owner, const char *session, const char *message_id,
               struct error *err)
{
	int64_t rows;

	if (db_change(db, "stop", DB_ARGS(owner, session, message_id), &rows, err) < 0)
		return -1;
	return rows > 0;
}
