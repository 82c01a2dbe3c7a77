/* Lanes: threads with one job each, and threads that hold several. */
#include "common/base/fiber.h"
#include "common/service/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 200 };

static atomic_int at_once, most_at_once, done;
static struct metrics *metrics;

struct job {
	struct lane_job job;
	int pauses;
};

static void notice(void)
{
	int now = atomic_fetch_add(&at_once, 1) + 1, most = atomic_load(&most_at_once);

	while (now > most && !atomic_compare_exchange_weak(&most_at_once, &most, now))
		;
}

static void run(struct lane_job *job, struct arena *a)
{
	struct job *self = (struct job *)job;
	char *mine = arena_alloc(a, 100);

	notice();
	memset(mine, self->pauses, 100);
	for (int i = 0; i < self->pauses; i++) {
		if (fiber_here())
			fiber_pause();
		for (int b = 0; b < 100; b++)
			assert_int_equal(mine[b], self->pauses); /* an arena of its own */
	}
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
		jobs[i] = (struct job){ { run, NULL }, i % 4 };
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
	(void)state;
	metrics = metrics_new("test");
	return 0;
}

static int free_metrics(void **state)
{
	(void)state;
	metrics_free(metrics);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_job_a_thread),
		cmocka_unit_test(test_several_jobs_a_thread),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, make_metrics, free_metrics);
}
