/*
 * idler: the threads of a lane that wait for work. The one that began to wait last is woken first: its stack and its memory
 * are still in the caches, and those that are too many end. The lane's lock is held in all but idler_wake().
 */
#ifndef PARLEY_IDLER_H
#define PARLEY_IDLER_H

#include "common/service/lane.h"

/* A thread that waits; on its stack. */
struct idler;

/* Waits, without the lock, to be called: 0, or -1 when the time (monotonic ms) was up first. */
int idler_wait(struct lane *lane, int64_t until);
/* Takes one off, which the caller then wakes; NULL: nobody waits. */
struct idler *idler_call(struct lane *lane);
void idler_call_all(struct lane *lane); /* and wakes them */

void idler_wake(struct idler *called); /* without the lock; NULL is fine */

#endif
