/* links: tests/unit/rpc_pair.c tests/unit/rpc_rig.c */
/* Calls over several replicas: fair shares, addresses and names, who is really there, and streams at their replica. */
#include "common/rpc/rpc.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/rpc/internal.h"
#include "tests/unit/rpc_pair.h"

/* --- While all is well ----------------------------------------------------------------------------------------------------- */

static void test_fair_shares(void **state)
{
	struct fixture *f = *state;
	struct caller callers[8];

	callers_start(callers, 8,
	              (struct caller){ .f = f, .method = RIG_READ, .text = "1", .calls = 50, .ms = 10000 });
	assert_int_equal(callers_finish(callers, 8)->by_code[ERROR_NONE], 400);
	/* Half each, but for a replica that a busy machine lets stand still for a moment. */
	assert_true(pair_count(f, 0, "ok") > 60);
	assert_true(pair_count(f, 1, "ok") > 60);
	assert_int_equal(pair_count(f, 0, "ok") + pair_count(f, 1, "ok"), 400);
}

/* One replica is busy with long calls: the other gets the short ones. */
static void test_least_busy_first(void **state)
{
	struct fixture *f = *state;
	struct peer *first = rig_peer(NULL, (int[]){ f->ports[0], 0 });
	struct caller long_ones[4], short_ones;
	struct peer *both = f->peer;

	rig_wait_ready(first, 1, 5000);
	callers_start(long_ones, 4,
	              (struct caller){ .f = f, .method = RIG_READ, .text = "800", .calls = 1, .ms = 5000 });
	usleep(100 * 1000); /* two on each */
	callers_start(&short_ones, 1,
	              (struct caller){ .f = f, .method = RIG_READ, .text = "0", .calls = 20, .ms = 5000 });
	assert_int_equal(callers_finish(&short_ones, 1)->by_code[ERROR_NONE], 20);
	assert_true(short_ones.longest < 500);
	callers_finish(long_ones, 4);
	assert_ptr_equal(both, f->peer);
	rig_close(first);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "tcp://127.0.0.1:8001", 0 },
		{ "tcp://127.0.0.1:8001,tcp://[::1]:8002", 0 },
		{ "tcp://svc-documents:8001", 1 },
		{ "tcp://127.0.0.1:8001, tcp://svc:1", 1 },
		{ "abstract://parley-8001,tcp://127.0.0.1:1", 0 },
		{ "abstract://parley 8001", -1 },
		{ "abstract://", -1 },
		{ "ipc:///run/x", -1 },
		{ "", -1 },
		{ ",", -1 },
		{ "127.0.0.1:8001", -1 },
		{ "http://127.0.0.1:8001", -1 },
		{ "tcp://127.0.0.1", -1 },
		{ "tcp://:8001", -1 },
		{ "tcp://host:", -1 },
		{ "tcp://host:port", -1 },
		{ "tcp://host:123456", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };

		print_message("  \"%s\"\n", cases[i].text);
		assert_int_equal(rpc_check_addresses("x", cases[i].text, &err), cases[i].want);
	}
}

/* An upgrade is under way: one replica has a method that the other has not. */
static void test_a_method_that_one_replica_does_not_know(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	pid_t old = rig_spawn_like(port, NULL, "6"); /* RIG_WRITE is the eighth */
	struct peer *mixed = rig_peer(NULL, (int[]){ port, f->ports[0], 0 });

	rig_wait_ready(mixed, 2, 5000);
	for (int i = 0; i < 10; i++)
		assert_non_null(rig_call(mixed, RIG_WRITE, NULL, "0", 5000, &f->arena, &f->err));
	assert_int_equal(atomic_load(&rig_counts->writes), 10);
	rig_close(mixed);
	rig_kill(old, SIGKILL);
}

static bool leads_elsewhere(struct peer *peer)
{
	bool other;

	pthread_mutex_lock(&peer->lock);
	other = peer->replicas[0]->other_service;
	pthread_mutex_unlock(&peer->lock);
	return other;
}

/* A container's address went to another service: nothing is sent there. */
static void test_another_service_at_the_address(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	pid_t other = rig_spawn_like(port, "another", NULL);
	struct peer *alone = rig_peer(NULL, (int[]){ port, 0 });
	struct peer *both = rig_peer(NULL, (int[]){ port, f->ports[0], 0 });

	rig_wait_ready(both, 1, 5000);
	while (!leads_elsewhere(alone))
		usleep(1000);
	assert_null(rig_call(alone, RIG_ECHO, NULL, "who is there?", 5000, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_string_equal(f->err.message, "rig is not reachable right now");
	assert_int_equal(peer_ready(alone), 0);
	for (int i = 0; i < 4; i++)
		assert_non_null(rig_call(both, RIG_ECHO, NULL, "x", 5000, &f->arena, &f->err));
	rig_close(alone);
	rig_close(both);
	rig_kill(other, SIGKILL);
}

/* DNS as it can be: this program's own getaddrinfo(). */
static atomic_bool resolver_hangs;
static atomic_int resolvers_hanging;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!real)
		real = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))(
		    uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(host, "svc-rig") != 0)
		return real(host, port, hints, ret);
	if (hints && hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	if (atomic_load(&resolver_hangs)) {
		atomic_fetch_add(&resolvers_hanging, 1);
		while (atomic_load(&resolver_hangs))
			usleep(10 * 1000);
	}
	return EAI_AGAIN;
}

/* While DNS hangs, a replica that is frozen is found out all the same. */
static void test_dns_that_hangs(void **state)
{
	struct fixture *f = *state;
	unsigned char key[KEY_SIZE];
	static const struct rpc_pace hasty = {
		.ask_every = 200, .ask_wait = 300, .send = 1000, .grace = 300, .revival = 1000
	};
	char addresses[128];
	struct peer *named;
	int64_t began;

	secret_derive(&rig_secret, RPC_KEY_PURPOSE, key);
	snprintf(addresses, sizeof addresses, "tcp://127.0.0.1:%d,tcp://127.0.0.1:%d,tcp://svc-rig:1",
	         f->ports[0], f->ports[1]);
	assert_int_equal(
	    peer_open(
	        &(struct peer_config){ .service = "rig", .addresses = addresses, .key = key, .pace = &hasty },
	        &named, &f->err),
	    0);
	rig_wait_ready(named, 2, 5000);
	atomic_store(&resolver_hangs, true);
	while (!atomic_load(&resolvers_hanging))
		usleep(1000);
	rig_kill(f->pids[0], SIGSTOP);
	began = clock_mono_ms();
	for (int i = 0; i < 4; i++)
		assert_non_null(rig_call(named, RIG_READ, NULL, "0", 20000, &f->arena, &f->err));
	assert_in_range(clock_mono_ms() - began, 0, 15000);
	atomic_store(&resolver_hangs, false);
	rig_close(named);
}

/* A name is resolved to all of its addresses. */
static void test_by_name(void **state)
{
	struct fixture *f = *state;
	unsigned char key[KEY_SIZE];
	char address[64];
	struct peer *named;

	secret_derive(&rig_secret, RPC_KEY_PURPOSE, key);
	snprintf(address, sizeof address, "tcp://localhost:%d", f->ports[0]);
	assert_int_equal(
	    peer_open(&(struct peer_config){ .service = "rig", .addresses = address, .key = key }, &named,
	              &f->err),
	    0);
	rig_wait_ready(named, 1, 10000);
	assert_string_equal(rig_call(named, RIG_ECHO, NULL, "by name", 5000, &f->arena, &f->err), "by name");
	rig_close(named);
}

/* --- Streams live where they were started ------------------------------------------------------------------------------------ */

static void test_streams_are_followed_at_their_replica(void **state)
{
	struct fixture *f = *state;
	Rpc__Caller user = rig_caller("user");
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &user };

	for (int i = 0; i < 3; i++) {
		char *stream = pair_call(f, RIG_STREAM, "20", 5000);
		struct peer *gateway = rig_peer(NULL, f->ports); /* one that has just started */
		Rpc__NextReply *got;
		int64_t after = 0;

		assert_non_null(stream);
		do {
			assert_int_equal(rpc_next(gateway, &ctx, stream, after, 5000, &got), 0);
			after += (int64_t)got->n_events;
		} while (!got->end);
		assert_int_equal(after, 21);
		rig_close(gateway);
	}
}

static void test_a_stream_whose_replica_died(void **state)
{
	struct fixture *f = *state;
	Rpc__Caller user = rig_caller("user");
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &user };
	Rpc__NextReply *got;
	char id[17], *stream;
	int dead;

	stream = pair_call(f, RIG_STREAM, "5000", 5000);
	assert_non_null(stream);
	assert_int_equal(rpc_next(f->peer, &ctx, stream, 0, 5000, &got), 0);
	snprintf(id, sizeof id, "%.16s", stream);
	dead = 0;
	pthread_mutex_lock(&f->peer->lock);
	for (int i = 0; i < 2; i++) {
		if (f->peer->replicas[i]->id == strtoull(id, NULL, 16))
			dead = i;
	}
	pthread_mutex_unlock(&f->peer->lock);
	rig_kill(f->pids[dead], SIGKILL);
	f->pids[dead] = 0;
	assert_int_equal(rpc_next(f->peer, &ctx, stream, 0, 5000, &got),
	                 -1); /* the other knows nothing of it */
	assert_int_equal(f->err.code, ERROR_NOT_FOUND);
	error_clear(&f->err);
	assert_int_equal(rpc_next(f->peer, &ctx, "ffffffffffffffff-old", 0, 5000, &got),
	                 0); /* but of what is stored */
	assert_true(got->end);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_fair_shares),
		PAIR_TEST(test_least_busy_first),
		cmocka_unit_test(test_addresses),
		PAIR_TEST(test_by_name),
		PAIR_TEST(test_dns_that_hangs),
		PAIR_TEST(test_a_method_that_one_replica_does_not_know),
		PAIR_TEST(test_another_service_at_the_address),
		PAIR_TEST(test_streams_are_followed_at_their_replica),
		PAIR_TEST(test_a_stream_whose_replica_died),
	};

	rig_main(argc, argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* test_rpc_find test_dns*: that one alone */
	return cmocka_run_group_tests_name("rpc_find", tests, NULL, NULL);
}
