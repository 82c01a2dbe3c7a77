#include <string.h>

#include "common/rpc/envelope.h"
#include "documents.pb-c.h"
#include "svc-chat/store.h"
#include "svc-chat/store_sql.h"

/* Of the calls of tools that belong to a message; NULL for most. One after the other, packed messages are one. */
#define TOOL_CALLS(what)                                                                   \
	" CASE WHEN message.tools THEN (SELECT " what " FROM step s WHERE s.owner_id = $1" \
	" AND s.message_id = message.id AND s.kind = 'tool_call') END"

#define MESSAGE                                                                                                             \
	"SELECT number, id, session_id, role, status, content, reasoning, sources, error, model, feedback,"                 \
	" comment, finish_reason, rag_status, question_id, replaces, shown, prompt_tokens, completion_tokens, " STORE_TIME( \
	    "created_at") " AS created_at," TOOL_CALLS("string_agg(s.content, ''::bytea ORDER BY s.number)") " AS tool_calls"

/* Bytes of a message in a reply, roughly. */
#define SIZE                                                            \
	"(octet_length(content) + coalesce(octet_length(reasoning), 0)" \
	" + coalesce(octet_length(sources), 0) + 200"                   \
	" + coalesce(" TOOL_CALLS("sum(octet_length(s.content))") ", 0))"

#define HERE "m.owner_id = $1 AND m.session_id = $2"

const struct db_stmt store_messages_statements[] = {
	{ "messages",
	  "SELECT * FROM (" MESSAGE ", lead(true) OVER w AS more, sum(" SIZE ") OVER w - " SIZE " AS before"
	  " FROM message WHERE owner_id = $1 AND session_id = $2 AND number > $3 AND number < $4 AND (shown OR $7)"
	  " WINDOW w AS (ORDER BY number) ORDER BY number LIMIT $5) page WHERE before < $6 ORDER BY number" },
	{ "page_start",
	  "SELECT number, more FROM (SELECT number, lead(true) OVER w AS more, sum(" SIZE ") OVER w - " SIZE
	  " AS before"
	  " FROM message WHERE owner_id = $1 AND session_id = $2 AND number < $3 AND (shown OR $6)"
	  " WINDOW w AS (ORDER BY number DESC) ORDER BY number DESC LIMIT $4) page"
	  " WHERE before < $5 ORDER BY number LIMIT 1" },
	{ "get_message", MESSAGE " FROM message WHERE owner_id = $1 AND session_id = $2 AND id = $3" },
	{ "search",
	  "SELECT m.id, m.session_id, CASE WHEN s.kind <> 'session' THEN s.number END AS chat_id, s.title, m.role,"
	  " substr(m.content, greatest(1, strpos(lower(m.content), lower(($2::text[])[1])) - 80), 300) AS content,"
	  " m.created_at FROM message m JOIN session s ON s.owner_id = $1 AND s.id = m.session_id"
	  " WHERE m.owner_id = $1 AND m.shown AND NOT s.visitor"
	  " AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS w WHERE strpos(lower(m.content), lower(w)) = 0)"
	  " ORDER BY m.created_at DESC, m.session_id, m.number DESC LIMIT $3" },
	/* The session is locked; who knows what was said in it sees that it has changed (struct store_known). All that stands in one place: the questions that replaced each other, and their answers. */
	{ "choose",
	  "WITH RECURSIVE busy AS (SELECT count(*) AS turns FROM message m WHERE " HERE
	  " AND m.status IN ('generating', 'waiting', 'queued')),"
	  " chosen AS (SELECT m.id, m.role, CASE WHEN m.role = 'user' THEN m.id ELSE m.question_id END AS question"
	  " FROM message m WHERE " HERE " AND m.id = $3),"
	  " before AS (SELECT m.id, m.replaces FROM message m JOIN chosen c ON m.id = c.question WHERE " HERE
	  " UNION SELECT m.id, m.replaces FROM message m JOIN before b ON m.id = b.replaces WHERE " HERE "),"
	  " asked AS (SELECT id FROM before WHERE replaces IS NULL"
	  " UNION SELECT m.id FROM message m JOIN asked a ON m.replaces = a.id WHERE " HERE
	  " AND m.role = 'user'),"
	  " pair AS (SELECT c.question, CASE WHEN c.role = 'assistant' THEN c.id ELSE (SELECT m.id FROM message m"
	  " WHERE " HERE
	  " AND m.question_id = c.id ORDER BY m.number DESC LIMIT 1) END AS answer FROM chosen c),"
	  " changed AS (UPDATE message m SET shown = m.id IN (p.question, p.answer) FROM pair p, busy WHERE " HERE
	  " AND busy.turns = 0"
	  " AND (m.id IN (SELECT id FROM asked) OR m.question_id IN (SELECT id FROM asked)) RETURNING m.id),"
	  " touched AS (UPDATE session SET updated_at = now()"
	  " WHERE owner_id = $1 AND id = $2 AND EXISTS (SELECT FROM changed))"
	  " SELECT turns, (SELECT count(*) FROM chosen) AS known FROM busy" },
	{ "set_feedback", "UPDATE message SET feedback = $4, comment = $5"
	                  " WHERE owner_id = $1 AND session_id = $2 AND id = $3 AND role = 'assistant'" },
	{ NULL, NULL },
};

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

static int read_calls(const PGresult *res, int row, Chat__Message *out, struct arena *a, struct error *err)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCBinaryData packed = db_bytes(res, row, "tool_calls", a);
	Chat__ToolCallList *list = chat__tool_call_list__unpack(&allocator, packed.len, packed.data);

	if (!list)
		return error_internal(err, "the tool calls of message %s cannot be read", out->id);
	out->tool_calls = list->calls;
	out->n_tool_calls = list->n_calls;
	return 0;
}

static char *text_of(const PGresult *res, int row, const char *column, struct arena *a)
{
	return arena_strdup(a, db_text(res, row, column));
}

static const char *const status_names[] = { "complete", "generating", "stopped", "interrupted",
	                                    "failed",   "waiting",    "queued" };

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
	out->has_number = true;
	out->number = db_int(res, row, "number");
	out->question_id = text_of(res, row, "question_id", a);
	out->replaces = text_of(res, row, "replaces", a);
	out->has_shown = *db_text(res, row, "shown") == 'f';
	out->shown = false;
	out->feedback_comment = text_of(res, row, "comment", a);
	out->finish_reason = text_of(res, row, "finish_reason", a);
	out->rag_status = text_of(res, row, "rag_status", a);
	out->created_at = text_of(res, row, "created_at", a);
	if (db_text(res, row, "completion_tokens")) {
		out->usage = arena_new(a, Chat__TokenUsage, 1);
		chat__token_usage__init(out->usage);
		out->usage->has_prompt_tokens = out->usage->has_completion_tokens = true;
		out->usage->prompt_tokens = db_int(res, row, "prompt_tokens");
		out->usage->completion_tokens = db_int(res, row, "completion_tokens");
	}
	if (db_text(res, row, "tool_calls") && read_calls(res, row, out, a, err) < 0)
		return -1;
	return read_sources(res, row, out, a, err);
}

int store_messages(struct db *db, const char *owner, const char *session, bool all, int64_t after,
                   int64_t before, int limit, size_t *n, Chat__Message ***ret, int64_t *last, bool *more,
                   struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int count;

	if (db_exec(db, "messages", DB_ARGS(owner, session, after, before, limit, STORE_BYTES, all), &res,
	            err) < 0)
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

int store_page_start(struct db *db, const char *owner, const char *session, bool all, int64_t before,
                     int limit, int64_t max_bytes, int64_t *first, bool *more, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "page_start",
	            DB_ARGS(owner, session, before, limit, max_bytes ? max_bytes : INT64_MAX, all), &res,
	            err) < 0)
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

int store_search(struct db *db, const char *owner, char *const *words, size_t count, int limit,
                 Chat__FoundMessageList *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "search", DB_ARGS(owner, db_text_array(words, count, a), limit), &res, err) < 0)
		return -1;
	return db_rows(res, &chat__found_message__descriptor, &out->n_messages, &out->messages, a, err);
}

int store_set_feedback(struct db *db, const char *owner, const char *session, const char *id,
                       const char *value, const char *comment, struct error *err)
{
	return db_changed(db, "set_feedback", DB_ARGS(owner, session, id, value, comment), err);
}

int store_choose(struct db *db, const char *owner, const char *session, const char *id, struct error *err)
{
	struct db_step steps[] = {
		{ "lock_session", DB_ARGS(owner, session) },
		{ "choose", DB_ARGS(owner, session, id) },
	};
	int found;

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	found = PQntuples(steps[0].res) && db_int(steps[1].res, 0, "known");
	if (found && db_int(steps[1].res, 0, "turns"))
		found = error_set(err, ERROR_CONFLICT, "an answer is being written in this session");
	db_steps_done(steps, 2);
	return found;
}
