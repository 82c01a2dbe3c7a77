/* links: svc-chat/model/pause.c */
#include "svc-chat/model/pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"

enum { NOW = 1764000000, MOST = 1000000000 }; /* 2025-11-24 16:00:00 UTC */

struct spelling {
	const char *text;
	int64_t ms;
};

static void test_headers(void **state)
{
	static const struct spelling spellings[] = {
		{ "2", 2000 },
		{ " 2 ", 2000 },
		{ "2.5", 2500 },
		{ "2.5s", 2500 },
		{ "\"2\"", 2000 },
		{ "2, 2", 2000 },
		{ "2 seconds", 2000 },
		{ "2 sec", 2000 },
		{ "300ms", 300 },
		{ "1m30s", 90000 },
		{ "00:00:02", 2000 },
		{ "00:01:02.5", 62500 },
		{ "0", 0 },
		{ "1e999", -1 },
		{ "-5", -1 },
		{ "99999999999999", MOST },
		{ "Mon, 24 Nov 2025 16:00:07 GMT", 7000 },
		{ "Monday, 24-Nov-25 16:00:07 GMT", 7000 },
		{ "Mon Nov 24 16:00:07 2025", 7000 },
		{ "Mon, 24 Nov 2025 15:59:00 GMT", 0 },
		{ "2025-11-24T16:00:07Z", 7000 },
		{ "soon", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		print_message("%s\n", spellings[i].text);
		assert_int_equal(pause_read(spellings[i].text, 1000, NOW), spellings[i].ms);
	}
	assert_int_equal(pause_read("2100", 1, NOW), 2100);
}

static void test_words(void **state)
{
	static const struct spelling spellings[] = {
		{ "Rate limit reached. Please try again in 2.1s.", 2100 },
		{ "Please try again in 20ms. Visit https://x.org", 20 },
		{ "Please try again in 1m2.5s.", 62500 },
		{ "Please try again in 6m0s.", 360000 },
		{ "try again in 1h 30m", 5400000 },
		{ "Try again in 1 minute and 2 seconds", 62000 },
		{ "try again in 1 month", MOST },
		{ "try again in 2 days", 172800000 },
		{ "try again in 1 week", 604800000 },
		{ "Please retry after 2 seconds.", 2000 },
		{ "Too many requests, please wait 3 seconds before trying again", 3000 },
		{ "Please wait for 500 milliseconds", 500 },
		{ "Your quota will reset after 2s.", 2000 },
		{ "Rate limit resets in 1 min", 60000 },
		{ "Retry after: 4s", 4000 },
		{ "Please retry in 2.337123456s.", 2337 },
		{ "请求过于频繁，请在 2 秒后重试", 2000 },
		{ "请在3秒后再试", 3000 },
		{ "请5分钟后再试", 300000 },
		{ "try again in a moment", -1 },
		{ "try again in 3", -1 },
		{ "try again later, 3 seconds are too few", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		print_message("%s\n", spellings[i].text);
		assert_int_equal(pause_in_words(spellings[i].text), spellings[i].ms);
	}
}

static void test_fields(void **state)
{
	static const struct spelling spellings[] = {
		{ "{\"retry_after\": 2.5}", 2500 },
		{ "{\"retry_after\": \"2\"}", 2000 },
		{ "{\"retry_after_ms\": 2100}", 2100 },
		{ "{\"retryAfter\": 3}", 3000 },
		{ "{\"details\": [{\"a\": 1}, {\"retryDelay\": \"2.1s\"}]}", 2100 },
		{ "{\"retry_after\": null}", -1 },
		{ "{\"details\": \"2s\"}", -1 },
		{ "[2]", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		OWN(json) json_object *object = NULL;
		struct error err = { 0 };

		print_message("%s\n", spellings[i].text);
		assert_int_equal(json_parse(spellings[i].text, strlen(spellings[i].text), &object, &err), 0);
		assert_int_equal(pause_in_fields(object), spellings[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_headers), cmocka_unit_test(test_words),
		                            cmocka_unit_test(test_fields) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
