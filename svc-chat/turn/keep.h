/*
 * keep: the turns that this replica writes, and the thread that keeps them alive.
 *
 * An answer is a row `generating` with a lease. Every two seconds the keeper renews the lease of each answer that is
 * written here and stores what there is of it, so that a dead replica costs its readers little; it also closes the rows
 * of others whose leases have ended, and sweeps out what has expired. A turn's writer looks at `stop` (its provider
 * does too); the first reason given for it counts. A stop that comes to any replica is told to all by NOTIFY.
 */
#ifndef PARLEY_CHAT_KEEP_H
#define PARLEY_CHAT_KEEP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/service/call.h"

enum writer_end {
	WRITER_GOES_ON,
	WRITER_STOPPED,     /* by its user */
	WRITER_INTERRUPTED, /* the process is about to end */
	WRITER_LOST,        /* the row is gone, or was closed by somebody else */
};

struct writer {
	char owner[UUID_TEXT], message_id[UUID_TEXT];
	atomic_bool stop;
	atomic_int why; /* enum writer_end */
	const atomic_bool
	    *cancelled; /* of the task that writes; NULL until it runs. Guarded by the lock of the turns */

	pthread_mutex_t lock; /* guards what follows: the writer adds, the keeper reads */
	struct arena arena;
	struct text content, reasoning;
	ProtobufCBinaryData sources; /* packed, of what is cited so far */
	bool changed;                /* since it was stored last */

	struct writer *next;
};

struct keeper;
int keeper_open(struct service *s, struct keeper **ret, struct error *err) CHECKED;
void keeper_close(struct keeper *k);

/* A turn begins; it is freed by keeper_remove(), which also wakes those who wait for it. */
struct writer *keeper_add(struct keeper *k, const char *owner, const char *message_id);
void keeper_run(struct keeper *k, struct writer *writer, const atomic_bool *cancelled);
void keeper_remove(struct keeper *k, struct writer *writer);

void writer_stop(struct writer *writer, enum writer_end why);
/* Stop the turn of that message, if it is written here. */
void keeper_stop(struct keeper *k, const char *message_id);
/* Waits up to ms while the turn of that message is written here; true when it still is. */
bool keeper_wait(struct keeper *k, const char *message_id, int64_t ms);

#endif
