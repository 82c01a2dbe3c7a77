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

#include "svc-chat/store_steps.h"

extern const struct db_stmt store_tools_statements[];

enum {
	STORE_WAITING = 50,     /* turns of one owner that may wait for people */
	STORE_RESULT = 1 << 20, /* bytes of a result that are kept */
	STORE_SHOWN = 4 << 10,  /* of it that messages show */
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

#endif
