/* links: tests/unit/pg.c */
/* Lanes: threads with one job each, and threads that hold several. */
#include "common/service/internal.h"

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
	lane_init(&lane, threads, JOBS, metrics, brief ? "brief" : "work");
	lane.brief = brief;
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ { run, NULL }, i % 4, false };
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
	lane_init(&storm, 1, 1000, metrics, "storm");
	storm.brief = true;
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

static void test_full(void **state)
{
	struct job jobs[4];
	struct lane lane;
	int taken = 0;

	(void)state;
	lane_init(&lane, 1, 1, metrics, "full");
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
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, make_metrics, free_metrics);
}
