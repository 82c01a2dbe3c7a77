/*
 * Beginning a turn: a place for its writer is taken, the question is stored, and the writer starts. One that waits behind
 * another needs none yet, so where there is no place, it may still be stored as such a one.
 */
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/stream/stream.h"
#include "svc-chat/sealed.h"
#include "svc-chat/state.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/turn.h"
#include "svc-chat/turn/write.h"

enum { TITLE_CHARACTERS = 60 };

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

static struct stream *open_stream(struct call *call, const char *reader)
{
	const struct chat *chat = chat_state(call);
	struct stream_hub *hub = service_streams(call->service);
	char tail[SEALED_OWNER_TEXT], id[STREAM_ID];
	struct stream *stream;

	sealed_owner(chat->key, call->owner_id, tail);
	stream_make_id(hub, tail, id);
	return stream_open_as(hub, id, reader, &stream, call->err) < 0 ? NULL : stream;
}

/* Stores the turn; 1 when it is new. What its writer needs is in the writer's arena. */
static int store(struct call *call, const struct turn_question *q, bool waits, struct writer *writer,
                 struct store_turn *ret)
{
	const struct chat *chat = chat_state(call);
	char hash[65], now[32], question_id[UUID_TEXT];
	struct store_new_turn turn = {
		.owner = call->owner_id,
		.session = q->session,
		.question_id = question_id,
		.message_id = writer->message_id,
		.stream = stream_id(writer->stream),
		.content = q->content,
		.title = q->content ? title_from(q->content, call->arena) : NULL,
		.key = call->idempotency_key && *call->idempotency_key ? call->idempotency_key : NULL,
		.history_bytes = chat->context_tokens * STORE_BYTES_PER_TOKEN,
		.chatbot = q->chatbot,
		.origin = q->origin,
		.expires_at = q->expires_at,
		.again = q->again,
		.edits = q->edits,
		.waits = waits,
		.known = writer->past ? &writer->past->known : NULL,
	};
	const char *asked = q->content ? q->content : q->again;

	clock_rfc3339(now, clock_unix_ms());
	uuid_make(question_id);
	sha256_hex(hash, asked, strlen(asked));
	turn.created_at = now;
	turn.request_hash = turn.key ? hash : NULL;
	writer->begun = arena_new(&writer->arena, struct store_begun, 1);
	return store_begin_turn(call->db, &turn, writer->begun, ret, &writer->arena, call->err);
}

/* What was said before it is as it is known here; or its writer loads it. */
static void use_past(struct writer *writer)
{
	struct store_begun *begun = writer->begun;

	if (begun && begun->as_known) {
		begun->history = writer->past->messages;
		begun->history_count = writer->past->count;
		return;
	}
	if (writer->past)
		writer->begun = NULL;
	past_free(writer->past);
	writer->past = NULL;
}

/* Of a turn that waits behind others, the session's own does: they are the last words there. */
static void take_history(const struct turn_question *q, struct writer *writer)
{
	struct store_begun *begun = writer->begun;

	if (!q->history_count)
		return;
	begun->foreign = true;
	begun->history_count = q->history_count;
	begun->history = arena_new(&writer->arena, struct model_message, q->history_count);
	for (size_t i = 0; i < q->history_count; i++)
		begun->history[i] = (struct model_message){
			.role = arena_strdup(&writer->arena, q->history[i].role),
			.content = arena_strdup(&writer->arena, q->history[i].content),
		};
}

static void copy_turn(struct call *call, const struct store_turn *from, struct store_turn *ret)
{
	*ret = (struct store_turn){
		.question_id = arena_strdup(call->arena, from->question_id),
		.message_id = arena_strdup(call->arena, from->message_id),
		.stream = arena_strdup(call->arena, from->stream),
		.status = arena_strdup(call->arena, from->status),
		.error = arena_strdup(call->arena, from->error),
		.last = from->last,
	};
}

static void start(struct call *call, struct writer *writer, struct task *task, struct store_turn *ret)
{
	const struct chat *chat = chat_state(call);
	struct event_list begin = { 0 };
	bool queued = writer->begun->queued;

	copy_turn(call,
	          &(struct store_turn){ .question_id = writer->begun->question_id,
	                                .message_id = writer->message_id,
	                                .stream = stream_id(writer->stream),
	                                .status = queued ? "queued" : "generating" },
	          ret);
	events_of_begin(writer->begun, writer->message_id, &begin, call->arena);
	events_append(writer->stream, &begin);
	writer->queued = queued;
	if (queued) { /* what was said before it is not known yet */
		writer->begun = NULL;
		service_task_drop(task);
	}
	use_past(writer);
	keeper_add(chat->keeper, writer, queued ? NULL : task);
}

/* A place for its writer; *ret is NULL where there is none, and the turn may wait. */
static int take_place(struct call *call, const struct turn_question *q, struct task **ret)
{
	*ret = NULL;
	if (service_task_new(call, WRITE_DEADLINE_MS, ret, call->err) == 0)
		return 0;
	if (q->again || q->edits) /* never waits */
		return -1;
	error_clear(call->err);
	return 0;
}

/* Of a question that goes on with what was said in its session. */
static struct past *take_past(struct call *call, const struct turn_question *q)
{
	if (!q->content || q->edits || q->history_count)
		return NULL;
	return pasts_take(keeper_pasts(chat_state(call)->keeper), call->owner_id, q->session);
}

/* With or without a place for its writer. */
static int begin_with(struct call *call, const struct turn_question *q, struct task *task,
                      struct store_turn *ret)
{
	char message_id[UUID_TEXT];
	struct store_turn before;
	struct writer *writer;
	struct stream *stream;
	int stored;

	stream = open_stream(call, q->reader);
	if (!stream) {
		service_task_drop(task);
		return -1;
	}
	uuid_make(message_id);
	writer = keeper_new(call->owner_id, q->session, message_id, stream_id(stream));
	writer->stream = stream;
	writer->past = take_past(call, q);
	stored = store(call, q, task == NULL, writer, &before);
	if (stored == 1) {
		bool queued = writer->begun->queued;

		take_history(q, writer);
		start(call, writer, task, ret);
		if (queued)
			turn_deny_all(call, q->session);
		return 0;
	}
	if (stored == 0)
		copy_turn(call, &before, ret);
	stream_close(stream);
	service_task_drop(task);
	if (writer->past) /* nothing was said */
		pasts_put(keeper_pasts(chat_state(call)->keeper), writer->past);
	writer->past = NULL;
	keeper_free(writer);
	return stored;
}

static int begin(struct call *call, const struct turn_question *q, struct store_turn *ret, bool *waits)
{
	struct keeper *keeper = chat_state(call)->keeper;
	struct keeper_entry entry;
	struct task *task;
	int rc;

	keeper_enter(keeper, &entry, q->session);
	rc = take_place(call, q, &task);
	*waits = rc == 0 && !task;
	if (*waits) /* it comes before nobody */
		keeper_entered(keeper, &entry);
	if (rc == 0)
		rc = begin_with(call, q, task, ret);
	if (!*waits)
		keeper_entered(keeper, &entry);
	return rc;
}

/* Of two that come at once the one with the last place may be the one that is stored later: then the other tries again. */
int turn_begin(struct call *call, const struct turn_question *q, struct store_turn *ret)
{
	bool waits;

	if (begin(call, q, ret, &waits) == 0)
		return 0;
	if (!waits || call->err->code != ERROR_UNAVAILABLE)
		return -1;
	keeper_await_entered(chat_state(call)->keeper, q->session, call->deadline);
	error_clear(call->err);
	return begin(call, q, ret, &waits);
}
