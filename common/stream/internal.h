/*
 * internal: a hub's streams. Two locks: the hub's guards its table and lists (and the references to a stream), a
 * stream's guards its events and its readers. Where both are held, the hub's was taken first. Answers are made under
 * the stream's lock, which is what lets them point into the log without a copy.
 *
 *   stream.c  what stream.h says, from the producer's and from the reader's side
 *   hub.c     all of them: finding one, looking after those that somebody waits for, forgetting old ones
 *   events.c  one of them: its events, and who waits for the next
 *   journal.c its events alone, in little memory
 */
#ifndef PARLEY_STREAM_INTERNAL_H
#define PARLEY_STREAM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/stream/journal.h"
#include "common/stream/stream.h"

enum { STREAM_BUCKETS = 1024 };

static const int64_t never = INT64_MAX;

/* A reader whose answer has to wait. */
struct waiting {
	struct stream_waiter waiter;
	int64_t after, expires;
	struct waiting *next;
};

struct stream {
	struct stream_hub *hub;
	char id[STREAM_ID];
	char *reader;
	int64_t keep; /* of a feed: how many events; 0: all */

	pthread_mutex_t lock;
	struct journal journal;
	atomic_bool *stop; /* of the producer that wants to know when nobody reads; NULL: none */
	int64_t dropped,
	    given; /* the last sequence that was dropped; that was given to an event, or left out */
	bool closed,
	    scheduled;    /* scheduled: events are being gathered, and the hub knows when they are due */
	int64_t answered; /* when events were given last */
	struct waiting *waiting;

	/* The hub's lock guards these. */
	int refs; /* one of the table, one of the list of waited-for streams, one of each stream_next() */
	bool listed;
	int64_t closed_at;
	struct stream *next, *next_listed, *next_closed;
};

struct stream_hub {
	uint64_t replica;
	atomic_size_t bytes;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	int64_t wake_at; /* when the hub's thread looks next */
	bool stopping;
	int count;
	struct stream *buckets[STREAM_BUCKETS];
	struct stream *listed;               /* streams that somebody waits for */
	struct stream *closed, **closed_end; /* oldest first */
};

/* --- hub.c; the hub's lock is held, but by who opens one ---------------------------------------------------------- */

int hub_open_stream(struct stream_hub *hub, const char *id, const char *reader, int keep, struct stream **ret,
                    struct error *err) CHECKED;
struct stream *hub_find(struct stream_hub *hub, const char *id);
void hub_remove(struct stream_hub *hub, struct stream *s);                   /* from the table */
void hub_note_closed(struct stream_hub *hub, struct stream *s, int64_t now); /* it goes by age from now on */
void hub_unref(struct stream *s);                       /* frees it, when nobody has it any more */
void hub_look_by(struct stream_hub *hub, int64_t when); /* its thread does, at the latest; monotonic ms */

/* --- events.c; the stream's lock is held -------------------------------------------------------------------- */

/* Each returns when a reader is to be looked at next (monotonic ms), or `never`. */
int64_t events_add(struct stream *s, const char *name, const char *json, int64_t now);
int64_t readers_add(struct stream *s, const Rpc__NextRequest *in,
                    struct stream_waiter waiter);      /* or answers it */
int64_t readers_answer(struct stream *s, int64_t now); /* those whose time has come */
void readers_answer_all(struct stream *s);
/* Those behind `after`, as many as fit an answer; none when some of them were dropped. */
void events_copy(const struct stream *s, int64_t after, size_t *n, Rpc__Event ***ret, struct arena *a);

#endif
