/* links: tests/unit/rpc_pair.c tests/unit/rpc_rig.c tests/unit/middle.c */
/* Calls while replicas die in every way: at most once, left out and back, drained, and what the caller is told. */
#include "common/rpc/rpc.h"

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
#include "tests/unit/middle.h"
#include "tests/unit/rpc_pair.h"

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	struct peer *alone = rig_peer(NULL, (int[]){ rig_free_port(), 0 });
	int64_t began = clock_mono_ms();

	assert_null(rig_call(alone, RIG_WRITE, NULL, "0", 20000, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_string_equal(f->err.message, "rig is not reachable right now");
	assert_int_equal(f->err.retry_after, 1);
	assert_in_range(clock_mono_ms() - began, 800, 15000);
	rig_close(alone);
}

static void test_a_call_waits_for_a_start(void **state)
{
	struct fixture *f = *state;
	struct peer *early;
	struct caller one;
	struct peer *both = f->peer;

	rig_kill(f->pids[0], SIGKILL);
	early = rig_peer(NULL, (int[]){ f->ports[0], 0 });
	f->peer = early;
	callers_start(&one, 1,
	              (struct caller){ .f = f, .method = RIG_READ, .text = "0", .calls = 8, .ms = 5000 });
	f->pids[0] = rig_spawn(f->ports[0]);
	callers_finish(&one, 1);
	assert_true(one.by_code[ERROR_NONE] >= 5);
	f->peer = both;
	rig_close(early);
}

/* A replica is killed under load: no read fails, a write is done at most once. */
static void test_killed_under_load(void **state)
{
	struct fixture *f = *state;
	struct caller readers[8], writers[8], *got;
	int64_t before;
	int done, unknown, before_return;

	callers_start(
	    readers, 8,
	    (struct caller){
	        .f = f, .method = RIG_READ, .text = "5", .calls = 150, .ms = 10000, .pause_ms = 2 });
	callers_start(
	    writers, 8,
	    (struct caller){
	        .f = f, .method = RIG_WRITE, .text = "5", .calls = 150, .ms = 10000, .pause_ms = 2 });
	usleep(200 * 1000);
	rig_kill(f->pids[0], SIGKILL);
	usleep(200 * 1000);
	before_return = (int)pair_count(f, 0, "ok");
	f->pids[0] = rig_spawn(f->ports[0]);

	got = callers_finish(readers, 8);
	assert_int_equal(got->by_code[ERROR_NONE], 8 * 150);
	got = callers_finish(writers, 8);
	done = got->by_code[ERROR_NONE];
	unknown = got->by_code[ERROR_UNKNOWN_OUTCOME];
	print_message("  writes: %d done, %d unknown, %d certainly not\n", done, unknown,
	              got->by_code[ERROR_UNAVAILABLE]);
	assert_int_equal(done + unknown + got->by_code[ERROR_UNAVAILABLE], 8 * 150);
	assert_true(unknown <= 8); /* those that were with it */
	assert_in_range(atomic_load(&rig_counts->writes), done, done + unknown);

	/* Back: load on both again. */
	rig_wait_ready(f->peer, 2, 5000);
	before = pair_count(f, 0, "ok");
	assert_true(before >= before_return);
	callers_start(readers, 8,
	              (struct caller){ .f = f, .method = RIG_READ, .text = "1", .calls = 30, .ms = 10000 });
	assert_int_equal(callers_finish(readers, 8)->by_code[ERROR_NONE], 240);
	assert_true(pair_count(f, 0, "ok") - before > 80);
}

static void test_killed_while_it_writes(void **state)
{
	struct fixture *f = *state;
	struct caller writers[4], *got;

	callers_start(
	    writers, 4,
	    (struct caller){ .f = f, .method = RIG_WRITE, .text = "1000", .calls = 1, .ms = 10000 });
	while (atomic_load(&rig_counts->writes) < 4)
		usleep(1000);
	rig_kill(f->pids[0], SIGKILL);
	f->pids[0] = 0;
	got = callers_finish(writers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 2);
	assert_int_equal(got->by_code[ERROR_UNKNOWN_OUTCOME], 2);
	assert_int_equal(atomic_load(&rig_counts->writes), 4); /* none was begun again elsewhere */
}

/* A replica that is stopped answers nothing and keeps its connections: it is left out, and comes back. */
static void test_hung_and_back(void **state)
{
	struct fixture *f = *state;
	struct caller readers[4], *got;
	struct peer *usual = f->peer;
	int64_t until;

	f->peer = rig_hasty_peer(f->ports);
	rig_wait_ready(f->peer, 2, 5000);
	rig_kill(f->pids[0], SIGSTOP);
	callers_start(
	    readers, 4,
	    (struct caller){
	        .f = f, .method = RIG_READ, .text = "0", .calls = 40, .ms = 20000, .pause_ms = 50 });
	got = callers_finish(readers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 160); /* those that were with it were asked elsewhere */
	print_message("  longest %lld ms\n", (long long)got->longest);
	assert_in_range(got->longest, 0, 4000); /* at the usual pace: 4.5 s */
	assert_int_equal(peer_ready(f->peer), 1);
	until = clock_mono_ms() + 2000;
	for (int i = 0; i < 20; i++)
		assert_non_null(pair_call(f, RIG_READ, "0", 1000));
	assert_true(clock_mono_ms() < until); /* none of them waited for the one that is stopped */

	rig_kill(f->pids[0], SIGCONT);
	rig_wait_ready(f->peer, 2, 5000);
	rig_close(f->peer);
	f->peer = usual;
}

/* A read that begins in the moment in which its replica is left out. */
static void test_a_read_that_begins_as_its_replica_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct peer *alone = rig_hasty_peer((int[]){ f->ports[0], 0 });
	Rpc__Request request = RPC__REQUEST__INIT;
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err };
	struct call_out out = { .peer = alone, .ctx = &ctx, .method = &rig_methods[RIG_READ] };
	int64_t began;
	struct exchange *x;

	rig_wait_ready(alone, 1, 5000);
	out.began = clock_mono_ms();
	out.until = out.began + 30000;
	x = begin_try(&out);
	assert_non_null(x);
	rig_kill(f->pids[0], SIGSTOP);
	rig_wait_ready(alone, 0, 5000); /* and only now it is sent */
	request.has_method = request.has_deadline = true;
	request.method = rig_methods[RIG_READ].id;
	began = clock_mono_ms();
	exchange_start(x, &request, 1000, out.until);
	while (sem_wait(&x->wake) < 0)
		;
	assert_in_range(clock_mono_ms() - began, 0, 15000);
	assert_int_not_equal(x->result, 0);
	end_try(&out, x, NULL, false, true, ERROR_UNAVAILABLE);
	rig_close(alone);
}

/* Connections that carry nothing any more (its own address changed, say) are closed and made anew. */
static void test_dead_connections_are_dialled_anew(void **state)
{
	struct fixture *f = *state;
	struct middle *middle = middle_open(f->ports[0]);
	struct peer *peer = rig_hasty_peer((int[]){ middle_port(middle), 0 });
	int64_t began;

	rig_wait_ready(peer, 1, 5000);
	middle_freeze(middle);
	began = clock_mono_ms();
	while (!rig_call(peer, RIG_READ, NULL, "0", 30000, &f->arena, &f->err)) {
		assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
		error_clear(&f->err);
	}
	print_message("  back after %lld ms\n", (long long)(clock_mono_ms() - began));
	assert_in_range(clock_mono_ms() - began, 0, 8500); /* at the usual pace: 9 s */
	rig_wait_ready(peer, 1, 1000);
	rig_close(peer);
	middle_close(middle);
}

static void test_slow_methods_do_not_eject(void **state)
{
	struct fixture *f = *state;
	struct caller impatient[6], *got;

	callers_start(impatient, 6,
	              (struct caller){
	                  .f = f, .method = RIG_SLOW, .text = "600", .calls = 3, .ms = 300, .pause_ms = 10 });
	got = callers_finish(impatient, 6);
	assert_true(got->by_code[ERROR_UNKNOWN_OUTCOME] > 0);
	assert_int_equal(peer_ready(f->peer), 2);
}

/* The only replica is restarted: reads wait for the next one instead of failing. */
static void test_reads_wait_out_a_restart(void **state)
{
	struct fixture *f = *state;
	struct peer *both = f->peer, *alone = rig_peer(NULL, (int[]){ f->ports[0], 0 });
	struct caller readers[4], *got;

	rig_wait_ready(alone, 1, 5000);
	alone->pace.revival = 20000; /* on a busy machine a program starts slowly */
	f->peer = alone;
	callers_start(
	    readers, 4,
	    (struct caller){
	        .f = f, .method = RIG_READ, .text = "5", .calls = 200, .ms = 20000, .pause_ms = 5 });
	usleep(100 * 1000);
	rig_kill(f->pids[0], SIGTERM);
	f->pids[0] = rig_spawn(f->ports[0]);
	got = callers_finish(readers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 800);
	f->peer = both;
	rig_close(alone);
}

/* SIGTERM: what runs is finished, what comes is taken by the other one. Nobody notices. */
static void test_drained_under_load(void **state)
{
	struct fixture *f = *state;
	struct caller readers[4], writers[4], *got;

	callers_start(
	    readers, 4,
	    (struct caller){
	        .f = f, .method = RIG_READ, .text = "20", .calls = 60, .ms = 10000, .pause_ms = 1 });
	callers_start(
	    writers, 4,
	    (struct caller){
	        .f = f, .method = RIG_WRITE, .text = "20", .calls = 60, .ms = 10000, .pause_ms = 1 });
	usleep(300 * 1000);
	rig_kill(f->pids[0], SIGTERM);
	f->pids[0] = 0;
	got = callers_finish(readers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 240);
	got = callers_finish(writers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 240);
	assert_int_equal(atomic_load(&rig_counts->writes), 240);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_nobody_there),
		PAIR_TEST(test_a_call_waits_for_a_start),
		PAIR_TEST(test_killed_under_load),
		PAIR_TEST(test_killed_while_it_writes),
		PAIR_TEST(test_hung_and_back),
		PAIR_TEST(test_a_read_that_begins_as_its_replica_is_left_out),
		PAIR_TEST(test_dead_connections_are_dialled_anew),
		PAIR_TEST(test_slow_methods_do_not_eject),
		PAIR_TEST(test_reads_wait_out_a_restart),
		PAIR_TEST(test_drained_under_load),
	};

	rig_main(argc, argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* test_rpc test_hung*: that one alone */
	return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
