/*
 * write: a writer: what it takes from the stored question to the stored answer. Runs as a task, entered at whichever step
 * was stored last: at the first for a new turn, later for one that is gone on with.
 */
#ifndef PARLEY_CHAT_WRITE_H
#define PARLEY_CHAT_WRITE_H

#include "common/service/call.h"

/* Of each step, and so what it may take to ask others of ours; people and models take what time they have. */
enum { WRITE_DEADLINE_MS = 15 * 60 * 1000 };

/* The turn is its own: it is finished and removed from the keeper. */
void write_turn(struct call *call, void *writer);

#endif
