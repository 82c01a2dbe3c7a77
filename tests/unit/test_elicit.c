/* links: svc-chat/tools/elicit.c svc-chat/tools/schema.c build/gen/chat.pb-c.c -lm */
#include "svc-chat/tools/elicit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FORM(fields) \
	"{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{" fields "}}}"
#define VISIT(url) "{\"mode\":\"url\",\"message\":\"m\",\"elicitationId\":\"1\",\"url\":\"" url "\"}"

static const struct {
	const char *name, *params;
	bool shown;
} asked[] = {
	{ "a form", FORM("\"name\":{\"type\":\"string\"}"), true },
	{ "choices", FORM("\"x\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"a\"]}}"),
	  true },
	{ "maxTokens is no secret", FORM("\"maxTokens\":{\"type\":\"integer\"}"), true },
	{ "a compass", FORM("\"compass\":{\"type\":\"string\"}"), true },
	{ "password", FORM("\"password\":{\"type\":\"string\"}"), false },
	{ "newPassword", FORM("\"newPassword\":{\"type\":\"string\"}"), false },
	{ "api_key", FORM("\"api_key\":{\"type\":\"string\"}"), false },
	{ "by its title", FORM("\"x\":{\"type\":\"string\",\"title\":\"Your API key\"}"), false },
	{ "by its format", FORM("\"x\":{\"type\":\"string\",\"format\":\"password\"}"), false },
	{ "nested", FORM("\"x\":{\"type\":\"object\"}"), false },
	{ "no type", FORM("\"x\":{}"), false },
	{ "no schema", "{\"message\":\"m\"}", false },
	{ "no object", "[]", false },
	{ "another mode", "{\"mode\":\"voice\",\"message\":\"m\"}", false },
	{ "an address", VISIT("https://pay.example/1"), true },
	{ "a script", VISIT("javascript:alert(1)"), false },
	{ "a file", VISIT("file:///etc/passwd"), false },
	{ "a name before the host", VISIT("https://bank.example@evil.example/"), false },
	{ "a backslash", VISIT("https://evil.example\\\\@bank.example/"), false },
	{ "a blank", VISIT("https://evil.example/a b"), false },
	{ "no host", VISIT("https:///x"), false },
};

static void test_what_is_not_shown_is_declined(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		Chat__Elicitation e;

		elicit_read(asked[i].params, "id", &e, &a);
		if (asked[i].shown != (e.action == NULL) || asked[i].shown != (e.schema || e.url))
			fail_msg("%s", asked[i].name);
	}
	arena_done(&a);
}

static const struct {
	const char *action, *content, *want; /* NULL: refused */
} answers[] = {
	{ "accept", "{\"n\":3,\"more\":1}", "{\"action\":\"accept\",\"content\":{\"n\":3,\"s\":\"x\"}}" },
	{ "accept", "{\"n\":3,\"s\":\"y\"}", "{\"action\":\"accept\",\"content\":{\"n\":3,\"s\":\"y\"}}" },
	{ "accept", NULL, NULL },
	{ "accept", "{\"n\":\"3\"}", NULL },
	{ "accept", "{\"n\":null}", NULL },
	{ "decline", "{\"n\":3}", "{\"action\":\"decline\"}" },
	{ "cancel", NULL, "{\"action\":\"cancel\"}" },
};

static void test_answers_are_what_was_asked_for(void **state)
{
	Chat__Elicitation e;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	elicit_read(
	    "{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
	    "\"integer\"},\"s\":{\"type\":\"string\",\"default\":\"x\"}},\"required\":[\"n\"]}}",
	    "id", &e, &a);
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct text why;
		const char *got;

		text_init(&why, &a);
		got = elicit_answer(&e, answers[i].action, answers[i].content, &why, &a);
		if (!answers[i].want)
			assert_true(got == NULL && why.length > 0);
		else
			assert_string_equal(got, answers[i].want);
	}
	arena_done(&a);
}

static void test_an_answer_is_not_endless(void **state)
{
	Chat__Elicitation e;
	struct arena a;
	struct text why;
	char *much;

	(void)state;
	arena_init(&a, 0);
	text_init(&why, &a);
	much = arena_alloc(&a, 80001);
	memset(much, 'x', 80000);
	much[80000] = '\0';
	elicit_read(FORM("\"s\":{\"type\":\"string\"}"), "id", &e, &a);
	assert_null(elicit_answer(&e, "accept", arena_printf(&a, "{\"s\":\"%s\"}", much), &why, &a));
	assert_non_null(strstr(why.at, "longer"));
	assert_non_null(
	    elicit_answer(&e, "accept", arena_printf(&a, "{\"s\":\"%.60000s\"}", much), &why, &a));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_shown_is_declined),
		cmocka_unit_test(test_answers_are_what_was_asked_for),
		cmocka_unit_test(test_an_answer_is_not_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
