/*
 * turn: a question and its answer: the question is stored, passages are searched, a model writes, its citations
 * are checked, and what comes is both streamed and stored.
 *
 * A turn is written by a task of its own, whoever waits for it: a client that goes away does not lose the answer. It
 * ends in exactly one of: complete, stopped (by its user), failed (with a sentence), interrupted (its writer had to go).
 */
#ifndef PARLEY_CHAT_TURN_H
#define PARLEY_CHAT_TURN_H

#include "chat.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/store.h"

/*
 * Begin a turn in a session of call's owner. *ret tells of the answer, which is being written then. reader: who may
 * follow it (stream_reader() of whoever asks). A repeated Idempotency-Key finds the turn that it began.
 * ERROR_NOT_FOUND, ERROR_CONFLICT while another answer is written in that session, ERROR_INVALID for a key that was
 * used for something else, ERROR_UNAVAILABLE.
 */
int turn_begin(struct call *call, const char *session_id, const char *content, const char *reader,
               struct store_turn *ret) CHECKED;

/* Wait until an answer is written, wherever that happens, as long as the call may: 0 with the message as it then is. */
int turn_wait(struct call *call, const char *session_id, const char *message_id, Chat__Message *out) CHECKED;
/* What that message means to somebody who waited for a whole answer: 0, or -1. */
int turn_judge(struct call *call, const Chat__Message *message) CHECKED;

/* Where the events of an answer can be read: its own stream, or (when that is gone) a new one that tells it anew. */
int turn_follow(struct call *call, const char *session_id, const struct store_turn *turn, const char *reader,
                Rpc__Started *out) CHECKED;
/* The same after the event of that id ("<stream>.<sequence>"); of the latest answer from its start without one. */
int turn_resume(struct call *call, const char *session_id, const char *last_event_id, const char *reader,
                Rpc__Started *out) CHECKED;

/* The service's stream_loader. */
int turn_load_stream(struct call *call, const Rpc__NextRequest *in, Rpc__NextReply *out);

#endif
