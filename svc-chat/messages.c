#include "svc-chat/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/stream/stream.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/keep.h"

enum {
	MESSAGES_PAGE = 1000, /* in one reply, at most; store.h bounds their bytes */
	STOP_MS = 10 * 1000,  /* for the writer to store what there is */
};

/* --- Pages ------------------------------------------------------------------------------------------------------------ */

/*
 * A cursor is "after.before.older": go on
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

int messages_page(struct call *call, struct messages_page *p)
{
	Chat__SessionDetails session = CHAT__SESSION_DETAILS__INIT;
	struct window w = { p->has_limit ? back : 0, INT64_MAX, 0 };
	int limit = p->has_limit && p->limit < MESSAGES_PAGE ? p->limit : MESSAGES_PAGE;
	int64_t last;
	bool more;

	if (read_cursor(call, p->cursor, &w) < 0 ||
	    db_must_find(
	        store_get_session(call->db, call->owner_id, p->session, &session, call->arena, call->err),
	        "session", call->err) < 0)
		return -1;
	if (w.after == back) {
		if (store_page_start(call->db, call->owner_id, p->session, p->all, w.before, limit, 0,
		                     &w.after, &more, call->err) < 0)
			return -1;
		w.older = more ? w.after : 0;
		w.after--;
	}
	if (store_messages(call->db, call->owner_id, p->session, p->all, w.after, w.before, limit, &p->count,
	                   &p->messages, &last, &more, call->arena, call->err) < 0)
		return -1;
	if (more)
		w.after = last;
	else
		w = (struct window){ back, w.older, 0 };
	if (more || w.before)
		p->next =
		    arena_printf(call->arena, "%" PRId64 ".%" PRId64 ".%" PRId64, w.after, w.before, w.older);
	return 0;
}

/* --- Asking ----------------------------------------------------------------------------------------------------------- */

static int begin(struct call *call, const struct messages_ask *ask, struct store_turn *turn)
{
	return turn_begin(call,
	                  &(struct turn_question){ .session = ask->session,
	                                           .content = ask->content,
	                                           .again = ask->again,
	                                           .edits = ask->edits,
	                                           .reader = stream_reader(call->caller) },
	                  turn);
}

int messages_ask(struct call *call, const struct messages_ask *ask, turn_fill *fill, ProtobufCMessage *out)
{
	struct store_turn turn;

	if (begin(call, ask, &turn) < 0)
		return -1;
	return turn_await(call,
	                  &(struct turn_awaited){ .owner = call->owner_id,
	                                          .session = ask->session,
	                                          .message_id = turn.message_id,
	                                          .whole = true,
	                                          .fill = fill },
	                  out);
}

int messages_stream(struct call *call, const struct messages_ask *ask, Rpc__Started *out)
{
	struct store_turn turn;

	if (begin(call, ask, &turn) < 0)
		return -1;
	return turn_follow(call, ask->session, &turn, stream_reader(call->caller), out);
}

/* --- One of them ------------------------------------------------------------------------------------------------------ */

int messages_stop(struct call *call, const char *owner, const char *session, const char *id, turn_fill *fill,
                  ProtobufCMessage *out)
{
	struct chat *chat = chat_state(call);
	int asked = store_stop(call->db, owner, session, id, call->err);

	if (asked < 0)
		return -1;
	if (asked) { /* at once when it is written here, else by NOTIFY */
		keeper_stop(chat->keeper, id);
		keeper_seek(chat->keeper); /* where nobody holds it */
		if (store_tell(call->db, "stop", id, call->err) < 0)
			return -1;
	}
	return turn_await(call,
	                  &(struct turn_awaited){ .owner = owner,
	                                          .session = session,
	                                          .message_id = id,
	                                          .until = clock_unix_ms() + STOP_MS,
	                                          .fill = fill },
	                  out);
}

/* Stored, and told to whoever listens, or neither. */
static int judge(struct call *call, const char *session, const char *id, const char *said,
                 const char *comment)
{
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = store_set_feedback(call->db, call->owner_id, session, id, said, comment, call->err);
	if (db_must_find(found, "answer in this session", call->err) == 0 &&
	    store_tell_message(call->db, call->owner_id, session, id, "answer.rated", call->err) >= 0 &&
	    db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

int messages_judge(struct call *call, const char *session, const char *id, const char *value,
                   const char *comment, Chat__Message *out)
{
	const char *said = value && *value ? value : NULL;

	if (judge(call, session, id, said, said ? comment : NULL) < 0)
		return -1;
	return store_get_message(call->db, call->owner_id, session, id, out, call->arena, call->err) < 0 ? -1
	                                                                                                 : 0;
}

int messages_choose(struct call *call, const char *session, const char *id, Chat__Message *out)
{
	if (db_must_find(store_choose(call->db, call->owner_id, session, id, call->err),
	                 "message in this session", call->err) < 0)
		return -1;
	return store_get_message(call->db, call->owner_id, session, id, out, call->arena, call->err) < 0 ? -1
	                                                                                                 : 0;
}
