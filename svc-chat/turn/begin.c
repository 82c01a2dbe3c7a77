/* Beginning a turn: the question is stored, and a writer is found. */
#include "svc-chat/turn/turn.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "svc-chat/state.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/keep.h"
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

/* 1: this key began a turn before. */
static int repeated(struct call *call, const struct store_new_turn *turn, struct store_turn *ret)
{
	int found;

	if (!turn->key)
		return 0;
	found =
	    store_turn_by_key(call->db, turn->owner, turn->session, turn->key, ret, call->arena, call->err);
	if (found > 0 && strcmp(ret->request_hash, turn->request_hash) != 0)
		return error_set(call->err, ERROR_INVALID,
		                 "this Idempotency-Key was used for another message in this session");
	return found;
}

/* Within a transaction: 1 when the turn is new and stored, 0 when it was there, -1. */
static int store(struct call *call, struct store_new_turn *turn, const char *reader, struct stream **stream,
                 struct store_turn *ret)
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

static struct write_job *new_job(const struct store_new_turn *turn, struct stream *stream,
                                 struct writer *written, struct task *task)
{
	struct arena *a = service_task_arena(task);
	struct write_job *job = arena_new(a, struct write_job, 1);

	*job = (struct write_job){
		.session_id = arena_strdup(a, turn->session),
		.question_id = arena_strdup(a, turn->question_id),
		.question = arena_strdup(a, turn->content),
		.created_at = arena_strdup(a, turn->created_at),
		.stream = stream,
		.writer = written,
	};
	return job;
}

/* The turn is stored: find somebody to write it. */
static int start(struct call *call, const struct store_new_turn *turn, struct stream *stream)
{
	struct chat *chat = call->state;
	struct event_list begin = { .count = 2 };
	struct writer *written = keeper_add(chat->keeper, turn->owner, turn->message_id);
	struct task *task = service_task_new(call, WRITE_DEADLINE_MS);
	struct error undone = { 0 };

	begin.at[0] = event_message(turn->question_id, "user", call->arena);
	begin.at[1] = event_message(turn->message_id, "assistant", call->arena);
	events_append(stream, &begin);
	if (service_task_start(task, write_turn, new_job(turn, stream, written, task), call->err) == 0)
		return 0;
	keeper_remove(chat->keeper, written);
	stream_close(stream);
	if (store_abandon_turn(call->db, turn, &undone) < 0)
		error_detail(call->err, "and the turn stays behind: %s", undone.message);
	return -1;
}

int turn_begin(struct call *call, const char *session_id, const char *content, const char *reader,
               struct store_turn *ret)
{
	char question_id[UUID_TEXT], message_id[UUID_TEXT], hash[65], now[32];
	struct stream *stream = NULL;
	struct store_new_turn turn = {
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
	*ret = (struct store_turn){
		.question_id = arena_strdup(call->arena, question_id),
		.message_id = arena_strdup(call->arena, message_id),
		.stream = turn.stream,
		.status = "generating",
	};
	return start(call, &turn, stream);
}
