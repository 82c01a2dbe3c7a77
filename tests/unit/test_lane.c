/* links: tests/unit/pg.c */
/* Lanes: threads with one job each, and threads that hold several. */
#include "common/service/internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/pg.h"

enum { JOBS = 200 };

static const struct db_stmt statements[] = { { "square", "SELECT $1::bigint * $1::bigint AS n" }, { 0 } };
static const struct db_stmt *const tables[] = { statements, NULL };
static struct db_pool *pool;
static atomic_int at_once, most_at_once, done;
static struct metrics *metrics;

struct job {
	struct lane_job job;
	int reads; /* one after the other */
	bool begun;
};

static void notice(void)
{
	int now = atomic_fetch_add(&at_once, 1) + 1, most = atomic_load(&most_at_once);

	while (now > most && !atomic_compare_exchange_weak(&most_at_once, &most, now))
		;
}

/* 0, 1, 2 or 3 reads: each of the number that the one before it gave. */
static void run(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	static const int64_t wanted[] = { 2, 4, 16, 256 };
	struct job *self = (struct job *)job;
	struct error err = { 0 };
	int64_t n = 2;
	struct db db;

	if (!self->begun)
		notice();
	self->begun = true;
	memset(arena_alloc(a, 100), 1, 100);
	db_init(&db, pool);
	db.ahead = ahead;
	for (int i = 0; i < self->reads; i++) {
		if (db_number(&db, "square", DB_ARGS(n), &n, &err) < 0)
			return;
	}
	assert_int_equal(n, wanted[self->reads]);
	atomic_fetch_sub(&at_once, 1);
	atomic_fetch_add(&done, 1);
}

static void work_through(bool brief, int threads)
{
	static struct job jobs[JOBS];
	struct lane lane;
	struct arena a;
	struct text shown;

	atomic_store(&done, 0);
	atomic_store(&most_at_once, 0);
	struct lane_config config = { brief ? "brief" : "work", brief ? threads * DB_BATCH_MAX : threads,
		                      JOBS, .brief = brief };

	lane_init(&lane, &config, metrics);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ { run, 0, NULL }, i % 4, false };
		assert_int_equal(lane_push(&lane, &jobs[i].job), 0);
	}
	while (lane_busy(&lane))
		usleep(1000);
	assert_int_equal(atomic_load(&done), JOBS);
	arena_init(&a, 0);
	text_init(&shown, &a);
	metrics_print(metrics, &shown);
	assert_non_null(strstr(shown.at, brief ? "test_rpc_queue_depth{lane=\"brief\"} 0\n"
	                                       : "test_rpc_queue_depth{lane=\"work\"} 0\n"));
	arena_done(&a);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	assert_int_equal(lane_push(&lane, &jobs[0].job), -1);
	lane_done(&lane);
}

static void test_one_job_a_thread(void **state)
{
	(void)state;
	work_through(false, 3);
	assert_in_range(atomic_load(&most_at_once), 1, 3);
}

static void test_several_jobs_a_thread(void **state)
{
	(void)state;
	work_through(true, 1);
	assert_in_range(atomic_load(&most_at_once), 2, DB_BATCH_MAX);
	work_through(true, 2);
	assert_in_range(atomic_load(&most_at_once), 2, 2 * DB_BATCH_MAX);
}

/* --- A read beside calls that wait for nothing --------------------------------------------------------------------- */

static struct lane storm;
static atomic_int stormed, answered_after;

/* Refused at once, and there again: what a storm of retries is made of. */
static void refuse(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	(void)a;
	(void)ahead;
	atomic_fetch_add(&stormed, 1);
	(void)!lane_push(&storm, job);
}

static void read_beside(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct error err = { 0 };
	struct db db;
	int64_t n;

	(void)job;
	(void)a;
	db_init(&db, pool);
	db.ahead = ahead;
	if (db_number(&db, "square", DB_ARGS(7), &n, &err) == 0)
		atomic_store(&answered_after, atomic_load(&stormed));
}

static void test_a_read_is_answered_beside_a_storm_of_refused_calls(void **state)
{
	struct lane_job calls[64], read = { .run = read_beside };
	int64_t until = clock_mono_ms() + 3000;
	int before;

	(void)state;
	atomic_store(&answered_after, 0);
	lane_init(&storm, &(struct lane_config){ "storm", DB_BATCH_MAX, 1000, .brief = true }, metrics);
	for (int i = 0; i < 64; i++) {
		calls[i] = (struct lane_job){ .run = refuse };
		assert_int_equal(lane_push(&storm, &calls[i]), 0);
	}
	before = atomic_load(&stormed);
	assert_int_equal(lane_push(&storm, &read), 0);
	while (!atomic_load(&answered_after) && clock_mono_ms() < until)
		usleep(1000);
	assert_in_range(atomic_load(&answered_after), 1, before + 10000);
	(void)lane_stop(&storm, 2000);
	lane_done(&storm);
}

/* --- Shares: who runs is told by name, and ends when it is let ------------------------------------------------------- */

enum { A = 1, B, C };

struct guest {
	struct lane_job job;
	atomic_int state; /* 0 waits, 1 runs, 2 is told to end, 3 ended */
	int place;        /* in the order in which they began */
};

static atomic_int begun;

static void stay(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct guest *g = (struct guest *)job;

	(void)a;
	(void)ahead;
	g->place = atomic_fetch_add(&begun, 1);
	atomic_store(&g->state, 1);
	while (atomic_load(&g->state) == 1)
		usleep(500);
	atomic_store(&g->state, 3);
}

static void arrive(struct lane *lane, struct guest *g, int count, uint64_t owner)
{
	for (int i = 0; i < count; i++) {
		g[i] = (struct guest){ .job = { stay, owner, NULL } };
		assert_int_equal(lane_push(lane, &g[i].job), 0);
	}
}

static int running(struct guest *g, int count)
{
	int n = 0;

	for (int i = 0; i < count; i++)
		n += atomic_load(&g[i].state) == 1;
	return n;
}

/* So many run, and no more come. */
static void settles_at(struct guest *g, int count, int want)
{
	int64_t until = clock_mono_ms() + 2000;

	while (running(g, count) < want && clock_mono_ms() < until)
		usleep(500);
	usleep(5000);
	assert_int_equal(running(g, count), want);
}

static void end_one(struct guest *g, int count)
{
	for (int i = 0; i < count; i++) {
		if (atomic_load(&g[i].state) == 1) {
			atomic_store(&g[i].state, 2);
			while (atomic_load(&g[i].state) != 3)
				usleep(500);
			return;
		}
	}
	fail();
}

static void end_all(struct guest *g, int count)
{
	int ended = 0;

	while (ended < count) {
		ended = 0;
		for (int i = 0; i < count; i++) {
			int runs = 1;

			(void)!atomic_compare_exchange_strong(&g[i].state, &runs, 2);
			ended += atomic_load(&g[i].state) == 3;
		}
		usleep(200);
	}
}

static void test_the_last_place_is_for_one_that_holds_none(void **state)
{
	struct guest a[6], b[2];
	struct lane lane;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "last", 4, 100 }, metrics);
	arrive(&lane, a, 6, A);
	settles_at(a, 6, 3);
	arrive(&lane, b, 2, B);
	settles_at(b, 2, 1);
	end_one(a, 6);
	settles_at(b, 2, 1);
	settles_at(a, 6, 2); /* the place that became free is the last one, and both hold some */
	end_one(a, 6);
	settles_at(a, 6, 2); /* it was A's turn */
	end_one(a, 6);
	settles_at(b, 2, 2);
	end_all(b, 2);
	end_all(a, 6);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

static void test_owners_take_turns_however_many_one_has_queued(void **state)
{
	struct guest a[40], b[3];
	struct lane lane;

	(void)state;
	atomic_store(&begun, 0);
	lane_init(&lane, &(struct lane_config){ "turns", 1, 100 }, metrics);
	arrive(&lane, a, 40, A);
	arrive(&lane, b, 3, B);
	while (lane_busy(&lane)) {
		for (int i = 0; i < 43; i++) {
			struct guest *g = i < 40 ? &a[i] : &b[i - 40];
			int runs = 1;

			(void)!atomic_compare_exchange_strong(&g->state, &runs, 2);
		}
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(b[i].place, 1, 2 * i + 2);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

/* 70 pages that never come, and somebody else who searches. */
static void test_who_waits_long_leaves_room_for_those_who_come_later(void **state)
{
	struct guest a[15], b[4], c[1];
	struct lane lane;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "long", 8, 8, .waits_long = true }, metrics);
	arrive(&lane, a, 9, A);
	settles_at(a, 9, 4);
	arrive(&lane, b, 4, B);
	settles_at(b, 4, 2);
	arrive(&lane, c, 1, C);
	settles_at(c, 1, 1);
	end_all(a, 9);
	end_all(b, 4);
	end_all(c, 1);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

static void test_the_queue_is_shared_too(void **state)
{
	struct guest a[8], b[1];
	struct lane lane;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "queue", 4, 4 }, metrics);
	arrive(&lane, a, 7, A);
	settles_at(a, 7, 3);
	a[7] = (struct guest){ .job = { stay, A, NULL } };
	assert_int_equal(lane_push(&lane, &a[7].job), -1);
	arrive(&lane, b, 1, B);
	settles_at(b, 1, 1);
	end_all(a, 7);
	end_all(b, 1);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

static void test_a_held_place_is_good_when_all_others_are_taken(void **state)
{
	struct guest a[3], late = { .job = { stay, 0, NULL } };
	struct share *held;
	struct lane lane;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "held", 3, 3 }, metrics);
	held = lane_hold(&lane, A);
	assert_non_null(held);
	arrive(&lane, a, 3, B);
	settles_at(a, 3, 1); /* the last one is for somebody else */
	assert_null(lane_hold(&lane, A));
	assert_int_equal(lane_push_held(&lane, &late.job, held), 0);
	settles_at(&late, 1, 1);
	end_all(a, 3);
	atomic_store(&late.state, 2);
	while (lane_busy(&lane))
		usleep(500);
	held = lane_hold(&lane, A); /* given back: nothing is left of it */
	lane_release(&lane, held);
	assert_int_equal(lane_busy(&lane), 0);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

/* --- Threads that wait for others ------------------------------------------------------------------------------------------ */

struct waiting_guest {
	struct lane_job job;
	struct lane *lane;
	atomic_int state; /* 1 away, 2 called back, 3 done */
};

static void stay_away(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct waiting_guest *g = (struct waiting_guest *)job;

	(void)a;
	(void)ahead;
	lane_away(g->lane);
	atomic_store(&g->state, 1);
	while (atomic_load(&g->state) != 2)
		usleep(500);
	lane_back(g->lane);
	atomic_store(&g->state, 3);
}

static void wait_until(const struct waiting_guest *g, int state)
{
	int64_t until = clock_mono_ms() + 5000;

	while (atomic_load(&g->state) != state && clock_mono_ms() < until)
		usleep(500);
	assert_int_equal(atomic_load(&g->state), state);
}

static void test_threads_that_are_away_let_others_work(void **state)
{
	struct waiting_guest a[4];
	struct guest b[3];
	struct lane lane;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "away", 8, 8, .working = 1 }, metrics);
	for (int i = 0; i < 4; i++) {
		a[i] = (struct waiting_guest){ .job = { stay_away, A + (uint64_t)i, NULL }, .lane = &lane };
		assert_int_equal(lane_push(&lane, &a[i].job), 0);
		wait_until(&a[i], 1);
	}
	arrive(&lane, b, 3, B);
	settles_at(b, 3, 1); /* of those that work, one at a time */
	end_all(b, 3);
	for (int i = 0; i < 4; i++) {
		atomic_store(&a[i].state, 2);
		wait_until(&a[i], 3);
	}
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

struct resting {
	struct lane_job job;
	struct lane *lane;
	struct share *held;
	atomic_int runs;
};

static void rest_once(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct resting *r = (struct resting *)job;

	(void)a;
	(void)ahead;
	if (atomic_load(&r->runs) == 0)
		lane_keep(r->lane, r->held);
	atomic_fetch_add(&r->runs, 1);
}

static void test_a_job_that_rests_keeps_its_place(void **state)
{
	struct lane lane;
	struct resting r = { .job = { rest_once, A, NULL }, .lane = &lane };

	(void)state;
	lane_init(&lane, &(struct lane_config){ "rests", 2, 0 }, metrics);
	r.held = lane_hold(&lane, A);
	assert_int_equal(lane_push_held(&lane, &r.job, r.held), 0);
	while (atomic_load(&r.runs) < 1 || lane_busy(&lane) > 1)
		usleep(500);
	assert_int_equal(lane_busy(&lane), 1);
	assert_int_equal(lane_stop(&lane, 50), -1); /* it is not over */
	lane_push_again(&lane, &r.job, r.held);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	assert_int_equal(atomic_load(&r.runs), 2);
	lane_done(&lane);
}

/* --- No thread to be had ------------------------------------------------------------------------------------------------ */

static atomic_int no_threads;

/* In front of the C library's. */
__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                                          void *(*start)(void *), void *arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return atomic_load(&no_threads) ? EAGAIN : real(thread, attr, start, arg);
}

static void test_without_a_thread_to_be_had_work_is_refused_or_waits(void **state)
{
	struct guest first, second, third;
	struct lane lane;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "none", 4, 4 }, metrics);
	atomic_store(&no_threads, 1);
	first = (struct guest){ .job = { stay, A, NULL } };
	assert_int_equal(lane_push(&lane, &first.job), -1); /* it ended the process */
	assert_int_equal(lane_busy(&lane), 0);
	atomic_store(&no_threads, 0);
	arrive(&lane, &second, 1, A);
	settles_at(&second, 1, 1);
	atomic_store(&no_threads, 1);
	arrive(&lane, &third, 1, B);
	settles_at(&third, 1, 0);
	end_one(&second, 1);
	settles_at(&third, 1, 1); /* the one thread has gone on with it */
	atomic_store(&no_threads, 0);
	end_one(&third, 1);
	assert_int_equal(lane_stop(&lane, 2000), 0);
	lane_done(&lane);
}

static void test_full(void **state)
{
	struct job jobs[4];
	struct lane lane;
	int taken = 0;

	(void)state;
	lane_init(&lane, &(struct lane_config){ "full", 1, 1 }, metrics);
	lane.stopping = true; /* nobody takes any */
	for (int i = 0; i < 4; i++)
		taken += lane_push(&lane, &jobs[i].job) == 0;
	assert_int_equal(taken, 0);
	lane_done(&lane);
}

static int make_metrics(void **state)
{
	struct db_config config = { pg_url(), "test_lane", 4, tables };
	struct error err = { 0 };

	(void)state;
	metrics = metrics_new("test");
	pg_schema("test_lane");
	return db_pool_open(&config, 0, &pool, &err);
}

static int free_metrics(void **state)
{
	(void)state;
	metrics_free(metrics);
	db_pool_free(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_job_a_thread),
		cmocka_unit_test(test_several_jobs_a_thread),
		cmocka_unit_test(test_a_read_is_answered_beside_a_storm_of_refused_calls),
		cmocka_unit_test(test_the_last_place_is_for_one_that_holds_none),
		cmocka_unit_test(test_owners_take_turns_however_many_one_has_queued),
		cmocka_unit_test(test_who_waits_long_leaves_room_for_those_who_come_later),
		cmocka_unit_test(test_the_queue_is_shared_too),
		cmocka_unit_test(test_a_held_place_is_good_when_all_others_are_taken),
		cmocka_unit_test(test_threads_that_are_away_let_others_work),
		cmocka_unit_test(test_a_job_that_rests_keeps_its_place),
		cmocka_unit_test(test_without_a_thread_to_be_had_work_is_refused_or_waits),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, make_metrics, free_metrics);
}
