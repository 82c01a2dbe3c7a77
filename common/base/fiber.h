/*
 * fiber: a stack of its own for a piece of work, so that it can pause while its thread goes on with another.
 *
 * Plain blocking code runs on it unchanged; only what it waits for must know of fibers (common/db/batch.c does, and
 * pauses until the thread has fetched the rows of all that paused). A fiber stays on the thread that made it. It must
 * not pause with a lock held: another one on the same thread may want it.
 */
#ifndef PARLEY_FIBER_H
#define PARLEY_FIBER_H

#include <stdbool.h>

struct fiber;

struct fiber *fiber_new(void);    /* with a stack as threads have; no memory ends the process */
void fiber_free(struct fiber *f); /* not in the middle of something; NULL is fine */

/* Each returns when it pauses (true) or is through (false). A fiber that is through may be started again. */
bool fiber_start(struct fiber *f, void (*run)(void *arg), void *arg);
bool fiber_resume(struct fiber *f);

bool fiber_here(void);  /* whether this code runs on a fiber, and so may pause */
void fiber_pause(void); /* until it is resumed */

#endif
