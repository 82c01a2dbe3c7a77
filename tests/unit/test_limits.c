/* links: gateway/limits.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/limits.h"

static void test_a_minutes_worth_then_wait(void **state)
{
	struct rates *r = rates_new();

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_int_equal(rates_take(r, "1.2.3.4", 7, 60, 1000), 0);
	assert_in_range(rates_take(r, "1.2.3.4", 7, 60, 1000), 1, 2);
	assert_int_equal(rates_take(r, "1.2.3.5", 7, 60, 1000), 0); /* another client */
	assert_int_equal(rates_take(r, "1.2.3.4", 8, 60, 1000), 0); /* another thing */
	assert_int_equal(rates_take(r, "1.2.3.4", 7, 60, 2100), 0); /* one token a second comes back */
	assert_int_not_equal(rates_take(r, "1.2.3.4", 7, 60, 2100), 0);
	rates_give(r, "1.2.3.4", 7, 60, 2100);
	assert_int_equal(rates_take(r, "1.2.3.4", 7, 60, 2100), 0);
	for (int i = 0; i < 60; i++) /* never more than a minute's worth */
		assert_int_equal(rates_take(r, "1.2.3.4", 7, 60, 99999999), 0);
	assert_int_not_equal(rates_take(r, "1.2.3.4", 7, 60, 99999999), 0);
	rates_free(r);
}

static void test_ipv6_counts_by_its_network(void **state)
{
	struct rates *r = rates_new();

	(void)state;
	assert_int_equal(rates_take(r, "2001:db8:1:2::1", 1, 1, 0), 0);
	assert_int_not_equal(rates_take(r, "2001:db8:1:2:ffff::9", 1, 1, 0), 0);
	assert_int_equal(rates_take(r, "2001:db8:1:3::1", 1, 1, 0), 0);
	rates_free(r);
}

static void test_many_clients_do_not_free_one_that_is_restrained(void **state)
{
	struct rates *r = rates_new();
	char ip[32];

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_int_equal(rates_take(r, "1.2.3.4", 7, 60, 0), 0);
	for (int i = 0; i < 200000; i++) { /* ten times what the table holds, each asking once */
		snprintf(ip, sizeof ip, "10.%d.%d.%d", i >> 16, (i >> 8) & 255, i & 255);
		assert_int_equal(rates_take(r, ip, 7, 60, 0), 0);
	}
	assert_int_not_equal(rates_take(r, "1.2.3.4", 7, 60, 0), 0);
	rates_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_minutes_worth_then_wait),
		cmocka_unit_test(test_ipv6_counts_by_its_network),
		cmocka_unit_test(test_many_clients_do_not_free_one_that_is_restrained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
