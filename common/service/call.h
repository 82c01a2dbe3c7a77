/*
 * call: what a handler may look at, and what it may ask of the service it runs in. Handlers, jobs and tasks include
 * this and common/db/db.h; service.h is for main.c.
 */
#ifndef PARLEY_CALL_H
#define PARLEY_CALL_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/rpc/method.h"
#include "rpc.pb-c.h"

struct db;
struct db_pool;
struct metrics;
struct peer;
struct secret;
struct service;
struct stream_hub;

/* One call. Belongs to one thread; gone after the reply. */
struct call {
	struct arena *arena;
	struct error *err;
	struct db *db;
	void *state; /* the service's own, from struct service_config */
	struct service *service;
	const struct method *method;
	const Rpc__Caller *caller;
	const char *owner_id; /* the user whose rows this call may touch; NULL for NOBODY and VISITOR */
	const char *request_id, *traceparent, *idempotency_key;
	int64_t now;      /* when it was begun: Unix milliseconds; the same in every run of a brief handler */
	int64_t deadline; /* Unix milliseconds */
	const atomic_bool *cancelled; /* set at shutdown; long work looks at it */
	char *extra;                  /* of an error reply: JSON members to add; usually NULL */
};

/* A call made by the service itself (jobs): acts for owner_id (or nobody: NULL). The caller owns a, err and db. */
void service_call_init(struct call *call, struct service *s, struct arena *a, struct error *err,
                       struct db *db, const char *owner_id, const char *request_id, int64_t deadline_ms);

/* The generated clients call this: a call to another service on behalf of `call`, which its failure is told. */
int rpc_call_from(struct peer *peer, struct call *call, const struct method *method,
                  const ProtobufCMessage *in, ProtobufCMessage **ret) CHECKED;

/* What a running service has. */
struct db_pool *service_db(struct service *s);
struct stream_hub *service_streams(struct service *s);
struct metrics *service_metrics(struct service *s);
const struct secret *service_secret(struct service *s);
const char *service_database_url(struct service *s);

/* The peer of that name ("chatbots"), from <NAME>_ADDRESS; opened on first use, closed with the service. */
struct peer *service_peer(struct service *s, const char *name);

/*
 * Work that outlives its request (an answer being written): runs fn(call, arg) on a writer's thread with a call of its
 * own: same caller, owner and request id; fresh arena, error and deadline_ms from now. `arg` and all it points to must
 * live that long: take them from service_task_arena(), whose memory goes when fn returns.
 * A new task has its place, ERROR_UNAVAILABLE when there is none for this owner; it is then started, or dropped. -1: the
 * system gives no thread, and the task is gone. SIGTERM waits for such work, and sets cancelled when its patience ends.
 */
struct task;
int service_task_new(const struct call *from, int64_t deadline_ms, struct task **ret,
                     struct error *err) CHECKED;
struct arena *service_task_arena(struct task *t);
int service_task_start(struct task *t, void (*fn)(struct call *call, void *arg), void *arg) CHECKED;
void service_task_drop(struct task *t); /* NULL is fine */

#endif
