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
struct egress;
struct egress_request;
struct egress_response;
struct metrics;
struct parked;
struct peer;
struct secret;
struct service;
struct stream_hub;
struct task;

/* One call. Belongs to one thread; gone after the reply. */
struct call {
	struct arena *arena;
	struct arena *scratch; /* for what nobody needs once the thread leaves this call */
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
	const atomic_bool
	    *cancelled;        /* the service ends, or nobody waits for the answer; long work looks at it */
	char *extra;           /* of an error reply: a JSON object of members to add; usually NULL */
	struct parked *parked; /* where it may wait for an event; NULL: it may not (a job, a task) */
	struct task *task;     /* that it is of; NULL: of none */
};

/*
 * Waiting for an event without a thread. The handler calls call_park(), tells whoever knows of the event, and returns 0.
 * Once call_wake() was called, `until` (Unix ms) or the call's deadline has come, nobody waits for the answer, or the
 * service drains, resume(call, arg, out) makes the answer on a thread of the method's lane, out being as it was left: 0 or
 * -1, as a handler does; or it parks again. Under an Idempotency-Key what the handler of a method that waits for rows alone
 * has filled in is the first answer until there is the real one; of any other method the key stays in use until then.
 *
 * resume() is called exactly once after call_park(), also when the handler fails after it: then only to clean up. From
 * call_park() on call_wake() may be called by any thread, as often as it likes, but never again once a resume() that did
 * not park has returned: so resume() first takes back what the handler told.
 */
typedef int call_resume(struct call *call, void *arg, ProtobufCMessage *out);
struct parked *call_park(struct call *call, int64_t until, call_resume *resume,
                         void *arg); /* NULL: no place to wait in; answer at once */
void call_wake(struct parked *p);

/* 0, or -1 with ERROR_INTERNAL when this call may not ask whom it asks, one of WAITS_PEERS or WAITS_OUTSIDE: inside a
 * transaction, whose connection it would hold meanwhile, or on a thread that its contract keeps for less: for rows, or, where
 * the outside is asked, for services of ours, which answer in milliseconds. */
int call_may_ask(struct call *call, enum waits what, const char *whom) CHECKED;

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

/* fn(arg) when the service begins to drain: for what takes new work by itself. It must not wait. Off: no more. */
void service_on_drain(struct service *s, void (*fn)(void *arg), void *arg);
void service_off_drain(struct service *s, const void *arg);

/* The way out to others' machines (common/egress/egress.h), with EGRESS_ALLOW; opened on first use, the service's. */
struct egress *service_egress(struct service *s);
/* How a handler or a job asks the outside once: egress_fetch() that is refused (ERROR_INTERNAL) where call_may_ask() says
 * so, and ends when nobody waits for the answer. err: call->err, or one of its own where a failure is an answer like others. */
int call_fetch(struct call *call, const struct egress_request *req, struct egress_response *ret,
               struct error *err) CHECKED;

/* The peer of that name ("chatbots"), from <NAME>_ADDRESS; open from the start when the service lists it. */
struct peer *service_peer(struct service *s, const char *name);

/*
 * Work that outlives its request (an answer being written): runs fn(call, arg) on a writer's thread with a call of its
 * own: same caller, owner and request id; fresh arena, error and deadline_ms from now. `arg` and all it points to must
 * live that long: take them from service_task_arena(), whose memory goes when fn returns.
 * A new task has its place, ERROR_UNAVAILABLE when there is none for this owner; it is then started, or dropped. -1: the
 * system gives no thread, and the task is gone. SIGTERM waits for such work, and sets cancelled when its patience ends.
 */
int service_task_new(const struct call *from, int64_t deadline_ms, struct task **ret,
                     struct error *err) CHECKED;
struct arena *service_task_arena(struct task *t);
int service_task_start(struct task *t, void (*fn)(struct call *call, void *arg), void *arg) CHECKED;
void service_task_drop(struct task *t); /* NULL is fine */

/*
 * A task that waits for an event holds no thread: fn calls service_task_park() and returns; then(call, arg) is run, with the
 * same call, once service_task_wake() was called, `until` (monotonic ms; 0: never) has come, or the service gives up
 * waiting (call->cancelled). It may also be run for no reason. A wake-up that comes before it waits is not lost.
 * service_task_wake() may be called by any thread, as often as it likes, until fn or then() returns without parking.
 */
void service_task_park(const struct call *call, int64_t until, void (*then)(struct call *call, void *arg),
                       void *arg);
void service_task_wake(struct task *t);
/* The thread of a task waits for something outside of this process, between these two: another works meanwhile. Of no
 * meaning where the call is of no task. */
void call_goes_away(const struct call *call);
void call_is_back(const struct call *call);

#endif
