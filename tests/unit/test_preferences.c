/* links: svc-auth/preferences.c */
#include "svc-auth/preferences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"

static const struct {
	const char *name, *stored, *patch, *want;
	const char *want_name;
	enum error_code want_code;
} cases[] = {
	{ "a first choice", "{}", "{\"theme\":\"dark\"}", "{\"theme\":\"dark\"}", NULL, 0 },
	{ "another one beside it", "{\"theme\":\"dark\"}", "{\"locale\":\"de\"}",
	  "{\"theme\":\"dark\",\"locale\":\"de\"}", NULL, 0 },
	{ "objects merge", "{\"a\":{\"x\":1,\"y\":{\"z\":2}}}", "{\"a\":{\"y\":{\"w\":3}}}",
	  "{\"a\":{\"x\":1,\"y\":{\"z\":2,\"w\":3}}}", NULL, 0 },
	{ "arrays replace", "{\"a\":[1,2]}", "{\"a\":[3]}", "{\"a\":[3]}", NULL, 0 },
	{ "an object replaces a word", "{\"a\":\"b\"}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}", NULL, 0 },
	{ "a word replaces an object", "{\"a\":{\"x\":1}}", "{\"a\":\"b\"}", "{\"a\":\"b\"}", NULL, 0 },
	{ "null resets", "{\"a\":1,\"b\":2}", "{\"a\":null}", "{\"b\":2}", NULL, 0 },
	{ "null inside a fresh object", "{}", "{\"a\":{\"x\":null,\"y\":1}}", "{\"a\":{\"y\":1}}", NULL, 0 },
	{ "protected ones are passed over", "{}",
	  "{\"userId\":\"x\",\"email\":\"x\",\"apiKey\":\"x\",\"usage\":{},\"subscription\":{},\"createdAt\":1,"
	  "\"updatedAt\":1,\"theme\":\"t\"}",
	  "{\"theme\":\"t\"}", NULL, 0 },
	{ "a new name is told apart", "{}", "{\"displayName\":\"Ada L.\"}", "{}", "Ada L.", 0 },
	{ "an empty name", "{}", "{\"displayName\":\"\"}", NULL, NULL, ERROR_INVALID },
	{ "a name of blanks", "{}", "{\"displayName\":\"  \"}", NULL, NULL, ERROR_INVALID },
	{ "a name that is a number", "{}", "{\"displayName\":7}", NULL, NULL, ERROR_INVALID },
	{ "a theme that is an object", "{}", "{\"theme\":{}}", NULL, NULL, ERROR_INVALID },
	{ "notifications that are a word", "{}", "{\"notifications\":\"all\"}", NULL, NULL, ERROR_INVALID },
	{ "a notification that is a word", "{}", "{\"notifications\":{\"email\":\"yes\"}}", NULL, NULL,
	  ERROR_INVALID },
	{ "notifications of one's own", "{}", "{\"notifications\":{\"pager\":\"yes\"}}",
	  "{\"notifications\":{\"pager\":\"yes\"}}", NULL, 0 },
	{ "names of JavaScript", "{}", "{\"__proto__\":{\"admin\":true}}", "{\"__proto__\":{\"admin\":true}}",
	  NULL, 0 },
};

static void test_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = NULL, *name = NULL;
		struct error err = { 0 };
		struct arena a;
		int result;

		arena_init(&a, 0);
		print_message("%s\n", cases[i].name);
		result = preferences_merge(cases[i].stored, cases[i].patch, &got, &name, &a, &err);
		assert_int_equal(err.code, cases[i].want_code);
		assert_int_equal(result, cases[i].want_code ? -1 : 0);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		if (cases[i].want_name)
			assert_string_equal(name, cases[i].want_name);
		else if (!cases[i].want_code)
			assert_null(name);
		arena_done(&a);
	}
}

static void test_every_bad_field_is_told(void **state)
{
	const char *got, *name;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(preferences_merge("{}", "{\"theme\":1,\"notifications\":1,\"displayName\":1}", &got,
	                                   &name, &a, &err),
	                 -1);
	assert_string_equal(err.fields->field, "theme");
	assert_string_equal(err.fields->next->field, "notifications");
	assert_string_equal(err.fields->next->next->field, "displayName");
	arena_done(&a);
}

/* Each patch may be small: what counts is the whole. */
static void test_too_much(void **state)
{
	const char *stored = "{}", *name;
	struct error err = { 0 };
	struct arena a;
	int result = 0, i;

	(void)state;
	arena_init(&a, 0);
	for (i = 0; i < 20 && result == 0; i++) {
		char *value = arena_alloc(&a, 10001), *patch;

		memset(value, 'x', 10000);
		patch = arena_printf(&a, "{\"key%d\":\"%s\"}", i, value);
		result = preferences_merge(stored, patch, &stored, &name, &a, &err);
	}
	assert_int_equal(err.code, ERROR_TOO_LARGE);
	assert_int_equal(i, 7);
	arena_done(&a);
}

static void test_view(void **state)
{
	struct account who = {
		.uid = "u", .email = "e@x.y", .display_name = "Ada", .created_at = "c", .updated_at = "d"
	};
	struct usage usage = { .has_documents = true, .documents = 2, .bytes = 3 };
	static const struct limits limits = { 10, 20, 30, 40, 50, 60 };
	struct error err = { 0 };
	const char *got;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	who.preferences = "{}";
	assert_int_equal(preferences_view(&who, NULL, &usage, &limits, &got, &a, &err), 0);
	assert_string_equal(
	    got,
	    "{\"userId\":\"u\",\"email\":\"e@x.y\",\"displayName\":\"Ada\",\"theme\":\"system\","
	    "\"notifications\":{\"email\":true,\"inApp\":true},\"apiKey\":null,\"usage\":{"
	    "\"messagesUsed\":null,\"documentsUploaded\":2,\"storageUsed\":3,\"limits\":{\"documents\":10,\"storage\":20,\"chatbots\":30,"
	    "\"integrations\":40,\"mcpServers\":50,\"apiKeys\":60}},\"subscription\":{"
	    "\"plan\":\"free\"},\"createdAt\":\"c\",\"updatedAt\":\"d\"}");
	who.preferences = "{\"theme\":\"dark\",\"notifications\":{\"email\":false},\"mine\":[1]}";
	assert_int_equal(preferences_view(&who, "pk_…", &usage, &limits, &got, &a, &err), 0);
	assert_non_null(strstr(
	    got,
	    "\"theme\":\"dark\",\"notifications\":{\"email\":false,\"inApp\":true},\"apiKey\":\"pk_…\""));
	assert_non_null(strstr(got, "\"mine\":[1]}"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_every_bad_field_is_told),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_view),
	};

	return cmocka_run_group_tests_name("preferences", tests, NULL, NULL);
}
