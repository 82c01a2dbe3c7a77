/* Beginning a turn, waiting for it, and finding its events again. The writing itself is in write.c. */
#include "svc-chat/turn/answer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "svc-chat/state.h"
#include "svc-chat/store_visitors.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/turns.h"
#include "svc-chat/turn/write.h"

enum {
	TITLE_CHARACTERS = 60,
	LOOK_AGAIN_MS = 300, /* for an answer that another replica writes */
	GLANCE_MS = 500,     /* at whether the caller is still there */
	MARGIN_MS = 500,     /* before the deadline, to say that time is up */
};

/* --- Beginning ------------------------------------------------------------------------------------------------------ */

/* The first line of a question, cut between words. */
static const char *title_from(const char *content, struct arena *a)
{
	size_t end, characters = 0;
	char *title;

	content += strspn(content, " \t\r\n");
	for (end = 0; content[end] && content[end] != '\n' && content[end] != '\r'; end++) {
		characters += (content[end] & 0xc0) != 0x80;
		if (characters > TITLE_CHARACTERS)
			break;
	}
	if (characters > TITLE_CHARACTERS) {
		size_t word = end;

		while (word > end / 2 && content[word] != ' ')
			word--;
		end = content[word] == ' ' ? word : end;
	}
	while (end && strchr(" \t", content[end - 1]))
		end--;
	title = arena_strndup(a, content, end);
	return *title ? title : NULL;
}

/* 1: this key began a turn before. */
static int repeated(struct call *call, const struct store_turn *turn, struct store_answer *ret)
{
	int found;

	if (!turn->key)
		return 0;
	found =
	    store_answer_by_key(call->db, turn->owner, turn->session, turn->key, ret, call->arena, call->err);
	if (found > 0 && strcmp(ret->request_hash, turn->request_hash) != 0)
		return error_set(call->err, ERROR_INVALID,
		                 "this Idempotency-Key was used for another message in this session");
	return found;
}

/* Within a transaction: 1 when the turn is new and stored, 0 when it was there, -1. */
static int store(struct call *call, struct store_turn *turn, const char *reader, struct stream **stream,
                 struct store_answer *ret)
{
	int found = store_lock_session(call->db, turn->owner, turn->session, call->err);

	if (found <= 0)
		return found < 0 ? -1 : error_set(call->err, ERROR_NOT_FOUND, "no such session");
	found = repeated(call, turn, ret);
	if (found)
		return found < 0 ? -1 : 0;
	if (stream_open(service_streams(call->service), reader, stream, call->err) < 0)
		return -1;
	turn->stream = arena_strdup(call->arena, stream_id(*stream));
	if (store_begin_turn(call->db, turn, call->err) < 0 || db_commit(call->db, call->err) < 0)
		return -1;
	return 1;
}

static struct write_job *new_job(const struct store_turn *turn, struct stream *stream, struct turn *written,
                                 struct task *task)
{
	struct arena *a = service_task_arena(task);
	struct write_job *job = arena_new(a, struct write_job, 1);

	*job = (struct write_job){
		.session_id = arena_strdup(a, turn->session),
		.question_id = arena_strdup(a, turn->question_id),
		.question = arena_strdup(a, turn->content),
		.created_at = arena_strdup(a, turn->created_at),
		.stream = stream,
		.turn = written,
	};
	return job;
}

/* The turn is stored: find somebody to write it. */
static int start(struct call *call, const struct store_turn *turn, struct stream *stream)
{
	struct state *state = call->state;
	struct event_list begin = { .count = 2 };
	struct turn *written = turns_begin(state->turns, turn->owner, turn->message_id);
	struct task *task = service_task_new(call, WRITE_DEADLINE_MS);
	struct error undone = { 0 };

	begin.at[0] = event_message(turn->question_id, "user", call->arena);
	begin.at[1] = event_message(turn->message_id, "assistant", call->arena);
	events_append(stream, &begin);
	if (service_task_start(task, write_answer, new_job(turn, stream, written, task), call->err) == 0)
		return 0;
	turns_end(state->turns, written);
	stream_close(stream);
	if (store_abandon_turn(call->db, turn, &undone) < 0)
		error_detail(call->err, "and the turn stays behind: %s", undone.message);
	return -1;
}

int answer_begin(struct call *call, const char *session_id, const char *content, const char *reader,
                 struct store_answer *ret)
{
	char question_id[UUID_TEXT], message_id[UUID_TEXT], hash[65], now[32];
	struct stream *stream = NULL;
	struct store_turn turn = {
		.owner = call->owner_id,
		.session = session_id,
		.question_id = question_id,
		.message_id = message_id,
		.content = content,
		.created_at = now,
		.title = title_from(content, call->arena),
		.key = call->idempotency_key && *call->idempotency_key ? call->idempotency_key : NULL,
	};
	int stored;

	uuid_make(question_id);
	uuid_make(message_id);
	clock_rfc3339(now, clock_unix_ms());
	sha256_hex(hash, content, strlen(content));
	turn.request_hash = turn.key ? hash : NULL;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	stored = store(call, &turn, reader, &stream, ret);
	if (stored < 1) {
		db_rollback(call->db);
		if (stream)
			stream_close(stream);
		return stored;
	}
	*ret = (struct store_answer){
		.question_id = arena_strdup(call->arena, question_id),
		.message_id = arena_strdup(call->arena, message_id),
		.stream = turn.stream,
		.status = "generating",
	};
	return start(call, &turn, stream);
}

/* --- Waiting -------------------------------------------------------------------------------------------------------- */

int answer_wait(struct call *call, const char *session_id, const char *message_id, Chat__Message *out)
{
	struct state *state = call->state;

	for (;;) {
		int64_t left = call->deadline - clock_unix_ms() - MARGIN_MS;
		bool over = left <= 0 || atomic_load(call->cancelled);
		int found;

		if (!over && turns_wait(state->turns, message_id, left < GLANCE_MS ? left : GLANCE_MS))
			continue;
		chat__message__init(out);
		found = store_get_message(call->db, call->owner_id, session_id, message_id, out, call->arena,
		                          call->err);
		if (found <= 0)
			return found < 0 ? -1 : error_set(call->err, ERROR_NOT_FOUND, "no such message");
		if (out->status != CHAT__MESSAGE_STATUS__GENERATING || over)
			return 0;
		usleep(LOOK_AGAIN_MS * 1000);
	}
}

int answer_judge(struct call *call, const Chat__Message *message)
{
	switch (message->status) {
	case CHAT__MESSAGE_STATUS__FAILED: return error_set(call->err, ERROR_UPSTREAM, "%s", message->error);
	case CHAT__MESSAGE_STATUS__INTERRUPTED:
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME,
		                 "the answer was interrupted; what there is of it is in the session");
	case CHAT__MESSAGE_STATUS__GENERATING:
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME,
		                 "the answer is still being written; it will be in the session");
	default: return 0;
	}
}

/* --- Its events ------------------------------------------------------------------------------------------------------ */

/* The events of an answer that was written long ago, or whose writer died, in a new stream. */
static int retell(struct call *call, const char *session_id, const struct store_answer *answer,
                  const char *reader, Rpc__Started *out)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct event_list list = { 0 }, nothing_more = { 0 };
	struct stream *stream;
	int found, kept;

	found = store_get_message(call->db, call->owner_id, session_id, answer->message_id, &message,
	                          call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1 : error_set(call->err, ERROR_NOT_FOUND, "no such message");
	if (stream_open(service_streams(call->service), reader, &stream, call->err) < 0)
		return -1;
	events_of_message(answer->question_id, &message, &list, call->arena);
	events_append(stream, &list);
	out->stream = arena_strdup(call->arena, stream_id(stream));
	kept = store_retell(call->db, call->owner_id, answer->message_id, out->stream,
	                    events_log(stream, &nothing_more, call->arena), call->err);
	stream_close(stream);
	return kept;
}

int answer_stream(struct call *call, const char *session_id, const struct store_answer *answer,
                  const char *reader, Rpc__Started *out)
{
	out->has_after = true;
	out->stream = (char *)answer->stream;
	if (strcmp(answer->status, "generating") == 0 || answer->has_log)
		return 0;
	return retell(call, session_id, answer, reader, out);
}

/* "<stream>.<sequence>", as the reader got it in an event's id. */
static int read_event_id(struct call *call, const char *id, Rpc__Started *out)
{
	const char *dot = strrchr(id, '.');
	char *end = NULL;

	out->has_after = true;
	out->after = dot ? strtoll(dot + 1, &end, 10) : 0;
	if (!dot || dot == id || end == dot + 1 || *end || out->after < 0)
		return error_field(call->err, call->arena, "header", "Last-Event-ID", "value_error",
		                   "is not the id of an event of ours");
	out->stream = arena_strndup(call->arena, id, (size_t)(dot - id));
	return 0;
}

int answer_resume(struct call *call, const char *session_id, const char *last_event_id, const char *reader,
                  Rpc__Started *out)
{
	bool resumes = last_event_id && *last_event_id;
	struct store_answer answer;
	int found;

	if (resumes && read_event_id(call, last_event_id, out) < 0)
		return -1;
	found = resumes ? store_answer_by_stream(call->db, call->owner_id, session_id, out->stream, &answer,
	                                         call->arena, call->err)
	                : store_latest_answer(call->db, call->owner_id, session_id, &answer, call->arena,
	                                      call->err);
	if (found <= 0)
		return found < 0 ? -1
		                 : error_set(call->err, ERROR_NOT_FOUND, "no such answer in this session");
	return resumes ? 0 : answer_stream(call, session_id, &answer, reader, out);
}

/* The caller's answer of that stream; or a visitor's, whose reader knows nothing else. */
static int find_by_stream(struct call *call, const char *stream, const char **owner, struct store_answer *ret)
{
	int found = 0;

	*owner = call->owner_id;
	if (*owner)
		found = store_answer_by_stream(call->db, *owner, NULL, stream, ret, call->arena, call->err);
	return found ? found : store_visitor_answer(call->db, stream, owner, ret, call->arena, call->err);
}

int answer_load_stream(struct call *call, const Rpc__NextRequest *in, Rpc__NextReply *out)
{
	struct store_answer answer;
	ProtobufCBinaryData log;
	const char *owner;
	int found;

	if (!in->stream)
		return 0;
	found = find_by_stream(call, in->stream, &owner, &answer);
	if (found <= 0)
		return found;
	if (strcmp(answer.status, "generating") == 0)
		return 1; /* by somebody else; if that one is dead, the lease ends soon */
	found = store_load_events(call->db, owner, answer.message_id, &log, call->arena, call->err);
	if (found < 0)
		return -1;
	if (found)
		return events_after(log, in->after, out, call->arena, call->err) < 0 ? -1 : 1;
	/* Its reader may have seen more than was stored, so nothing is told again. */
	events_only_error(answer.error
	                      ? answer.error
	                      : "the events of this answer are gone; the session has the whole of it",
	                  in->after, out, call->arena);
	return 1;
}
