/*
 * turn: a question and its answer: the question is stored, passages are searched, a model writes, its citations are
 * checked, and what comes is both streamed and stored.
 *
 * A turn is written by a task of its own, whoever waits for it: a client that goes away does not lose the answer, and
 * when its writer dies another one goes on. Turns of a session are answered in order: one that comes while another is
 * under way is queued. A turn ends in exactly one of: complete, stopped (by its user), failed (with a sentence),
 * interrupted (its writer died while the model spoke).
 */
#ifndef PARLEY_CHAT_TURN_H
#define PARLEY_CHAT_TURN_H

#include "chat.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/store.h"

struct turn_question {
	const char *session, *content;
	const char *reader; /* who may follow the answer: stream_reader() of whoever asks */
	/* The last answer, which is written anew (content is NULL then); the last question, which is asked otherwise. */
	const char *again, *edits;
	/* Of a visitor, whose session begins with the first message: the chatbot; else NULL. */
	const char *chatbot, *origin, *expires_at;
	/* What was said before, where that is not what the session has; else NULL. */
	const struct model_message *history;
	size_t history_count;
};

/*
 * Begin a turn for call's owner. *ret tells of it; it is being written then, or queued. A repeated Idempotency-Key finds
 * the turn that it began. ERROR_NOT_FOUND, ERROR_CONFLICT when too many wait in that session, ERROR_INVALID for a key
 * that was used for something else, ERROR_UNAVAILABLE (and nothing is stored).
 */
int turn_begin(struct call *call, const struct turn_question *question, struct store_turn *ret) CHECKED;

/*
 * What the caller says to a call of a tool that waits for that; *out: the call as it is then. scope: "once", "chat", "always";
 * arguments: instead of the model's, or NULL. ERROR_NOT_FOUND, ERROR_CONFLICT when it does not wait, ERROR_INVALID for
 * arguments that the tool does not take.
 */
int turn_approve(struct call *call, const char *session, const char *id, const char *scope,
                 const char *arguments, Chat__ToolCall *out) CHECKED;
int turn_deny(struct call *call, const char *session, const char *id, const char *reason,
              Chat__ToolCall *out) CHECKED;
/* What the caller answers to what a tool's server asks; content: of an accepted form, or NULL. ERROR_NOT_FOUND, ERROR_CONFLICT
 * when it does not wait, ERROR_INVALID for what the form does not take. */
int turn_answer(struct call *call, const char *session, const char *id, const char *action,
                const char *content, Chat__ToolCall *out) CHECKED;
/* The owner has signed in at that server: calls that waited for it go ahead. */
void turn_signed_in(struct call *call, const char *owner, int64_t server_id);
/* What waits in that session is denied, since its user says something else instead. */
void turn_deny_all(struct call *call, const char *session);

/* Makes a method's answer of a message: 0, or -1. */
typedef int turn_fill(struct call *call, Chat__Message *message, ProtobufCMessage *out);

struct turn_awaited {
	const char *owner, *session, *message_id;
	int64_t until;   /* Unix ms; 0: as long as the call may */
	bool whole;      /* one that failed, or is not whole by then, is an error */
	turn_fill *fill; /* NULL: the answer is the message */
};

/*
 * Wait until an answer is written, wherever that happens, and fill in *out by it as it then is. What a handler does last:
 * the call is parked meanwhile (call_park()), so 0 may mean that *out is filled in later. `call` is the method's own,
 * also where it acts for another owner.
 */
int turn_await(struct call *call, const struct turn_awaited *what, ProtobufCMessage *out) CHECKED;

/* Where the events of an answer can be read: its own stream, or (when that is gone) a new one that tells it anew. */
int turn_follow(struct call *call, const char *session_id, const struct store_turn *turn, const char *reader,
                Rpc__Started *out) CHECKED;
/* The same after the event of that id ("<stream>.<sequence>"), no stream when nothing follows it; of the latest answer
 * from its start without one. */
int turn_resume(struct call *call, const char *session_id, const char *last_event_id, const char *reader,
                Rpc__Started *out) CHECKED;

/* The service's stream_loader. */
int turn_load_stream(struct call *call, const Rpc__NextRequest *in, Rpc__NextReply *out);

#endif
