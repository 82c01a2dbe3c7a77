/* links: gateway/proxies.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/proxies.h"

static const struct {
	const char *name, *trusted, *peer, *forwarded, *want;
} cases[] = {
	{ "nobody is trusted", "", "127.0.0.1", "1.1.1.1", "127.0.0.1" },
	{ "no header", "127.0.0.1", "127.0.0.1", NULL, "127.0.0.1" },
	{ "one proxy", "127.0.0.1", "127.0.0.1", "1.1.1.1", "1.1.1.1" },
	{ "a stranger claims", "10.0.0.0/8", "9.9.9.9", "1.1.1.1", "9.9.9.9" },
	{ "what the client made up is to the left", "10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1" },
	{ "two proxies", "10.0.0.0/8,192.168.1.2", "10.0.0.1", "6.6.6.6, 1.1.1.1,192.168.1.2", "1.1.1.1" },
	{ "only proxies", "10.0.0.0/8", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3" },
	{ "rubbish", "10.0.0.0/8", "10.0.0.1", "unknown", "10.0.0.1" },
	{ "rubbish to the left of a proxy", "10.0.0.0/8", "10.0.0.1", "<script>, 10.0.0.2", "10.0.0.2" },
	{ "empty", "10.0.0.0/8", "10.0.0.1", "", "10.0.0.1" },
	{ "IPv6", "fd00::/8", "fd00::1", "2001:db8::7", "2001:db8::7" },
	{ "IPv4 in IPv6", "::ffff:10.0.0.0/104", "10.0.0.1", "1.1.1.1", "1.1.1.1" },
	{ "bits that are no whole byte", "10.16.0.0/12", "10.31.255.255", "1.1.1.1", "1.1.1.1" },
	{ "just outside", "10.16.0.0/12", "10.32.0.0", "1.1.1.1", "10.32.0.0" },
	{ "everybody", "0.0.0.0/0", "9.9.9.9", "1.1.1.1", "1.1.1.1" },
};

static const char *const refused[] = { "localhost",  "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x",
	                               "fd00::/129", "10.0.0/8",    "1.2.3.4/-1" };

static void test_whose_address_counts(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error err = { 0 };
		struct proxies p;
		const char *got;

		assert_int_equal(proxies_parse(&p, cases[i].trusted, &err), 0);
		got = proxies_client(&p, cases[i].peer, cases[i].forwarded, &a);
		if (strcmp(got, cases[i].want))
			fail_msg("%s: got %s, want %s", cases[i].name, got, cases[i].want);
	}
	arena_done(&a);
}

static void test_bad_lists_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct error err = { 0 };
		struct proxies p;

		if (proxies_parse(&p, refused[i], &err) == 0)
			fail_msg("%s was taken", refused[i]);
		assert_non_null(strstr(err.message, refused[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_address_counts),
		cmocka_unit_test(test_bad_lists_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
