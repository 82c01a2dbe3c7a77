/* links: tests/unit/rpc_rig.c */
/* Callers that do not wait any more: what they asked for gives its place back, queued, parked or running. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/rpc/internal.h"
#include "rpc.client.h"
#include "tests/unit/rpc_rig.h"

enum { CALLERS_MAX = 8, LONG_MS = 20000, SOON_MS = 10000 };

struct fixture {
	struct service *service;
	struct peer *peer;
	struct arena arena;
	struct error err;
};

/* One call, on a thread of its own. */
struct caller {
	struct fixture *f;
	enum rig_method method;
	const char *says;
	atomic_bool gone;
	pthread_t thread;
	enum error_code code;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int port = rig_free_port();

	memset(rig_counts, 0, sizeof *rig_counts);
	f->service = rig_start(port, NULL);
	f->peer = rig_hasty_peer((int[]){ port, 0 });
	arena_init(&f->arena, 0);
	rig_wait_ready(f->peer, 1, 10000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rig_close(f->peer);
	rig_stop(f->service);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static bool is_gone(void *arg)
{
	struct caller *c = arg;

	return atomic_load(&c->gone);
}

static void *make_call(void *arg)
{
	struct caller *c = arg;
	Rpc__Message in = RPC__MESSAGE__INIT;
	struct error err = { 0 };
	ProtobufCMessage *out;
	struct arena a;
	struct rpc_context ctx = { .arena = &a,
		                   .err = &err,
		                   .deadline = clock_unix_ms() + LONG_MS,
		                   .gone = is_gone,
		                   .gone_arg = c };

	arena_init(&a, 0);
	in.message = (char *)(c->says ? c->says : "20000");
	c->code =
	    rpc_call(c->f->peer, &ctx, &rig_methods[c->method], &in.base, &out) < 0 ? err.code : ERROR_NONE;
	arena_done(&a);
	return NULL;
}

static void begin(struct fixture *f, struct caller *c, enum rig_method method)
{
	*c = (struct caller){ .f = f, .method = method };
	pthread_create(&c->thread, NULL, make_call, c);
}

static int64_t end(struct caller *c)
{
	int64_t began = clock_mono_ms();

	atomic_store(&c->gone, true);
	pthread_join(c->thread, NULL);
	return clock_mono_ms() - began;
}

static void wait_until(struct lane *lane, int busy)
{
	int64_t until = clock_mono_ms() + SOON_MS;

	while (lane_busy(lane) != busy && clock_mono_ms() < until)
		usleep(1000);
	assert_int_equal(lane_busy(lane), busy);
}

/* A handler counts after its lane does. */
static void wait_count(atomic_int *count, int wanted)
{
	int64_t until = clock_mono_ms() + SOON_MS;

	while (atomic_load(count) < wanted && clock_mono_ms() < until)
		usleep(1000);
	assert_int_equal(atomic_load(count), wanted);
}

static void test_a_parked_call(void **state)
{
	struct fixture *f = *state;
	struct caller gone, stays;

	begin(f, &gone, RIG_PARK);
	begin(f, &stays, RIG_PARK);
	wait_until(&f->service->parked, 2);
	assert_in_range(end(&gone), 0, SOON_MS);
	wait_until(&f->service->parked, 1);
	assert_string_equal(rig_call(f->peer, RIG_WAKE, NULL, "", SOON_MS, &f->arena, &f->err), "1");
	pthread_join(stays.thread, NULL);
	assert_int_equal(stays.code, ERROR_NONE);
}

static void test_a_handler_that_runs_finds_its_call_cancelled(void **state)
{
	struct fixture *f = *state;
	struct caller gone, stays;

	begin(f, &gone, RIG_SLOW);
	wait_until(&f->service->lanes[WAITS_OUTSIDE], 1);
	begin(f, &stays, RIG_SLOW);
	wait_until(&f->service->lanes[WAITS_OUTSIDE], 2);
	assert_in_range(end(&gone), 0, SOON_MS);
	wait_until(&f->service->lanes[WAITS_OUTSIDE], 1);
	wait_count(&rig_counts->cancelled, 1);
	end(&stays);
}

/* Of 4 places one client has 2; what follows is queued. */
static void test_queued_calls_are_never_begun(void **state)
{
	struct lane *lane;
	struct fixture *f = *state;
	struct caller callers[5];

	lane = &f->service->lanes[WAITS_OUTSIDE];
	for (int i = 0; i < 5; i++) {
		begin(f, &callers[i], RIG_SLOW);
		wait_until(lane, i + 1);
	}
	wait_count(&rig_counts->slows, 2);
	for (int i = 3; i >= 2; i--) { /* from the middle of the queue, too */
		assert_in_range(end(&callers[i]), 0, SOON_MS);
		assert_int_equal(callers[i].code, ERROR_UNAVAILABLE);
	}
	wait_until(lane, 3);
	assert_int_equal(atomic_load(&rig_counts->slows), 2);
	end(&callers[0]); /* its place goes to the one that is left */
	wait_count(&rig_counts->slows, 3);
	end(&callers[1]);
	end(&callers[4]);
	wait_until(lane, 0);
}

static void of_two_places(struct service_settings *set)
{
	set->waiting = 2; /* of which one client has 1 */
}

/* What a service asked of a second on its caller's behalf ends, too: parked, running, and queued. */
static void test_through_a_service_to_the_next(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	struct service *second = rig_start(port, of_two_places);
	struct lane *lane = &second->lanes[WAITS_OUTSIDE];
	struct caller parked, running[2];

	rig_behind = rig_hasty_peer((int[]){ port, 0 });
	rig_wait_ready(rig_behind, 1, 10000);
	parked = (struct caller){ .f = f, .method = RIG_RELAY, .says = "park" };
	pthread_create(&parked.thread, NULL, make_call, &parked);
	wait_until(&second->parked, 1);
	assert_in_range(end(&parked), 0, SOON_MS);
	wait_until(&second->parked, 0);

	for (int i = 0; i < 2; i++) {
		begin(f, &running[i], RIG_RELAY);
		wait_until(lane, i + 1);
	}
	wait_count(&rig_counts->slows, 1);
	for (int i = 1; i >= 0; i--) {
		assert_in_range(end(&running[i]), 0, SOON_MS);
		wait_until(lane, i);
	}
	assert_int_equal(atomic_load(&rig_counts->slows), 1);
	wait_count(&rig_counts->cancelled, 1);
	wait_until(&f->service->lanes[WAITS_PEERS], 0);
	rig_close(rig_behind);
	rig_stop(second);
}

/* A request is named within the session that it came in. */
static void test_nobody_ends_anothers(void **state)
{
	struct fixture *f = *state;
	struct peer *other = rig_hasty_peer((int[]){ atoi(strrchr(f->service->set.listen, ':') + 1), 0 });
	Rpc__GoneRequest in = RPC__GONE_REQUEST__INIT;
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err };
	struct caller stays;
	ProtobufCMessage *out;

	rig_wait_ready(other, 1, 10000);
	begin(f, &stays, RIG_PARK);
	wait_until(&f->service->parked, 1);
	in.has_session = in.has_counter = true;
	in.session = f->peer->replicas[0]->session.id;
	for (in.counter = 0; in.counter <= f->peer->replicas[0]->counter; in.counter++)
		assert_int_equal(rpc_call(other, &ctx, &rpc_client_methods[RPC_METHOD_GONE], &in.base, &out),
		                 0);
	in.session = other->replicas[0]->session.id;
	for (in.counter = 0; in.counter <= f->peer->replicas[0]->counter; in.counter++)
		assert_int_equal(rpc_call(other, &ctx, &rpc_client_methods[RPC_METHOD_GONE], &in.base, &out),
		                 0);
	assert_int_equal(lane_busy(&f->service->parked), 1);
	rig_close(other);
	end(&stays);
}

/* The end of a wait and the news that nobody waits any more, at any moment. */
static void test_at_any_moment(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 60; i++) {
		struct caller callers[CALLERS_MAX];

		for (int k = 0; k < CALLERS_MAX; k++)
			begin(f, &callers[k], k % 2 ? RIG_PARK : RIG_SLOW);
		for (int k = 0; k < CALLERS_MAX; k++) {
			atomic_store(&callers[k].gone, true);
			if (k == i % CALLERS_MAX)
				assert_non_null(
				    rig_call(f->peer, RIG_WAKE, NULL, "", SOON_MS, &f->arena, &f->err));
		}
		for (int k = 0; k < CALLERS_MAX; k++)
			assert_in_range(end(&callers[k]), 0, SOON_MS);
		arena_reset(&f->arena);
	}
	wait_until(&f->service->parked, 0);
	wait_until(&f->service->lanes[WAITS_OUTSIDE], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_parked_call),
		TEST(test_a_handler_that_runs_finds_its_call_cancelled),
		TEST(test_queued_calls_are_never_begun),
		TEST(test_through_a_service_to_the_next),
		TEST(test_nobody_ends_anothers),
		TEST(test_at_any_moment),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
