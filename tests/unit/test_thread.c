/* Threads have small stacks; waits end at their time by the clock that never jumps, and not before. */
#include "common/base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/clock.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static bool said;

static void *say_it(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	said = true;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *tell_stack(void *size)
{
	pthread_attr_t attr;
	void *bottom;

	assert_int_equal(pthread_getattr_np(pthread_self(), &attr), 0);
	pthread_attr_getstack(&attr, &bottom, size);
	pthread_attr_destroy(&attr);
	return NULL;
}

static void test_a_wait_ends_at_its_time(void **state)
{
	int64_t until = clock_mono_ms() + 30;

	(void)state;
	pthread_mutex_lock(&lock);
	while (cond_wait_until(&cond, &lock, until) == 0)
		;
	pthread_mutex_unlock(&lock);
	assert_in_range(clock_mono_ms(), until, until + 2000);
	pthread_mutex_lock(&lock);
	assert_int_equal(cond_wait_until(&cond, &lock, clock_mono_ms() - 1000), -1);
	pthread_mutex_unlock(&lock);
}

static void test_who_waits_is_woken(void **state)
{
	static const int64_t ends[] = { INT64_MAX, 10000 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		int64_t began = clock_mono_ms(), until = i ? began + ends[i] : ends[i];
		pthread_t thread = thread_start(say_it, NULL);

		pthread_mutex_lock(&lock);
		while (!said)
			assert_int_equal(cond_wait_until(&cond, &lock, until), 0);
		said = false;
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
		assert_in_range(clock_mono_ms() - began, 0, 5000);
	}
}

/* 1,024 of the usual 8 MB would be all that a container has. */
static void test_stacks_are_small(void **state)
{
	size_t size = 0;

	(void)state;
	pthread_join(thread_start(tell_stack, &size), NULL);
	assert_in_range(size, 200 * 1024, 2048 * 1024);
}

static int setup(void **state)
{
	(void)state;
	cond_init_monotonic(&cond);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wait_ends_at_its_time),
		cmocka_unit_test(test_who_waits_is_woken),
		cmocka_unit_test(test_stacks_are_small),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
