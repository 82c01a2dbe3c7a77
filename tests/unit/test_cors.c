/* links: gateway/cors.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/cors.h"

static const struct {
	const char *name, *list, *origin;
	bool want;
} cases[] = {
	{ "listed", "https://a.example, https://b.example", "https://b.example", true },
	{ "not listed", "https://a.example", "https://c.example", false },
	{ "another scheme", "https://a.example", "http://a.example", false },
	{ "another port", "https://a.example", "https://a.example:444", false },
	{ "a longer host", "https://a.example", "https://a.example.evil.com", false },
	{ "any port", "http://localhost:*", "http://localhost:5173", true },
	{ "the default port too", "http://localhost:*", "http://localhost", true },
	{ "a port that is none", "http://localhost:*", "http://localhost:1.evil.com", false },
	{ "an empty port", "http://localhost:*", "http://localhost:", false },
	{ "a host that begins so", "http://localhost:*", "http://localhostess", false },
	{ "a brace in the port", "http://[::1]:*", "http://[::1]:3000", true },
	{ "IPv6 without a port", "http://[::1]:*", "http://[::1]", true },
	{ "a host below", "https://*.example.com", "https://app.example.com", true },
	{ "two below", "https://*.example.com", "https://a.b.example.com", true },
	{ "itself", "https://*.example.com", "https://example.com", false },
	{ "one that ends so", "https://*.example.com", "https://evilexample.com", false },
	{ "one that goes on", "https://*.example.com", "https://app.example.com.evil.com", false },
	{ "another port below", "https://*.example.com", "https://app.example.com:444", false },
	{ "this machine", "localhost", "http://localhost:5173", true },
	{ "this machine by TLS", "localhost", "https://localhost:3000", true },
	{ "this machine by IPv6", "localhost", "http://[::1]:3000", true },
	{ "a name of this machine", "localhost", "http://app.localhost:3000", true },
	{ "not this machine", "localhost", "http://localhost.evil.com", false },
	{ "null", "https://a.example", "null", false },
	{ "nothing listed", "", "https://a.example", false },
	{ "a slash too many in the list", "https://a.example/", "https://a.example", true },
};

static void test_origins(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error err = { 0 };
		struct cors *c;

		assert_int_equal(cors_parse(cases[i].list, &a, &c, &err), 0);
		if (cors_listed(c, cases[i].origin) != cases[i].want)
			fail_msg("%s", cases[i].name);
	}
	arena_done(&a);
}

static void test_what_is_no_origin_stops_the_start(void **state)
{
	static const char *const refused[] = { "*",       "example.com", "https://",
		                               "ftp://a", "https://a/b", "https://a b" };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct error err = { 0 };
		struct cors *c;

		if (cors_parse(refused[i], &a, &c, &err) == 0)
			fail_msg("%s was taken", refused[i]);
	}
	arena_done(&a);
}

static void test_credentials_only_for_listed_origins(void **state)
{
	struct error err = { 0 };
	struct arena a;
	struct cors *c;
	struct text out;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(cors_parse("https://a.example", &a, &c, &err), 0);

	text_init(&out, &a);
	cors_headers(c, "https://a.example", false, &out);
	assert_non_null(strstr(out.at, "Access-Control-Allow-Origin: https://a.example\r\n"));
	assert_non_null(strstr(out.at, "Access-Control-Allow-Credentials: true\r\n"));
	assert_non_null(strstr(out.at, "Access-Control-Expose-Headers: Link, X-Request-Id, Retry-After, "
	                               "Content-Disposition, WWW-Authenticate\r\n"));

	text_init(&out, &a);
	cors_headers(c, "https://evil.example", false, &out);
	assert_string_equal(out.at, "Vary: Origin\r\n");

	text_init(&out, &a);
	cors_headers(c, "https://shop.example", true, &out); /* a visitor of some website */
	assert_non_null(strstr(out.at, "Access-Control-Allow-Origin: https://shop.example\r\n"));
	assert_null(strstr(out.at, "Credentials"));

	text_init(&out, &a);
	cors_preflight_headers(c, "https://a.example", false, "GET, HEAD", "sentry-trace, if-none-match",
	                       &out);
	assert_non_null(strstr(out.at, "Access-Control-Allow-Methods: GET, HEAD\r\n"));
	assert_non_null(strstr(out.at, "Access-Control-Allow-Headers: sentry-trace, if-none-match\r\n"));

	text_init(&out, &a);
	cors_preflight_headers(c, "https://a.example", false, "GET", "x\r\nSet-Cookie: a", &out);
	assert_null(strstr(out.at, "Set-Cookie"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_what_is_no_origin_stops_the_start),
		cmocka_unit_test(test_credentials_only_for_listed_origins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
