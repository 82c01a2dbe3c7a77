/* Waiting for a turn, and finding its events again. The writing itself is in write.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "svc-chat/state.h"
#include "svc-chat/store_visitors.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/turn.h"

enum {
	LOOK_AGAIN_MS = 300, /* for an answer that another replica writes */
	GLANCE_MS = 500,     /* at whether the caller is still there */
	MARGIN_MS = 500,     /* before the deadline, to say that time is up */
};

/* --- Waiting -------------------------------------------------------------------------------------------------------- */

int turn_wait(struct call *call, const char *session_id, const char *message_id, Chat__Message *out)
{
	struct chat *chat = call->state;

	for (;;) {
		int64_t left = call->deadline - clock_unix_ms() - MARGIN_MS;
		bool over = left <= 0 || atomic_load(call->cancelled);
		int found;

		if (!over && keeper_wait(chat->keeper, message_id, left < GLANCE_MS ? left : GLANCE_MS))
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

int turn_judge(struct call *call, const Chat__Message *message)
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
static int retell(struct call *call, const char *session_id, const struct store_turn *turn,
                  const char *reader, Rpc__Started *out)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct event_list list = { 0 }, nothing_more = { 0 };
	struct stream *stream;
	int found, kept;

	found = store_get_message(call->db, call->owner_id, session_id, turn->message_id, &message,
	                          call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1 : error_set(call->err, ERROR_NOT_FOUND, "no such message");
	if (stream_open(service_streams(call->service), reader, &stream, call->err) < 0)
		return -1;
	events_of_message(turn->question_id, &message, &list, call->arena);
	events_append(stream, &list);
	out->stream = arena_strdup(call->arena, stream_id(stream));
	kept = store_retell(call->db, call->owner_id, turn->message_id, out->stream,
	                    events_log(stream, &nothing_more, call->arena), call->err);
	stream_close(stream);
	return kept;
}

int turn_follow(struct call *call, const char *session_id, const struct store_turn *turn, const char *reader,
                Rpc__Started *out)
{
	out->has_after = true;
	out->stream = (char *)turn->stream;
	if (strcmp(turn->status, "generating") == 0 || turn->has_log)
		return 0;
	return retell(call, session_id, turn, reader, out);
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

int turn_resume(struct call *call, const char *session_id, const char *last_event_id, const char *reader,
                Rpc__Started *out)
{
	bool resumes = last_event_id && *last_event_id;
	struct store_turn turn;
	int found;

	if (resumes && read_event_id(call, last_event_id, out) < 0)
		return -1;
	found = resumes
	            ? store_turn_by_stream(call->db, call->owner_id, session_id, out->stream, &turn,
	                                   call->arena, call->err)
	            : store_latest_turn(call->db, call->owner_id, session_id, &turn, call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1
		                 : error_set(call->err, ERROR_NOT_FOUND, "no such answer in this session");
	return resumes ? 0 : turn_follow(call, session_id, &turn, reader, out);
}

/* The caller's answer of that stream; or a visitor's, whose reader knows nothing else. */
static int find_by_stream(struct call *call, const char *stream, const char **owner, struct store_turn *ret)
{
	int found = 0;

	*owner = call->owner_id;
	if (*owner)
		found = store_turn_by_stream(call->db, *owner, NULL, stream, ret, call->arena, call->err);
	return found ? found : store_visitor_turn(call->db, stream, owner, ret, call->arena, call->err);
}

int turn_load_stream(struct call *call, const Rpc__NextRequest *in, Rpc__NextReply *out)
{
	struct store_turn turn;
	ProtobufCBinaryData log;
	const char *owner;
	int found;

	if (!in->stream)
		return 0;
	found = find_by_stream(call, in->stream, &owner, &turn);
	if (found <= 0)
		return found;
	if (strcmp(turn.status, "generating") == 0)
		return 1; /* by somebody else; if that one is dead, the lease ends soon */
	found = store_load_events(call->db, owner, turn.message_id, &log, call->arena, call->err);
	if (found < 0)
		return -1;
	if (found)
		return events_after(log, in->after, out, call->arena, call->err) < 0 ? -1 : 1;
	/* Its reader may have seen more than was stored, so nothing is told again. */
	events_only_error(turn.error ? turn.error
	                             : "the events of this answer are gone; the session has the whole of it",
	                  in->after, out, call->arena);
	return 1;
}
