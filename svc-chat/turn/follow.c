/* Waiting for a turn, and finding its events again. The writing itself is in write.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "svc-chat/sealed.h"
#include "svc-chat/state.h"
#include "svc-chat/tools/servers.h"
#include "svc-chat/turn/cuts.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/turn.h"

enum {
	LOOK_AGAIN_MS = 300, /* for an answer that another replica writes */
	MARGIN_MS = 500,     /* before the deadline, to say that time is up */
};

/* --- Waiting -------------------------------------------------------------------------------------------------------- */

/* A call that waits; in its arena. */
struct waiting {
	struct turn_awaited what;
	struct keeper_guest guest;
};

static int resume(struct call *call, void *arg, ProtobufCMessage *out);

/* An approval can wait; without a sign-in there is nothing to show. */
static int judge_waiting(struct call *call, const Chat__Message *message)
{
	for (size_t i = 0; i < message->n_tool_calls; i++) {
		const Chat__ToolCall *tool = message->tool_calls[i];

		if (tool->oauth_url && strcmp(tool->status, "waiting") == 0)
			return servers_refuse_sign_in(call, tool->server, tool->server_id, tool->oauth_url);
	}
	return 0;
}

/* What a message means to somebody who waited for a whole answer. */
static int judge(struct call *call, const Chat__Message *message)
{
	switch (message->status) {
	case CHAT__MESSAGE_STATUS__FAILED: return error_set(call->err, ERROR_UPSTREAM, "%s", message->error);
	case CHAT__MESSAGE_STATUS__INTERRUPTED:
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME,
		                 "the answer was interrupted; what there is of it is in the session");
	case CHAT__MESSAGE_STATUS__GENERATING:
	case CHAT__MESSAGE_STATUS__QUEUED:
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME,
		                 "the answer is still being written; it will be in the session");
	case CHAT__MESSAGE_STATUS__WAITING: return judge_waiting(call, message);
	default: return 0;
	}
}

static int tell(struct call *call, const struct turn_awaited *what, Chat__Message *message,
                ProtobufCMessage *out)
{
	if (!what->fill)
		*(Chat__Message *)out = *message;
	else if (what->fill(call, message, out) < 0)
		return -1;
	return what->whole ? judge(call, message) : 0;
}

/* 1: it is told. 0: it is still being written, and there is time. */
static int look(struct call *call, const struct turn_awaited *what, bool over, ProtobufCMessage *out)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	int found = store_get_message(call->db, what->owner, what->session, what->message_id, &message,
	                              call->arena, call->err);

	if (found <= 0)
		return found < 0 ? -1 : error_set(call->err, ERROR_NOT_FOUND, EVENTS_DELETED);
	if (!over && (message.status == CHAT__MESSAGE_STATUS__GENERATING ||
	              message.status == CHAT__MESSAGE_STATUS__QUEUED))
		return 0;
	return tell(call, what, &message, out) < 0 ? -1 : 1;
}

/* false: there is no place to wait in. */
static bool park(struct call *call, struct waiting *w, bool here)
{
	struct chat *chat = chat_state(call);
	int64_t until = w->what.until, soon = clock_unix_ms() + LOOK_AGAIN_MS;

	w->guest.parked = call_park(call, here || until < soon ? until : soon, resume, w);
	if (w->guest.parked && here && !keeper_await(chat->keeper, w->what.message_id, &w->guest))
		call_wake(w->guest.parked);
	return w->guest.parked != NULL;
}

static int await(struct call *call, struct waiting *w, ProtobufCMessage *out)
{
	const char *id = w->what.message_id;
	struct chat *chat = chat_state(call);

	for (;;) {
		bool over = clock_unix_ms() >= w->what.until || atomic_load(call->cancelled);
		bool here = !over && keeper_holds(chat->keeper, id);
		int told = here ? 0 : look(call, &w->what, over, out);

		if (told != 0)
			return told < 0 ? -1 : 0;
		if (park(call, w, here))
			return 0;
		if (here)
			keeper_wait(chat->keeper, id, LOOK_AGAIN_MS);
		else
			usleep(LOOK_AGAIN_MS * 1000);
	}
}

static int resume(struct call *call, void *arg, ProtobufCMessage *out)
{
	struct waiting *w = arg;

	keeper_forget(chat_state(call)->keeper, &w->guest);
	return call->parked ? await(call, w, out) : 0; /* without: it has failed already */
}

int turn_await(struct call *call, const struct turn_awaited *what, ProtobufCMessage *out)
{
	struct waiting *w = arena_new(call->arena, struct waiting, 1);
	int64_t patience = call->deadline - MARGIN_MS;

	w->what = *what;
	w->what.owner = arena_strdup(call->arena, what->owner);
	w->what.session = arena_strdup(call->arena, what->session);
	w->what.message_id = arena_strdup(call->arena, what->message_id);
	if (!what->until || what->until > patience)
		w->what.until = patience;
	return await(call, w, out);
}

/* --- Its events ------------------------------------------------------------------------------------------------------ */

static bool under_way(const struct store_turn *turn)
{
	return strcmp(turn->status, "generating") == 0 || strcmp(turn->status, "queued") == 0 ||
	       strcmp(turn->status, "waiting") == 0;
}

/* The events of an answer that was written long ago, or whose writer died, in a new stream. */
static int retell(struct call *call, const char *session_id, const struct store_turn *turn,
                  const char *reader, Rpc__Started *out)
{
	struct stream_hub *hub = service_streams(call->service);
	const struct chat *chat = chat_state(call);
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct event_list list = { 0 }, nothing_more = { 0 };
	struct store_begun begun;
	char tail[SEALED_OWNER_TEXT], id[STREAM_ID];
	ProtobufCBinaryData log;
	struct stream *stream;
	int64_t last;
	int found, kept;

	found = store_get_message(call->db, call->owner_id, session_id, turn->message_id, &message,
	                          call->arena, call->err);
	if (found > 0)
		found = store_load_turn(call->db, call->owner_id, session_id, turn->message_id, 0, &begun,
		                        call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1 : error_set(call->err, ERROR_NOT_FOUND, "no such message");
	sealed_owner(chat->key, call->owner_id, tail);
	stream_make_id(hub, tail, id);
	if (stream_open_as(hub, id, reader, &stream, call->err) < 0)
		return -1;
	events_of_message(&begun, &message, &list, call->arena);
	events_append(stream, &list);
	out->stream = arena_strdup(call->arena, id);
	log = events_log(stream, &nothing_more, &last, call->arena);
	kept = store_retell(call->db, call->owner_id, turn->message_id, id, log, last, call->err);
	stream_close(stream);
	return kept;
}

int turn_follow(struct call *call, const char *session_id, const struct store_turn *turn, const char *reader,
                Rpc__Started *out)
{
	out->has_after = true;
	out->stream = (char *)turn->stream;
	if (under_way(turn))
		stream_so_far(service_streams(call->service), reader, out, call->arena);
	if (under_way(turn) || (turn->last && strcmp(turn->status, "interrupted") != 0))
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

/* Is there something that a reader of `after` has not seen? An answer that was cut off ends with an error. */
static bool more_follows(const struct store_turn *turn, int64_t after)
{
	if (under_way(turn))
		return true;
	return turn->last ? after < turn->last : strcmp(turn->status, "interrupted") == 0;
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
	if (!resumes)
		return turn_follow(call, session_id, &turn, reader, out);
	if (!more_follows(&turn, out->after))
		out->stream = NULL;
	return 0;
}

/* The caller's turn of that stream; or a visitor's, whose reader knows nothing else. */
static int find_by_stream(struct call *call, const char *stream, const char **owner, struct store_turn *ret)
{
	const struct chat *chat = chat_state(call);
	const char *dash = strchr(stream, '-');
	char sealed[UUID_TEXT];

	*owner = call->owner_id;
	if (!*owner && dash && sealed_owner_of(chat->key, dash + 1, sealed) == 0)
		*owner = arena_strdup(call->arena, sealed);
	return *owner ? store_turn_by_stream(call->db, *owner, NULL, stream, ret, call->arena, call->err) : 0;
}

/* Of an answer whose log is its message. */
static int make_log(struct call *call, const char *owner, const char *message_id, ProtobufCBinaryData *ret)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct store_begun begun;
	ProtobufCBinaryData cuts;
	const char *session;
	int found = store_load_cuts(call->db, owner, message_id, &cuts, &session, call->arena, call->err);

	if (found > 0)
		found =
		    store_get_message(call->db, owner, session, message_id, &message, call->arena, call->err);
	if (found > 0)
		found =
		    store_load_turn(call->db, owner, session, message_id, 0, &begun, call->arena, call->err);
	if (found <= 0)
		return found;
	cuts_log(cuts, &begun, &message, ret, call->arena);
	return ret->data != NULL;
}

/* 1: what was stored of it goes on after `after`. */
static int load_log(struct call *call, const char *owner, const struct store_turn *turn, int64_t after,
                    Rpc__NextReply *out)
{
	ProtobufCBinaryData log;
	int found = store_load_events(call->db, owner, turn->message_id, &log, call->arena, call->err);

	if (found == 0)
		found = make_log(call, owner, turn->message_id, &log);
	if (found <= 0)
		return found;
	if (events_after(log, after, out, call->arena, call->err) < 0)
		return -1;
	return out->n_events > 0;
}

/* Its reader may have seen more than was stored, so nothing is told again: how it ended, and that this was told. */
static int tell_end(struct call *call, const char *owner, const struct store_turn *turn, int64_t after,
                    Rpc__NextReply *out)
{
	events_only_error(turn->error ? turn->error
	                              : "the events of this answer are gone; the session has the whole of it",
	                  after, out, call->arena);
	return store_keep_events(call->db, owner, turn->message_id, events_pack(out, call->arena), after + 1,
	                         call->err);
}

int turn_load_stream(struct call *call, const Rpc__NextRequest *in, Rpc__NextReply *out)
{
	struct store_turn turn;
	const char *owner;
	int found;

	if (!in->stream)
		return 0;
	found = find_by_stream(call, in->stream, &owner, &turn);
	if (found < 0 || !owner)
		return found;
	if (!found) { /* a reader was led to it, so it was there */
		events_only_error(EVENTS_DELETED, in->after, out, call->arena);
		return 1;
	}
	if (under_way(&turn)) { /* somebody else's; if that one is dead, the lease ends soon */
		if (strcmp(turn.status, "waiting") != 0)
			return 1;
		found = load_log(call, owner, &turn, in->after, out);
		out->end = false;
		return found < 0 ? -1 : 1;
	}
	found = load_log(call, owner, &turn, in->after, out);
	if (found != 0)
		return found;
	return tell_end(call, owner, &turn, in->after, out) < 0 ? -1 : 1;
}
