/*
 * turns: the answers that this replica is writing, and the thread that keeps them alive.
 *
 * An answer is a row `generating` with a lease. Every two seconds the keeper renews the lease of each answer that is
 * written here and stores what there is of it, so that a dead replica costs its readers little; it also closes the rows
 * of others whose leases have ended, and sweeps out what has expired. A turn's writer looks at `stop` (its provider
 * does too); the first reason given for it counts. A stop that comes to any replica is told to all by NOTIFY.
 */
#ifndef PARLEY_CHAT_TURNS_H
#define PARLEY_CHAT_TURNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/service/service.h"

enum turn_end {
	TURN_GOES_ON,
	TURN_STOPPED,     /* by its user */
	TURN_INTERRUPTED, /* the process is about to end */
	TURN_LOST,        /* the row is gone, or was closed by somebody else */
};

struct turn {
	char owner[UUID_TEXT], message_id[UUID_TEXT];
	atomic_bool stop;
	atomic_int why; /* enum turn_end */
	const atomic_bool
	    *cancelled; /* of the task that writes; NULL until it runs. Guarded by the lock of the turns */

	pthread_mutex_t lock; /* guards what follows: the writer adds, the keeper reads */
	struct arena arena;
	struct text content, reasoning;
	ProtobufCBinaryData sources; /* packed, of what is cited so far */
	bool changed;                /* since it was stored last */

	struct turn *next;
};

struct turns;
int turns_open(struct service *s, struct turns **ret, struct error *err) CHECKED;
void turns_close(struct turns *t);

/* A turn begins; it is freed by turns_end(), which also wakes those who wait for it. */
struct turn *turns_begin(struct turns *t, const char *owner, const char *message_id);
void turns_run(struct turns *t, struct turn *turn, const atomic_bool *cancelled);
void turns_end(struct turns *t, struct turn *turn);

void turn_stop(struct turn *turn, enum turn_end why);
/* Stop the turn of that message, if it is written here. */
void turns_stop(struct turns *t, const char *message_id);
/* Waits up to ms while the turn of that message is written here; true when it still is. */
bool turns_wait(struct turns *t, const char *message_id, int64_t ms);

#endif
