/*
 * request: one HTTP request on its way through the gateway: what came, and what the answer needs to know of it.
 *
 * Lives on the stack of the thread that serves its connection; everything it points to is in its arena or in the
 * connection's buffer. The body is read on demand, within the caller's bound and against a clock: a client has
 * GUARD_GRACE_MS and then must keep up GUARD_BYTES_PER_SECOND.
 */
#ifndef PARLEY_REQUEST_H
#define PARLEY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/text.h"
#include "common/rpc/route.h"
#include "gateway/gate.h"
#include "gateway/wire.h"

struct mg_connection;
struct mg_request_info;
struct guard_slot;
struct proxies;

struct request {
	struct mg_connection *conn;
	const struct mg_request_info *info;
	struct guard_slot *slot;
	struct arena *arena;
	struct error err; /* what went wrong so far; answer_error() tells the client */
	int64_t began_us; /* monotonic */

	const char *verb;                 /* "GET" for HEAD too */
	const char *path;                 /* as it came: not decoded, without the query */
	const char *query;                /* not decoded; "" when there is none */
	const char *id;                   /* X-Request-Id: the client's where it is sane, else ours */
	const char *ip;                   /* of the client, behind trusted proxies */
	const char *origin, *traceparent; /* NULL when absent or malformed */
	bool head;                        /* HEAD: the answer shows no body */
	bool close;                       /* the connection ends with this answer */
	bool streams;                     /* the answer lasts as long as there is something to say */

	struct wire wire;
	int64_t received; /* bytes of the body so far */
	int64_t body_began_ms;
	bool body_ended;
	struct gate *bodies; /* a large body takes a place there until all is over; NULL when it took none */
	struct gate_place body_place;

	/* For the answer and the log, filled in as they become known. */
	struct text headers; /* lines that the answer carries whatever it is: CORS */
	const char *method, *user;
	const char *
	    challenge; /* what a 401 says beside the realm: where programs learn how to sign in; NULL: nothing */
	enum error_form errors; /* of its route */
	int status;
	int64_t sent;
};

/* Fills req. -1 with req->err when the request is malformed: it can be answered, and the connection must end. */
int request_open(struct request *req, struct mg_connection *conn, const struct proxies *proxies,
                 struct arena *a) CHECKED;

const char *request_header(const struct request *req, const char *name); /* NULL when absent */

/* Checks the declared length. Then the body may be read. */
int request_body_begin(struct request *req, int64_t limit) CHECKED;

/* Up to room bytes: *got is 0 at the end. -1: too large, too slow, cut short, or malformed chunks. */
int request_read(struct request *req, void *bytes, size_t room, int64_t limit, size_t *got) CHECKED;

/* All of it, in the arena, NUL-terminated. One of more than REQUEST_SMALL_BODY needs a place in `bodies`: 503 without. */
enum { REQUEST_SMALL_BODY = 64 * 1024 };
int request_body(struct request *req, struct gate *bodies, int64_t limit, const char **ret,
                 size_t *size) CHECKED;

/* After the answer: reads on a little, so that a client still sending gets to see it; gives the place back. */
void request_finish(struct request *req);

#endif
