/*
 * store_decide: what people say of calls of tools: whether one that waits is made, what its server is answered, and which are
 * made without asking. Nobody's attempt is named here: a turn that waits may have no writer. Each that goes on by what was said
 * has its session locked before (the order of locks: session, turn, message).
 */
#ifndef PARLEY_CHAT_STORE_DECIDE_H
#define PARLEY_CHAT_STORE_DECIDE_H

#include "svc-chat/store_steps.h"

extern const struct db_stmt store_decide_statements[];

/* A call of that session, and the answer that it belongs to. 1, 0, -1. */
int store_find_call(struct db *db, const char *owner, const char *session, const char *id,
                    const char **message_id, struct tool_step *ret, struct arena *a,
                    struct error *err) CHECKED;
/* From waiting to call->state: 1. 0: it did not wait. When no call of the turn waits any more, the turn goes on: *goes_on,
 * and who holds it is to be told (store_tell, "begin"). */
int store_decide(struct db *db, const char *owner, const char *session, const char *message_id,
                 const struct tool_step *call, bool *goes_on, struct arena *a, struct error *err) CHECKED;
/* What is answered to a server's question in the middle of a call, whose state and detail were these: 1. 0: they have changed. */
int store_answer(struct db *db, const char *owner, const char *session, const char *message_id,
                 const struct tool_step *call, const char *was, ProtobufCBinaryData detail, bool *goes_on,
                 struct arena *a, struct error *err) CHECKED;
/* Cancels each question of the call that waits: whether there was one. The call is ready then. */
bool store_cancel_questions(struct tool_step *call, struct arena *a);
/* All calls that wait in that session are denied, with those words; *message_id: the turn that goes on, else NULL. */
int store_deny_all(struct db *db, const char *owner, const char *session, const char *why,
                   const char **message_id, struct arena *a, struct error *err) CHECKED;

/* Calls of the owner's that wait for a sign-in, at that server. */
struct store_asked {
	const char *session, *message_id;
	struct tool_step call;
};
int store_wait_for_sign_in(struct db *db, const char *owner, int64_t server_id, struct store_asked **ret,
                           size_t *count, struct arena *a, struct error *err) CHECKED;

/* --- What may be called without asking -------------------------------------------------------------------------------- */

int store_allow_in_session(struct db *db, const char *owner, const char *session, int64_t server,
                           const char *tool, const char *digest, struct error *err) CHECKED;
/* Rows server_id, tool, digest. */
int store_allowed_in_session(struct db *db, const char *owner, const char *session, PGresult **ret,
                             struct error *err) CHECKED;

#endif
