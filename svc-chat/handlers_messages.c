/* The methods about messages: listing, sending, following, stopping. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/service/call.h"
#include "common/stream/stream.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/turn.h"

enum {
	MESSAGES_PAGE = 1000, /* in one reply, at most; store.h bounds their bytes */
	STOP_MS = 10 * 1000,  /* for the writer to store what there is */
};

static int no_session(struct call *call)
{
	return error_set(call->err, ERROR_NOT_FOUND, "no such session");
}

/*
 * Without a limit the messages run from the first to the last. With one, a page is the latest that many, again oldest
 * first, and what follows it is older. Either may take several replies. So a cursor is "after.before.older": go on
 * within that window of numbers, and when it is through with the page before `older` (0: none). BACK in place of
 * `after`: the page before `before`.
 */
static const int64_t back = -1;

struct window {
	int64_t after, before, older;
};

static int read_cursor(struct call *call, const char *cursor, struct window *w)
{
	int64_t *const numbers[] = { &w->after, &w->before, &w->older };
	char *at = (char *)cursor;

	if (!cursor || !*cursor)
		return 0;
	for (int i = 0; i < 3; i++) {
		const char *from = at;

		*numbers[i] = strtoll(from, &at, 10);
		if (at == from || *at != (i < 2 ? '.' : '\0'))
			return error_field(call->err, call->arena, "query", "cursor", "value_error",
			                   "is not one of ours");
		at++;
	}
	return w->after >= back ? 0
	                        : error_field(call->err, call->arena, "query", "cursor", "value_error",
	                                      "is not one of ours");
}

int chat_list_messages(struct call *call, const Chat__ListMessagesRequest *in, Chat__MessageList *out)
{
	Chat__SessionDetails session = CHAT__SESSION_DETAILS__INIT;
	struct window w = { in->has_limit ? back : 0, INT64_MAX, 0 };
	int limit = in->has_limit && in->limit < MESSAGES_PAGE ? in->limit : MESSAGES_PAGE;
	int64_t last;
	bool more;
	int found;

	if (read_cursor(call, in->cursor, &w) < 0)
		return -1;
	found = store_get_session(call->db, call->owner_id, in->session_id, &session, call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1 : no_session(call);
	if (w.after == back) {
		if (store_page_start(call->db, call->owner_id, in->session_id, w.before, limit, 0, &w.after,
		                     &more, call->err) < 0)
			return -1;
		w.older = more ? w.after : 0;
		w.after--;
	}
	if (store_messages(call->db, call->owner_id, in->session_id, w.after, w.before, limit,
	                   &out->n_messages, &out->messages, &last, &more, call->arena, call->err) < 0)
		return -1;
	if (more)
		w.after = last;
	else
		w = (struct window){ back, w.older, 0 };
	if (more || w.before)
		out->next =
		    arena_printf(call->arena, "%" PRId64 ".%" PRId64 ".%" PRId64, w.after, w.before, w.older);
	return 0;
}

/* A question of a user's own. */
static int ask(struct call *call, const Chat__SendMessageRequest *in, struct store_turn *turn)
{
	return turn_begin(call,
	                  &(struct turn_question){ .session = in->session_id,
	                                           .content = in->content,
	                                           .reader = stream_reader(call->caller) },
	                  turn);
}

int chat_send_message(struct call *call, const Chat__SendMessageRequest *in, Chat__Message *out)
{
	struct store_turn turn;

	if (ask(call, in, &turn) < 0 || turn_wait(call, in->session_id, turn.message_id, out) < 0)
		return -1;
	return turn_judge(call, out);
}

int chat_stream_message(struct call *call, const Chat__SendMessageRequest *in, Rpc__Started *out)
{
	struct store_turn turn;

	if (ask(call, in, &turn) < 0)
		return -1;
	return turn_follow(call, in->session_id, &turn, stream_reader(call->caller), out);
}

int chat_resume_message(struct call *call, const Chat__ResumeRequest *in, Rpc__Started *out)
{
	const char *after = in->last_event_id && *in->last_event_id ? in->last_event_id : in->after;

	return turn_resume(call, in->session_id, after, stream_reader(call->caller), out);
}

int chat_stop_message(struct call *call, const Chat__StopMessageRequest *in, Chat__Message *out)
{
	struct chat *chat = chat_state(call);
	int64_t soon = clock_unix_ms() + STOP_MS;

	int asked = store_stop(call->db, call->owner_id, in->session_id, in->message_id, call->err);

	if (asked < 0)
		return -1;
	if (asked) { /* at once when it is written here, else by NOTIFY */
		keeper_stop(chat->keeper, in->message_id);
		if (store_tell(call->db, "stop", in->message_id, call->err) < 0)
			return -1;
	}
	if (soon < call->deadline)
		call->deadline = soon;
	return turn_wait(call, in->session_id, in->message_id, out);
}
