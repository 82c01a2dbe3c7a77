/* Threads of a lane that wait for work: which of them is woken. */
#include "common/service/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs until `together` of its kind do, and notes who it was. */
struct noting {
	struct lane_job job;
	pthread_t thread;
	atomic_int *running;
	int together;
};

static void note_thread(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct noting *self = (struct noting *)job;

	(void)a;
	(void)ahead;
	self->thread = pthread_self();
	atomic_fetch_add(self->running, 1);
	while (atomic_load(self->running) < self->together)
		usleep(1000);
}

static void wait_until_idle(struct lane *lane, int threads)
{
	int idle = 0;

	while (idle != threads) {
		pthread_mutex_lock(&lane->lock);
		idle = lane->idle - lane->queued; /* who was woken is idle until it looks */
		pthread_mutex_unlock(&lane->lock);
	}
}

/* Its stack and its memory are still in the caches. */
static void test_who_worked_last_is_woken_first(void **state)
{
	enum { THREADS = 3, TIMES = 20 };
	static struct noting first[THREADS], next[TIMES];
	struct lane_config config = { "work", THREADS, THREADS };
	atomic_int running = 0, others = 0;
	struct metrics *metrics = metrics_new("test");
	struct lane lane;

	(void)state;
	lane_init(&lane, &config, metrics);
	for (int i = 0; i < THREADS; i++) {
		first[i] = (struct noting){ { note_thread, 0, NULL }, 0, &running, THREADS };
		assert_int_equal(lane_push(&lane, &first[i].job), 0);
	}
	for (int i = 0; i < TIMES; i++) {
		wait_until_idle(&lane, THREADS);
		next[i] = (struct noting){ { note_thread, 0, NULL }, 0, &others, 1 };
		assert_int_equal(lane_push(&lane, &next[i].job), 0);
	}
	wait_until_idle(&lane, THREADS); /* the end wakes all, and any of them takes what is left */
	assert_int_equal(lane_stop(&lane, 2000), 0);
	for (int i = 1; i < TIMES; i++)
		assert_true(pthread_equal(next[i].thread, next[0].thread));
	lane_done(&lane);
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_worked_last_is_woken_first) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
