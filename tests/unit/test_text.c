#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/error.h"

static void test_json_strings(void **state)
{
	static const struct {
		const char *name, *plain;
		size_t length;
		const char *want;
	} cases[] = {
		{ "empty", "", 0, "\"\"" },
		{ "plain", "abc", 3, "\"abc\"" },
		{ "quotes and backslashes", "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
		{ "line ends and tabs", "a\nb\r\tc", 6, "\"a\\nb\\r\\tc\"" },
		{ "control characters and NUL", "\x01\0\x1f\x7f", 4, "\"\\u0001\\u0000\\u001f\\u007f\"" },
		{ "UTF-8 as it is", "h\xc3\xa9 \xf0\x9f\x98\x80", 8, "\"h\xc3\xa9 \xf0\x9f\x98\x80\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena a;
		struct text got;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		text_add_json(&got, cases[i].plain, cases[i].length);
		assert_string_equal(got.at, cases[i].want);
		assert_int_equal(got.length, strlen(cases[i].want));
		arena_done(&a);
	}
}

static void test_growing(void **state)
{
	struct arena a;
	struct text t;

	(void)state;
	arena_init(&a, 0);
	text_init(&t, &a);
	for (int i = 0; i < 10000; i++)
		text_addf(&t, "%05d,", i);
	assert_int_equal(t.length, 60000);
	assert_memory_equal(t.at + 59994, "09999,", 7);
	text_add(&t, "", 0);
	text_addc(&t, '!');
	assert_string_equal(t.at + 60000, "!");
	arena_done(&a);
}

/* Around the 256 bytes that a text begins with. */
static void test_a_format_that_just_fits_or_not(void **state)
{
	(void)state;
	for (int size = 250; size < 262; size++) {
		struct arena a;
		struct text t;

		arena_init(&a, 0);
		text_init(&t, &a);
		text_addc(&t, 'a');
		text_addf(&t, "%*d%s", size - 2, 7, "z");
		assert_int_equal(t.length, size);
		assert_int_equal(strlen(t.at), size);
		assert_int_equal(t.at[0], 'a');
		assert_string_equal(t.at + size - 2, "7z");
		arena_done(&a);
	}
}

static void test_first_error_wins(void **state)
{
	struct arena a;
	struct error err;

	(void)state;
	arena_init(&a, 0);
	error_clear(&err);
	assert_int_equal(error_field(&err, &a, "body", "email", "missing", "is required"), -1);
	assert_int_equal(error_field(&err, &a, "body", "name", "too_long", "has more than %d characters", 5),
	                 -1);
	assert_int_equal(error_set(&err, ERROR_NOT_FOUND, "later"), -1);
	assert_int_equal(err.code, ERROR_INVALID);
	assert_string_equal(err.message, "email: is required");
	assert_string_equal(err.fields->next->msg, "has more than 5 characters");
	assert_null(err.fields->next->next);
	assert_string_equal(error_name(ERROR_TOO_MANY), "too_many");
	assert_string_equal(error_name((enum error_code)99), "unknown");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_a_format_that_just_fits_or_not),
		cmocka_unit_test(test_first_error_wins),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
