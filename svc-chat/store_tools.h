/*
 * store_tools: the calls of tools of turns, which are steps. Each statement names the owner; what a writer stores names its
 * attempt, too, so that one that has lost the turn changes nothing.
 *
 * Only what must not be forgotten waits for the disk: that a call which must not be made twice is about to be sent, and
 * that people are asked. A round and a result are on disk a moment later: they are safe from the death of any of us, and
 * when the database's own machine dies in that moment, the call is as one whose writer died while it ran.
 */
#ifndef PARLEY_CHAT_STORE_TOOLS_H
#define PARLEY_CHAT_STORE_TOOLS_H

#include "svc-chat/store.h"

extern const struct db_stmt store_tools_statements[];

enum {
	STORE_WAITING = 50,     /* turns of one owner that may wait for people */
	STORE_RESULT = 1 << 20, /* bytes of a result that are kept */
	STORE_SHOWN = 4 << 10,  /* of it that messages show */
};

struct tool_step {
	int number, round;
	const char *state; /* "waiting", "ready", "running"; "failed": denied, and not told yet; "done" */
	Chat__ToolCall *call;
	Chat__ToolDetail *detail;
	const char *result; /* NULL until it is done */
};
/* A model was asked, and wanted calls. */
struct store_round {
	int number, round;
	Chat__RoundText *said;
};
struct store_rounds {
	struct store_round *rounds;
	size_t round_count;
	struct tool_step *calls; /* of all rounds, in their order */
	size_t call_count;
	Documents__Source **passages; /* found so far */
	size_t passage_count;
	ProtobufCBinaryData log;         /* of the stream, as it was when a round was stored last */
	const char *content, *reasoning; /* of the answer so far, and what it cites */
	Documents__Source **sources;
	size_t source_count;
};
/* Of a turn that is gone on with; 0 when it has none. */
int store_load_rounds(struct db *db, const char *owner, const char *message_id, struct store_rounds *ret,
                      struct arena *a, struct error *err) CHECKED;

/* Where a writer stands. */
struct store_writer {
	const char *owner, *message_id;
	int attempt;
};
/* What the model said and wants, what there is of the answer, and the stream's log. 1; 0: the turn is not this attempt's
 * any more; so with those below. */
struct store_added {
	const struct store_round *round;
	const struct tool_step *calls;
	size_t count;
	const char *content, *reasoning;
	ProtobufCBinaryData sources, passages, log;
	int64_t last;
};
int store_add_round(struct db *db, const struct store_writer *w, const struct store_added *added,
                    struct arena *a, struct error *err) CHECKED;
/* From ready to running: before one is sent that must not be made twice. 0: it was not ready, and must not be sent. */
int store_start_call(struct db *db, const struct store_writer *w, const struct tool_step *call,
                     struct arena *a, struct error *err) CHECKED;
/* As it is now, whatever it was. passages: no data when they are what they were. */
int store_keep_call(struct db *db, const struct store_writer *w, const struct tool_step *call,
                    ProtobufCBinaryData passages, struct arena *a, struct error *err) CHECKED;
/* A file that a call gave back; its name may be NULL. most: bytes of such files that its owner may have. 0 also when there is
 * no room. */
int store_add_attachment(struct db *db, const struct store_writer *w, const char *id, const char *name,
                         const char *type, ProtobufCBinaryData data, int64_t most, struct error *err) CHECKED;
/* Of an answer in that session. 1, 0, -1. */
int store_get_attachment(struct db *db, const char *owner, const char *session, const char *id,
                         const char **name, const char **type, ProtobufCBinaryData *data, struct arena *a,
                         struct error *err) CHECKED;
/* The turn waits for people, if one of its calls does. 0: none does (any more), or it is not this attempt's. */
int store_rest(struct db *db, const struct store_writer *w, ProtobufCBinaryData log, int64_t last,
               struct error *err) CHECKED;
/* How many turns of the owner wait for people. */
int store_waiting(struct db *db, const char *owner, int64_t *ret, struct error *err) CHECKED;

/* --- What people say ------------------------------------------------------------------------------------------------- */

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
/* As it is compared with. */
ProtobufCBinaryData store_pack_detail(const Chat__ToolDetail *detail, struct arena *a);
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
