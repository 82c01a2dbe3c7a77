/*
 * keeper: what keep.c (the list of turns, what happens to them, who waits for them) and tend.c (the thread that renews,
 * starts and takes over) share. Nobody else includes it.
 */
#ifndef PARLEY_CHAT_KEEPER_H
#define PARLEY_CHAT_KEEPER_H

#include "svc-chat/turn/keep.h"

/* A turn whose model has spoken for so long is noted as such; most are over by then. */
enum { KEEPER_SPEAKS_MS = 30 };

struct keeper {
	struct service *service;
	void (*write)(struct call *call, void *writer);
	struct db_listener *listener;
	struct pasts *pasts;
	int64_t held_ms; /* one that waits for people */
	pthread_t thread;
	pthread_mutex_t lock;   /* guards the list and what follows */
	pthread_cond_t changed; /* the list; turns are over or rest */
	pthread_cond_t due;     /* look_at has come nearer */
	struct writer *first;
	struct keeper_entry *entering;
	int64_t look_at; /* monotonic ms: when the thread looks next */
	bool seeks;      /* it takes over what nobody holds, without waiting for its time */
	unsigned rounds_of_starts, rounds_of_looks;
	bool ending;
};

/* Of all of them the lock is held. */
struct writer *keeper_find(struct keeper *k, const char *message_id);
/* The thread looks in so many milliseconds at the latest. */
void keeper_look_soon(struct keeper *k, int64_t ms);
/* One that waits may have a writer now. */
void keeper_let_begin(struct keeper *k, struct writer *writer);
/* The writer learns why it ends; one that only waits is ended by a writer, too. */
void keeper_tell_end(struct keeper *k, struct writer *writer, enum writer_end why);

/* waiting.c: up to `most` of those that wait behind others, the oldest first; each once before any comes again. How many. */
size_t keeper_waiting(struct keeper *k, struct writer **ret, size_t most);

#endif
