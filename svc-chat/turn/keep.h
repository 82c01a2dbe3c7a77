/*
 * keep: the turns that this replica holds, and the thread that keeps them alive.
 *
 * A turn that has not ended is a row with a lease. Every two seconds the keeper renews the lease of each that is held here,
 * and stores what there is of it, so that a dead replica costs its readers little; those of a crowd have their times one
 * after the other. Soon after a model begins to speak it notes that as a step. It takes over the turns of the dead: one whose model was speaking is
 * closed as interrupted, any other is gone on with from its last stored step. It starts a writer for each that may begin,
 * and sweeps out what has expired.
 *
 * A turn's writer looks at `stop` (its model does too); the first reason given for it counts. What happens to a turn at
 * one replica (stop, its turn to begin, its session deleted) is told to all by NOTIFY; what is missed, the next renewal
 * tells.
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
#include "common/stream/stream.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/past.h"

enum writer_end {
	WRITER_GOES_ON,
	WRITER_STOPPED,     /* by its user */
	WRITER_INTERRUPTED, /* the process is about to end */
	WRITER_LOST,        /* somebody else has the turn, or has closed it */
	WRITER_DELETED,     /* with its session */
	WRITER_DISABLED,    /* the account is */
};

/* A turn that is held here. What does not change is set by whoever adds it. */
struct writer {
	char owner[UUID_TEXT], session[UUID_TEXT], message_id[UUID_TEXT];
	char stream_id[STREAM_ID];
	int attempt;
	int64_t since, renewed;    /* it is held here; its lease was renewed last: monotonic ms */
	struct stream *stream;     /* NULL: its writer opens it */
	struct store_begun *begun; /* NULL: its writer loads it. In the arena, like all that follows */
	struct past *past;         /* what its history is of; NULL: of nothing that may be kept */

	atomic_bool stop;
	atomic_int why; /* enum writer_end */

	/* Guarded by the keeper's lock. */
	bool queued, running;     /* queued: it is not to be written yet */
	bool rests;               /* it waits for people; queued, too */
	bool called;              /* it was to begin while its writer ran */
	int64_t rests_since;      /* monotonic ms */
	unsigned round_of_starts; /* in which it was last looked at */
	unsigned round_of_looks;  /* the same, of those that may be forgotten */
	const struct call *call;  /* of the task that writes; NULL while there is none */
	int missed;               /* renewals that did not reach it, in a row */
	struct keeper_guest *guests;
	struct writer *next;

	pthread_mutex_t lock; /* guards what follows: the writer adds, the keeper reads */
	struct arena arena;
	struct text content, reasoning;
	ProtobufCBinaryData sources;  /* packed, of what is cited so far */
	ProtobufCBinaryData passages; /* packed, of what was found; no data: nothing is to be stored */
	int round, step;              /* of the model that is asked */
	bool changed;                 /* since it was stored last */
	int64_t spoke;                /* its model began to, which is not stored yet: monotonic ms; else 0 */
	bool noted;                   /* steps of it are stored, or are about to be */
};

/* Somebody who waits, parked (common/service/call.h), until a turn is not held here any more. */
struct keeper_guest {
	struct parked *parked;
	struct keeper_guest *next,
	    **link; /* of those who wait for the same; link is NULL when it waits for none */
};

/* A turn with a place for its writer that is about to be stored. */
struct keeper_entry {
	const char *session;
	struct keeper_entry *next, **link;
};

struct keeper;
/* write: what a writer does, as a task; it ends with keeper_remove(). held_seconds: a turn that waits for people is held so
 * long; then nobody holds it, and whoever gets their word makes that somebody takes it over. */
int keeper_open(struct service *s, void (*write)(struct call *call, void *writer), int64_t held_seconds,
                struct keeper **ret, struct error *err) CHECKED;
void keeper_close(struct keeper *k);

/* An empty one, to be filled and added; from then on the keeper keeps it. */
struct writer *keeper_new(const char *owner, const char *session, const char *message_id,
                          const char *stream_id);
void keeper_add(struct keeper *k, struct writer *writer,
                struct task *task /* starts it; NULL: it is queued */);
/* A turn of that session is about to be stored; it is, or will not be. */
void keeper_enter(struct keeper *k, struct keeper_entry *entry, const char *session);
void keeper_entered(struct keeper *k, struct keeper_entry *entry);
/* Until none of that session is; deadline: Unix ms. */
void keeper_await_entered(struct keeper *k, const char *session, int64_t deadline);
/* It is written by the task of that call, which is woken when it is to stop; NULL: by none. */
void keeper_run(struct keeper *k, struct writer *writer, const struct call *call);
void keeper_remove(struct keeper *k, struct writer *writer); /* frees it, and wakes those who wait for it */
void keeper_free(struct writer *writer);                     /* one that was never added */
/* Its writer is through for now, and touches it no more: the turn waits for people, and is kept until it is to begin
 * again. Who waits for its answer is woken. */
void keeper_rest(struct keeper *k, struct writer *writer);

/* What was said in sessions whose turns were kept here lately. */
struct pasts *keeper_pasts(struct keeper *k);

/* Its model begins to speak: that is soon stored. The writer's lock is not held. */
void keeper_speaks(struct keeper *k, struct writer *writer);
/* That turn may begin (the one before it ended). 0: it is not held here. */
int keeper_begin(struct keeper *k, const char *message_id);

/* One that nobody holds may go on: it is taken over at once. */
void keeper_seek(struct keeper *k);

void writer_stop(struct writer *writer, enum writer_end why);
/* Stop the turn of that message, if it is held here. */
void keeper_stop(struct keeper *k, const char *message_id);
/* Stop all of that session, which is deleted. */
void keeper_deleted(struct keeper *k, const char *session);
/* Stop all of that owner, whose account is disabled. */
void keeper_disabled(struct keeper *k, const char *owner);
/* Whose turns are written here, or are about to be, since before that time (monotonic ms): each once, at most max. Returns
 * how many. One that waits for people is asked about when it goes on. */
size_t keeper_owners(struct keeper *k, int64_t before, char (*list)[UUID_TEXT], size_t max);
/* Is the turn of that message held here, and written or about to be? */
bool keeper_holds(struct keeper *k, const char *message_id);
/* Wake the guest when it is not any more; false: it is not now, and nobody will be woken. */
bool keeper_await(struct keeper *k, const char *message_id, struct keeper_guest *guest);
/* The guest waits no longer; that it did not wait is fine. */
void keeper_forget(struct keeper *k, struct keeper_guest *guest);
/* For who has no place to park in: waits up to ms while it is held here. */
void keeper_wait(struct keeper *k, const char *message_id, int64_t ms);

#endif
