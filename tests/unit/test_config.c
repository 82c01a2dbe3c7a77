/* Settings from the environment: what is taken, what stops the start, and with which sentence. */
#include "common/base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct settings {
	const char *url, *name;
	int64_t most;
	bool loud;
};

static const struct config_key keys[] = {
	CONFIG_TEXT(struct settings, url, "T_URL", NULL, "where it is"),
	CONFIG_TEXT(struct settings, name, "T_NAME", "", "what it is called"),
	CONFIG_INT(struct settings, most, "T_MOST", "52428800", "how much"),
	CONFIG_BOOL(struct settings, loud, "T_LOUD", "false", "say more"),
};
enum { COUNT = sizeof keys / sizeof *keys };

static const struct {
	const char *what, *url, *most, *loud;
	const char *want_error; /* NULL: taken */
	int64_t want_most;
	bool want_loud;
} cases[] = {
	{ "defaults", "x", NULL, NULL, NULL, 52428800, false },
	{ "given", "x", "12", "true", NULL, 12, true },
	{ "the other words", "x", "0", "1", NULL, 0, true },
	{ "empty is not given", "x", "", "", NULL, 52428800, false },
	{ "missing", NULL, NULL, NULL, "T_URL must be set: where it is", 0, false },
	{ "empty and required", "", NULL, NULL, "T_URL must be set: where it is", 0, false },
	{ "not a number", "x", "many", NULL, "T_MOST must be a whole number, not \"many\"", 0, false },
	{ "a unit", "x", "5MB", NULL, "T_MOST must be a whole number, not \"5MB\"", 0, false },
	{ "a space", "x", " 5", NULL, "T_MOST must be a whole number, not \" 5\"", 0, false },
	{ "a fraction", "x", "1.5", NULL, "T_MOST must be a whole number, not \"1.5\"", 0, false },
	{ "negative", "x", "-1", NULL, "T_MOST must be a whole number, not \"-1\"", 0, false },
	{ "beyond 64 bits", "x", "99999999999999999999", NULL,
	  "T_MOST must be a whole number, not \"99999999999999999999\"", 0, false },
	{ "not a truth", "x", NULL, "maybe", "T_LOUD must be true or false, not \"maybe\"", 0, false },
};

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_load(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings got = { 0 };
		struct error err = { 0 };
		struct arena a;

		print_message("  %s\n", cases[i].what);
		arena_init(&a, 0);
		set("T_URL", cases[i].url);
		set("T_MOST", cases[i].most);
		set("T_LOUD", cases[i].loud);
		if (cases[i].want_error) {
			assert_int_equal(config_load(keys, COUNT, &got, &a, &err), -1);
			assert_string_equal(err.message, cases[i].want_error);
		} else {
			assert_int_equal(config_load(keys, COUNT, &got, &a, &err), 0);
			assert_string_equal(got.url, cases[i].url);
			assert_string_equal(got.name, "");
			assert_int_equal(got.most, cases[i].want_most);
			assert_int_equal(got.loud, cases[i].want_loud);
		}
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_load) };

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
