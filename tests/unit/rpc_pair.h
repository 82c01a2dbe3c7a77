/*
 * rpc_pair: two replicas of the rig in processes of their own, and callers that load them, for the tests of rpc.
 */
#ifndef PARLEY_TESTS_RPC_PAIR_H
#define PARLEY_TESTS_RPC_PAIR_H

#include <pthread.h>

#include "tests/unit/rpc_rig.h"

struct fixture {
	int ports[3];
	pid_t pids[2];
	struct metrics *metrics;
	struct peer *peer;
	struct arena arena;
	struct error err;
};
int pair_setup(void **state);
int pair_teardown(void **state);
#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

/* One call by a user: the answer's text, or NULL with f->err. */
char *pair_call(struct fixture *f, enum rig_method m, const char *text, int ms);
/* What the peer counted of that replica: "ok", "unavailable" ... */
int64_t pair_count(struct fixture *f, int replica, const char *result);

/* A thread that makes calls; what became of them. */
struct caller {
	struct fixture *f;
	enum rig_method method;
	const char *text;
	int calls, ms, pause_ms;
	int by_code[ERROR_CODES];
	int64_t longest;
	pthread_t thread;
};
void callers_start(struct caller *all, int n, struct caller like);
/* Waits for them; their sums are in all[0]. */
struct caller *callers_finish(struct caller *all, int n);

#endif
