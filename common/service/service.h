/*
 * service: what every svc-* program is: a method table behind an NNG REP socket, with everything round it.
 *
 * service_main() opens the database, applies migrations, connects the listening socket, serves until SIGTERM, then
 * stops accepting, finishes what runs and closes. For each request it opens the seal, checks deadline and access,
 * decodes into the call's arena, runs the handler, encodes, seals and logs. The contract says what a method waits for;
 * each kind of wait has threads of its own, shared fairly among owners (lane.h). Brief methods only read, several to a
 * thread, and are run again once their rows are there (common/db/ahead.h). Rpc.Hello and Next are answered by the
 * skeleton itself. Every queue is bounded: when full the answer is ERROR_UNAVAILABLE with retry_after.
 */
#ifndef PARLEY_SERVICE_H
#define PARLEY_SERVICE_H

#include <stddef.h>

#include "common/base/config.h"
#include "common/db/db.h"
#include "common/rpc/contract.h"
#include "common/service/call.h"

/*
 * What another replica (or an earlier life of this one) knew of a stream: its events after in->after, for call's caller.
 * 1 found, 0 no such stream, -1 failed. Found but nothing to tell yet (its writer may still live): no events, no end;
 * the skeleton gives that answer after a second, so that nobody spins. The events need not be what the writer would have
 * said (an answer that was cut off ends with an "error"), but they never repeat a sequence.
 */
typedef int stream_loader(struct call *call, const Rpc__NextRequest *in, Rpc__NextReply *out);

struct service_config {
	const struct contract *contract; /* documents_contract, which the build makes */
	const char *const *peers; /* the services that it asks, ended by NULL: connected from the start */
	const struct db_stmt *const *statements;
	const struct config_key *keys; /* the service's own settings, beside the common ones */
	size_t key_count;
	void *settings;
	/* What the kinds of the keys do not say: config_refuse() for whatever is wrong. May be NULL. */
	int (*check)(void *settings, struct arena *a, struct error *err);
	/* After the database is open and before the first request: make `state` (clients, jobs, providers). */
	int (*start)(struct service *service, void *settings, void **state, struct error *err);
	/* After the last request. */
	void (*stop)(void *state);
	/* What is not in the log of this replica any more (Rpc.Next): load events from the database. May be NULL. */
	stream_loader *load_stream;
	/* svc-auth alone: handles --init, --rotate-keys and so on before anything else; 1: done, exit. May be NULL. */
	int (*command)(int argc, char **argv, struct arena *a, struct error *err);
};

/* main() of a service: return service_main(argc, argv, &config); */
int service_main(int argc, char **argv, const struct service_config *config);

#endif
