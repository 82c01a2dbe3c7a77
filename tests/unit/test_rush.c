/* links: svc-integrations/slack/rush.c */
#include "svc-integrations/slack/rush.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void without_a_rush_nothing_waits(void **state)
{
	struct rush r;

	(void)state;
	rush_init(&r);
	for (int ms = 0; ms < 5000; ms += 50) { /* 20 a second */
		rush_note(&r, ms);
		assert_int_equal(rush_pause(&r, ms), 0);
	}
}

static void in_a_rush_answers_begin_one_after_another(void **state)
{
	int64_t ms = 10000;
	struct rush r;

	(void)state;
	rush_init(&r);
	for (int i = 0; i < 100; i++)
		rush_note(&r, ms + i * 5);
	ms += 500;
	for (int i = 0; i < 8; i++)
		assert_int_equal(rush_pause(&r, ms), i * 50);
	assert_int_equal(rush_pause(&r, ms + 390), 10);
}

static void when_it_is_over_nobody_waits(void **state)
{
	struct rush r;

	(void)state;
	rush_init(&r);
	for (int i = 0; i < 200; i++)
		rush_note(&r, i * 5);
	assert_int_equal(rush_pause(&r, 1000), 0);
	assert_int_equal(rush_pause(&r, 1000), 50);
	assert_int_equal(rush_pause(&r, 2000), 0);
	assert_int_equal(rush_pause(&r, 2000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rush_nothing_waits),
		cmocka_unit_test(in_a_rush_answers_begin_one_after_another),
		cmocka_unit_test(when_it_is_over_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
