/* One function per method of chat.proto. Each checks, loads, decides, stores, fills `out`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/service/service.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/answer.h"
#include "svc-chat/turn/turns.h"

enum {
	MESSAGES_PAGE = 1000, /* in one reply, at most; store.h bounds their bytes */
	STOP_MS = 10 * 1000,  /* for the writer to store what there is */
};

static int no_session(struct call *call)
{
	return error_set(call->err, ERROR_NOT_FOUND, "no such session");
}

/* --- Sessions ------------------------------------------------------------------------------------------------------- */

int chat_create_session(struct call *call, const Chat__CreateSessionRequest *in, Chat__SessionDetails *out)
{
	const char *title = in->title && *in->title ? in->title : NULL;
	char id[UUID_TEXT];

	uuid_make(id);
	if (store_create_session(call->db, call->owner_id, id, in->chatbot_id, title, call->err) < 0)
		return -1;
	return store_get_session(call->db, call->owner_id, id, out, call->arena, call->err) < 0 ? -1 : 0;
}

int chat_list_sessions(struct call *call, const Chat__ListSessionsRequest *in, Chat__SessionList *out)
{
	int limit = in->has_limit && in->limit < STORE_SESSIONS ? in->limit : STORE_SESSIONS;

	return store_list_sessions(call->db, call->owner_id, in->cursor, limit, out, call->arena, call->err);
}

int chat_get_session(struct call *call, const Chat__SessionRequest *in, Chat__SessionDetails *out)
{
	int found = store_get_session(call->db, call->owner_id, in->session_id, out, call->arena, call->err);
	int64_t first, last;
	bool more;

	if (found <= 0)
		return found < 0 ? -1 : no_session(call);
	if (store_page_start(call->db, call->owner_id, in->session_id, INT64_MAX, MESSAGES_PAGE, STORE_BYTES,
	                     &first, &more, call->err) < 0)
		return -1;
	return store_messages(call->db, call->owner_id, in->session_id, first - 1, INT64_MAX, MESSAGES_PAGE,
	                      &out->n_messages, &out->messages, &last, &more, call->arena, call->err);
}

int chat_delete_session(struct call *call, const Chat__SessionRequest *in, Rpc__Empty *out)
{
	int found = store_delete_session(call->db, call->owner_id, in->session_id, call->err);

	(void)out;
	return found == 0 ? no_session(call) : found < 0 ? -1 : 0;
}

int chat_get_usage(struct call *call, const Rpc__Empty *in, Chat__Usage *out)
{
	(void)in;
	if (!call->owner_id)
		return error_set(call->err, ERROR_INVALID, "whose usage?");
	out->has_messages = true;
	return store_usage(call->db, call->owner_id, &out->messages, call->err);
}

/* --- Messages ------------------------------------------------------------------------------------------------------- */

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

int chat_send_message(struct call *call, const Chat__SendMessageRequest *in, Chat__Message *out)
{
	struct store_answer answer;

	if (answer_begin(call, in->session_id, in->content, stream_reader(call->caller), &answer) < 0)
		return -1;
	if (answer_wait(call, in->session_id, answer.message_id, out) < 0)
		return -1;
	return answer_judge(call, out);
}

int chat_stream_message(struct call *call, const Chat__SendMessageRequest *in, Rpc__Started *out)
{
	struct store_answer answer;

	if (answer_begin(call, in->session_id, in->content, stream_reader(call->caller), &answer) < 0)
		return -1;
	return answer_stream(call, in->session_id, &answer, stream_reader(call->caller), out);
}

int chat_resume_message(struct call *call, const Chat__ResumeRequest *in, Rpc__Started *out)
{
	return answer_resume(call, in->session_id, in->last_event_id, stream_reader(call->caller), out);
}

int chat_stop_message(struct call *call, const Chat__StopMessageRequest *in, Chat__Message *out)
{
	struct state *state = call->state;
	int64_t soon = clock_unix_ms() + STOP_MS;

	int asked = store_stop(call->db, call->owner_id, in->session_id, in->message_id, call->err);

	if (asked < 0)
		return -1;
	if (asked) /* without waiting for the NOTIFY, when it is written here */
		turns_stop(state->turns, in->message_id);
	if (soon < call->deadline)
		call->deadline = soon;
	return answer_wait(call, in->session_id, in->message_id, out);
}
