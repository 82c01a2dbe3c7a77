/*
 * stream: a growing log of events that one reader follows with Rpc.Next, from any gateway, as often as it likes.
 *
 * The producer appends; sequences count 1, 2, 3, ... Readers wait without a thread: their requests are parked in the
 * hub. The first event is given at once, later ones are gathered for 25 ms; the end is given at once. A closed stream
 * stays readable for 10 minutes; the hub is bounded in streams and bytes (it forgets closed streams early, then
 * refuses new ones). Events live in memory only: what must outlast the process is the producer's to store.
 */
#ifndef PARLEY_STREAM_H
#define PARLEY_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "rpc.pb-c.h"

struct stream_hub;
struct stream;

enum { STREAM_ID = 64 };

/*
 * reader: who may follow it, as stream_reader() says for the caller that starts it ("" for processes of ours only):
 * compared with the caller of Next. Everybody else is told that there is no such stream. The producer's handle is good
 * until stream_close() or stream_forget(), one of which every stream_open() needs; nothing may be appended after.
 */
int stream_open(struct stream_hub *hub, const char *reader, struct stream **ret, struct error *err) CHECKED;
/* The same under an id that was given out before: by stream_make_id(), in this process or in one that is dead. A closed
 * stream of that id is forgotten; ERROR_CONFLICT while there is an open one. */
int stream_open_as(struct stream_hub *hub, const char *id, const char *reader, struct stream **ret,
                   struct error *err) CHECKED;
/* An id that leads readers to this process; tail: unguessable, at most STREAM_TAIL characters of base64url. */
enum { STREAM_TAIL = STREAM_ID - 18 };
void stream_make_id(const struct stream_hub *hub, const char *tail, char id[STREAM_ID]);
const char *stream_id(const struct stream *s);
void stream_append(struct stream *s, const char *name, const char *json); /* an event is at most 1 MiB */
/* Leaves out the sequences up to that one: for who goes on with another's stream and does not know how far that one got. */
void stream_skip(struct stream *s, int64_t sequence);
int64_t stream_last(struct stream *s); /* the sequence given last, or left out */
void stream_close(struct stream *s);
/* Instead, for one that goes on some day, wherever that is: this process knows it no more, and its readers do not take that
 * for its end. */
void stream_forget(struct stream *s);
/* *stop becomes true when its reader goes away for good; until stream_close(). Of interest where nobody else can ask for
 * what is written. */
void stream_stop_when_left(struct stream *s, atomic_bool *stop);

/* The user or owner; else the session; else "?" (whoever knows the id). For a process without an owner "". */
const char *stream_reader(const Rpc__Caller *caller);

/* What there is of it behind out->after goes with the word that it has begun: its reader need not ask for that. Nothing, where
 * it is not here or not that reader's. */
void stream_so_far(struct stream_hub *hub, const char *reader, Rpc__Started *out, struct arena *a);

/* The whole log so far, to be stored with what it made: a packed rpc.NextReply in the arena. */
ProtobufCBinaryData stream_log(struct stream *s, struct arena *a);

/* Streams that live as long as the process and are followed by many of ours (feeds): old events may be dropped; a
 * reader that missed some is told so by one event "reset" with the current sequence. */
int stream_open_feed(struct stream_hub *hub, int keep_events, struct stream **ret, struct error *err) CHECKED;

/* --- For the skeleton ------------------------------------------------------------------------------------------- */

struct stream_hub *stream_hub_new(uint64_t replica);
void stream_hub_stop(struct stream_hub *hub); /* answers all that wait; from now on nothing is parked */
void stream_hub_free(struct stream_hub *hub);

/*
 * 0: `reply(token, events)` was called, or will be, exactly once, by this thread or another; it must not call the hub.
 * -1 with ERROR_NOT_FOUND: reply is never called.
 */
struct stream_waiter {
	void *token;
	void (*reply)(void *token, const Rpc__NextReply *events);
};
int stream_next(struct stream_hub *hub, const char *reader, const Rpc__NextRequest *in,
                struct stream_waiter waiter, struct error *err) CHECKED;

#endif
