/* Which addresses are one client. */
#include "common/base/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *ip, *want_name, *want_network;
} cases[] = {
	{ "192.0.2.17", "192.0.2.17", "192.0.2.0/24" },
	{ "::ffff:192.0.2.17", "192.0.2.17", "192.0.2.0/24" },
	{ "2001:db8:1:2::1", "2001:db8:1:2::/64", "2001:db8:1:2::/64" },
	{ "2001:db8:1:2:ffff::9", "2001:db8:1:2::/64", "2001:db8:1:2::/64" },
	{ "::1", "::/64", "::/64" },
	{ "", "", "" },
	{ "not one", "not one", "not one" },
};

static void test_names(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		print_message("%s\n", cases[i].ip);
		assert_string_equal(client_name(cases[i].ip, &a), cases[i].want_name);
		assert_string_equal(client_network(cases[i].ip, &a), cases[i].want_network);
	}
	assert_null(client_name(NULL, &a));
	arena_done(&a);
}

static void test_numbers_tell_clients_apart(void **state)
{
	static const char *const different[] = { "0.0.0.0",         "127.0.0.1", "127.0.0.2",
		                                 "255.255.255.255", "::1",       "2001:db8:1:2::",
		                                 "2001:db8:1:3::" };

	(void)state;
	for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
		assert_true(client_number(different[i]) != 0);
		for (size_t j = 0; j < i; j++)
			assert_true(client_number(different[i]) != client_number(different[j]));
	}
	assert_true(client_number("::ffff:127.0.0.1") == client_number("127.0.0.1"));
	assert_true(client_number("2001:db8:1:2::1") == client_number("2001:db8:1:2:3::"));
	assert_true(client_number(NULL) == client_number("x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers_tell_clients_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
