/*
 * guard: keeps clients that take their time from taking all threads.
 *
 * civetweb gives every open connection a thread until it closes. It bounds a header that trickles in, though loosely,
 * and neither a body that trickles in nor an answer that is read a byte at a time. So the guard knows each connection,
 * what it waits for and until when, and a thread of its own ends those whose time is up. When more than half of the
 * threads are taken ("crowded"), a client that has connected and not finished its header gets one second, and of the
 * client that keeps most threads waiting for its bytes the slowest connections end, until it keeps an eighth of them.
 * (Between the requests of a kept-alive connection civetweb's own keep_alive_timeout_ms holds, trickled header included.)
 *
 * civetweb does not show its sockets. The guard finds the one to end among the process's descriptors by the client's
 * address, looks again through a dup() (a descriptor may be closed and reused meanwhile, a duplicate cannot), and
 * shuts it down: the thread waiting for it wakes up and finds the end of the stream.
 */
#ifndef PARLEY_GUARD_H
#define PARLEY_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct mg_connection;
struct guard;
struct proxies;
struct guard_slot; /* one open connection */

enum {
	GUARD_HEADER_MS = 10000, /* from the connection to a complete header */
	GUARD_HEADER_CROWDED_MS = 1000,
	GUARD_GRACE_MS = 10000,        /* for a body or an answer of any size ... */
	GUARD_BYTES_PER_SECOND = 32768 /* ... and for larger ones at least at this speed */
};

/* No descriptor of this process is higher than `descriptors`. A proxy is no client: its connections are those of the
 * clients it names, once their header is read. */
struct guard *guard_new(int threads, int descriptors, const struct proxies *proxies);
void guard_free(struct guard *g);

/* A connection comes and goes. NULL when there are more than threads, which cannot be. */
struct guard_slot *guard_open(struct guard *g, const struct mg_connection *conn);
void guard_close(struct guard *g, struct guard_slot *slot);

/* Whose it is (common/base/client.h), and what it is doing. Any slot may be NULL. */
void guard_client(struct guard_slot *slot, uint64_t client);
void guard_busy(struct guard_slot *slot); /* waits for us, or rests between two requests: no limit of ours */
void guard_body(struct guard_slot *slot, int64_t until_ms);   /* its body is read; monotonic */
void guard_answer(struct guard_slot *slot, int64_t until_ms); /* our answer is written */
bool guard_answering(const struct guard_slot *slot);          /* and nothing was said since */
bool guard_expired(const struct guard_slot *slot);            /* was ended by the guard */

/* The client has closed its side, and maybe all: then a second write fails. Of the connection that this thread serves. */
bool guard_hung_up(struct guard_slot *slot);
/* More has come than civetweb has taken. Likewise. */
bool guard_unread(struct guard_slot *slot);

bool guard_full(
    const struct guard *g); /* four fifths of the threads are taken: time to close after each answer */

#endif
