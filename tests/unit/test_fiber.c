/* Work that pauses and goes on, on stacks of its own. */
#include "common/base/fiber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/thread.h"

struct counter {
	int from, to, at;
};

static void count(void *arg)
{
	struct counter *c = arg;

	for (c->at = c->from; c->at < c->to; c->at++)
		fiber_pause();
}

static void test_pauses_and_goes_on(void **state)
{
	struct counter c = { 3, 5, 0 };
	struct fiber *f = fiber_new();

	(void)state;
	assert_false(fiber_here());
	assert_true(fiber_start(f, count, &c));
	assert_int_equal(c.at, 3);
	assert_false(fiber_here());
	assert_true(fiber_resume(f));
	assert_int_equal(c.at, 4);
	assert_false(fiber_resume(f));
	assert_int_equal(c.at, 5);
	fiber_free(f);
}

static void test_started_again(void **state)
{
	struct fiber *f = fiber_new();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct counter c = { i, i + 1, 0 };

		assert_true(fiber_start(f, count, &c));
		assert_false(fiber_resume(f));
		assert_int_equal(c.at, i + 1);
	}
	fiber_free(f);
}

static void test_side_by_side(void **state)
{
	enum { MANY = 16, ROUNDS = 20 };
	struct fiber *f[MANY];
	struct counter c[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		c[i] = (struct counter){ 100 * i, 100 * i + ROUNDS, 0 };
		f[i] = fiber_new();
		assert_true(fiber_start(f[i], count, &c[i]));
	}
	for (int round = 1; round <= ROUNDS; round++)
		for (int i = MANY - 1; i >= 0; i--) {
			assert_int_equal(fiber_resume(f[i]), round < ROUNDS);
			assert_int_equal(c[i].at, 100 * i + round);
		}
	for (int i = 0; i < MANY; i++)
		fiber_free(f[i]);
}

/* What handlers and libraries do: large frames, floating point, printf. */
static void use_the_stack(void *arg)
{
	char bytes[100 * 1024], *ret = arg;
	double third = 1.0 / 3;

	memset(bytes, 'x', sizeof bytes);
	fiber_pause();
	for (size_t i = 0; i < sizeof bytes; i++)
		assert_int_equal(bytes[i], 'x');
	snprintf(ret, 32, "%.3f", third);
}

static void test_large_frames(void **state)
{
	struct fiber *f = fiber_new();
	char got[32] = "";

	(void)state;
	assert_true(THREAD_STACK_SIZE > (size_t)200 * 1024);
	assert_true(fiber_start(f, use_the_stack, got));
	assert_false(fiber_resume(f));
	assert_string_equal(got, "0.333");
	fiber_free(f);
	fiber_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_and_goes_on),
		cmocka_unit_test(test_started_again),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_large_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
