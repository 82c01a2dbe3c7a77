/* links: svc-chat/turn/waiting.c */
/* Which of the turns that wait behind others are looked at: all of them, however many. */
#include "svc-chat/turn/keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { WRITERS = 50, AT_ONCE = 8 };

static void test_all_are_looked_at_in_turn(void **state)
{
	static struct writer writers[WRITERS];
	struct writer *got[AT_ONCE];
	struct keeper k = { .rounds_of_looks = 1 };
	int seen[WRITERS] = { 0 }, waiting = 0;

	(void)state;
	for (int i = 0; i < WRITERS; i++) { /* the newest stand first */
		writers[i].queued = i % 5 != 0;
		writers[i].rests = i % 7 == 0;
		writers[i].since = i;
		writers[i].next = k.first;
		k.first = &writers[i];
		waiting += writers[i].queued && !writers[i].rests;
	}
	for (int left = waiting; left > 0; left -= AT_ONCE) {
		size_t n = keeper_waiting(&k, got, AT_ONCE);

		assert_int_equal(n, left < AT_ONCE ? left : AT_ONCE);
		for (size_t i = 0; i < n; i++)
			seen[got[i] - writers]++;
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(seen[i], writers[i].queued && !writers[i].rests);
	assert_int_equal(keeper_waiting(&k, got, 1), 1);
	assert_ptr_equal(got[0], &writers[1]);
}

static void test_one_alone_is_looked_at_each_time(void **state)
{
	struct writer one = { .queued = true }, *got[AT_ONCE];
	struct keeper k = { .first = &one };

	(void)state;
	keeper_waiting(&k, got, AT_ONCE); /* its round is the keeper's first */
	for (int i = 0; i < 3; i++)
		assert_int_equal(keeper_waiting(&k, got, AT_ONCE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_looked_at_in_turn),
		cmocka_unit_test(test_one_alone_is_looked_at_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
