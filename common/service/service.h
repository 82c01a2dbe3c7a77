/*
 * service: what every svc-* program is: a method table behind an NNG REP socket, with everything round it.
 *
 * service_main() opens the database, applies migrations, connects the listening socket, serves until SIGTERM, then
 * stops accepting, finishes what runs and closes. For each request it checks the MAC, the deadline and the access,
 * decodes into the call's arena, runs the handler, encodes, signs and logs. Ordinary methods run on a few workers;
 * slow ones (Behaviour.slow) on threads of their own, bounded; brief ones (Behaviour.brief) several to a thread, so they
 * must not hold a lock over a call of db; Rpc.Hello, Next and Cancel are answered by the
 * skeleton itself. Every queue is bounded: when full the answer is ERROR_UNAVAILABLE with retry_after.
 *
 * Idempotency-Key: for methods with idempotency_key the handler runs inside a transaction that first claims
 * (owner, key, hash of the request) in the schema's table `idempotency` and at last stores the packed reply there.
 */
#ifndef PARLEY_SERVICE_H
#define PARLEY_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/base/error.h"
#include "common/base/metrics.h"
#include "common/db/db.h"
#include "common/rpc/method.h"
#include "common/rpc/rpc.h"
#include "common/secret/secret.h"
#include "common/stream/stream.h"
#include "rpc.pb-c.h"

/* Everything a handler may look at. Belongs to one thread; gone after the reply. */
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
	int64_t deadline;             /* Unix milliseconds */
	const atomic_bool *cancelled; /* set by Rpc.Cancel and at shutdown; long work looks at it */
	char *extra;                  /* of an error reply: JSON members to add; usually NULL */
};

struct service; /* running */

struct service_config {
	const char *name;   /* "documents": also the schema, the metrics prefix and the log's program */
	const char *schema; /* NULL: no database */
	const struct method *methods;
	size_t method_count;
	const struct db_stmt *const *statements;
	const struct db_migration *migrations;
	size_t migration_count;
	const struct config_key *keys; /* the service's own settings, beside the common ones */
	size_t key_count;
	void *settings;
	/* After the database is open and before the first request: make `state` (clients, jobs, providers). */
	int (*start)(struct service *service, void *settings, void **state, struct error *err);
	/* After the last request. */
	void (*stop)(void *state);
	/* What is not in the log of this replica any more (Rpc.Next): load events from the database. May be NULL. */
	stream_loader *load_stream;
	/* svc-auth alone: handles --init, --rotate-keys and so on before anything else; 1: done, exit. May be NULL. */
	int (*command)(int argc, char **argv, const struct config_key *keys, struct error *err);
};

/* main() of a service: return service_main(argc, argv, &config); */
int service_main(int argc, char **argv, const struct service_config *config);

/* What a running service has. */
struct db_pool *service_db(struct service *s);
struct stream_hub *service_streams(struct service *s);
struct metrics *service_metrics(struct service *s);
const struct secret *service_secret(struct service *s);
const char *service_database_url(struct service *s);

/* The peer of that name ("chatbots"), from <NAME>_ADDRESS; opened on first use, closed with the service. */
struct peer *service_peer(struct service *s, const char *name);

/*
 * Work that outlives its request (an answer being written): runs fn(call, arg) on a slow thread with a call of its
 * own: same caller, owner and request id; fresh arena, error and deadline_ms from now. `arg` is copied: arg_size bytes
 * into the new call's arena; strings in it must be copied by the caller with service_task_arena().
 * ERROR_UNAVAILABLE when there is no room. SIGTERM waits for such work, and sets cancelled when its patience ends.
 */
struct task;
struct task *service_task_new(const struct call *from, int64_t deadline_ms);
struct arena *service_task_arena(struct task *t);
int service_task_start(struct task *t, void (*fn)(struct call *call, void *arg), void *arg,
                       struct error *err) CHECKED;

/* A call made by the service itself (jobs): acts for owner_id (or nobody: NULL). The caller owns a and err. */
void service_call_init(struct call *call, struct service *s, struct arena *a, struct error *err,
                       struct db *db, const char *owner_id, const char *request_id, int64_t deadline_ms);

#endif
