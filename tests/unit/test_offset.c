#include "common/rpc/offset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Two hosts whose clocks are two minutes apart, either way: what is left of a deadline is left over there, too. */
static void test_clocks_that_differ(void **state)
{
	static const int64_t ahead[] = { 120000000, -120000000, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof ahead / sizeof *ahead; i++) {
		struct offset o = { 0 };

		assert_int_equal(offset_ahead(&o), 0);
		offset_measured(&o, 1000, 1000 + 150 + ahead[i], 1300); /* 150 us each way */
		assert_in_range(offset_ahead(&o) - ahead[i], 0, 300);
	}
}

/* It errs to one side alone: a deadline in their clock is never over before it is over here. */
static void test_never_too_little(void **state)
{
	struct offset o = { 0 };
	int64_t now = 0;

	(void)state;
	for (int64_t there = 0; there <= 10000; there += 250) {
		offset_measured(&o, now, now + there + 5000000, now + 10000);
		assert_true(offset_ahead(&o) >= 5000000);
		now += 1000000;
	}
}

static void test_the_shortest_way_is_believed(void **state)
{
	struct offset o = { 0 };

	(void)state;
	offset_measured(&o, 0, 40000, 50000); /* lay in a queue: not 40 ms ahead */
	offset_measured(&o, 100000, 100100, 100200);
	offset_measured(&o, 200000, 230000, 240000);
	assert_int_equal(offset_ahead(&o), 100);
}

/* A host that was started anew has another clock: what was measured before is forgotten with the eighth question. */
static void test_old_measures_are_forgotten(void **state)
{
	struct offset o = { 0 };

	(void)state;
	offset_measured(&o, 0, 900000000, 10);
	for (int i = 0; i < OFFSETS; i++)
		offset_measured(&o, 1000 * i, 1000 * i + 77, 1000 * i + 200);
	assert_int_equal(offset_ahead(&o), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks_that_differ),
		cmocka_unit_test(test_never_too_little),
		cmocka_unit_test(test_the_shortest_way_is_believed),
		cmocka_unit_test(test_old_measures_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
