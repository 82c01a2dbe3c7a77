/*
 * rounds: the calls of tools in a turn. A model is asked, wants calls, gets their results, and is asked again: a round each.
 *
 *	rounds_open(r)                 what may be called; what was called before this writer
 *	while (rounds_settle(r) == 0)  every call has its result (1: people are to say something first; 2: some run)
 *		ask_model(...), then rounds_add(r) for the calls that it wants
 *
 * Calls that run hold no thread: rounds_settle() is called again when the writer's task is woken, or r->wake_at has come.
 *
 * Every call is a stored step before anything is done about it, and is sent at most once: one that was sent by a writer that
 * died is told to the model as of unknown outcome, unless twice is as good as once. What a tool gives back is data for the
 * model, cut to a size; read_more gives the rest.
 */
#ifndef PARLEY_CHAT_ROUNDS_H
#define PARLEY_CHAT_ROUNDS_H

#include "svc-chat/model/calls.h"
#include "svc-chat/store_tools.h"
#include "svc-chat/tools/toolbox.h"
#include "svc-chat/turn/ask.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/keep.h"

struct rounds {
	/* Given. */
	struct call *call;
	struct chat *chat;
	struct writer *writer;
	const struct store_begun *begun;
	struct ask *ask;

	/* Its own. */
	struct toolbox box;
	struct store_rounds was; /* what is stored; grows in memory, too */
	int64_t until;           /* monotonic ms: no calls after it */
	size_t text_from;        /* of the answer's text and reasoning, where the round under way begins */
	size_t reasoning_from;
	struct together *running; /* NULL: no call runs */
	int64_t wake_at;          /* monotonic ms; 0: no such time */
	bool over;                /* the model was told that there are no more calls */
};

/* 1: this turn was begun by another writer (its rounds, passages and text are there again), 0 it was not. */
int rounds_load(struct rounds *r) CHECKED;
int rounds_settle(struct rounds *r) CHECKED;
/* The turn waits for people from now on: 1; 0: somebody has said something meanwhile. */
int rounds_rest(struct rounds *r) CHECKED;
/* It ends: what still waits is over. */
void rounds_end(struct rounds *r);
/* As the message shows them. */
Chat__ToolCall **rounds_shown(const struct rounds *r, size_t *count);

/* --- offer.c ----------------------------------------------------------------------------------------------------------- */

int rounds_open(struct rounds *r) CHECKED;
int64_t rounds_context(const struct ask *ask); /* tokens of the model's context */
/* NULL: there is none of that name. */
const struct tool *rounds_tool(const struct rounds *r, const char *name);

/* --- wanted.c ---------------------------------------------------------------------------------------------------------- */

/* The round that the model has ended, with the calls that it wants. */
int rounds_add(struct rounds *r) CHECKED;

/* --- run_calls.c ------------------------------------------------------------------------------------------------------- */

/* Run calls that are ready and may run side by side, as many as may at once; each is stored, and told, as it ends. 1: some
 * run, and are to be gone on with; 0; -1 (a store that is away), when none runs any more. */
int rounds_run(struct rounds *r, struct tool_step **calls, size_t count) CHECKED;
int rounds_go_on(struct rounds *r) CHECKED;
/* The call is done, with these words; stored, and told. */
int rounds_done(struct rounds *r, struct tool_step *call, const char *status, const char *text,
                ProtobufCBinaryData passages) CHECKED;
struct store_writer rounds_writer(const struct rounds *r);

/* --- builtins.c -------------------------------------------------------------------------------------------------------- */

extern const struct tool builtins[];
extern const size_t builtin_count;
/* What is found in all documents of the user, as a turn's passages. */
int builtin_search(struct rounds *r, const char *question) CHECKED;
/* Run one, here and now; *status becomes "done" or "failed", *text what it gives back. *passages: those that were found so
 * far, where they have become more. */
int builtin_run(struct rounds *r, const struct tool_step *call, const char **status, const char **text,
                ProtobufCBinaryData *passages) CHECKED;

#endif
