/* links: svc-chatbots/settings.c */
#include "svc-chatbots/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"

/* What a member of the settings is after a patch; "-" when it is not there. */
static const struct {
	const char *name, *current, *patch, *group, *key, *want;
} cases[] = {
	{ "a new chatbot has the defaults", NULL, NULL, NULL, "temperature", "0.7" },
	{ "a new chatbot takes what it is given", NULL, "{\"temperature\":0.2}", NULL, "temperature", "0.2" },
	{ "what is not named stays", "{\"topK\":3}", "{\"temperature\":1}", NULL, "topK", "3" },
	{ "null brings the default back", "{\"topK\":3}", "{\"topK\":null}", NULL, "topK", "8" },
	{ "null drops what has no default", "{\"mine\":1}", "{\"mine\":null}", NULL, "mine", "-" },
	{ "unknown keys are kept", "{\"mine\":{\"a\":[1,2]}}", "{}", NULL, "mine", "{\"a\":[1,2]}" },
	{ "objects merge", NULL, "{\"appearance\":{\"chatTitle\":\"Hi\"}}", "appearance", "position",
	  "\"bottom-right\"" },
	{ "null inside an object", "{\"appearance\":{\"position\":\"bottom-left\"}}",
	  "{\"appearance\":{\"position\":null}}", "appearance", "position", "\"bottom-right\"" },
	{ "a whole object reset", "{\"appearance\":{\"position\":\"bottom-left\"}}", "{\"appearance\":null}",
	  "appearance", "position", "\"bottom-right\"" },
	{ "arrays replace", "{\"suggestedQuestions\":[\"a\",\"b\"]}", "{\"suggestedQuestions\":[\"c\"]}",
	  NULL, "suggestedQuestions", "[\"c\"]" },
	{ "nulls of a new object mean nothing", NULL, "{\"mine\":{\"a\":null,\"b\":1}}", NULL, "mine",
	  "{\"b\":1}" },
};

static void test_apply(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena a;
		struct error err = { 0 };
		const char *got = NULL;
		json_object *settings, *group, *value;

		arena_init(&a, 0);
		print_message("%s\n", cases[i].name);
		assert_int_equal(settings_apply(cases[i].current, cases[i].patch, &got, &a, &err), 0);
		assert_int_equal(json_parse(got, strlen(got), &settings, &err), 0);
		group = cases[i].group ? json_get(settings, cases[i].group) : settings;
		value = json_get(group, cases[i].key);
		assert_string_equal(value ? json_print(value, &a) : "-", cases[i].want);
		json_object_put(settings);
		arena_done(&a);
	}
}

static void test_widget_never_sees_instructions(void **state)
{
	Chatbots__WidgetSettings *widget;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(
	    settings_for_widget("{\"instructions\":\"secret\",\"welcomeMessage\":\"Hi\",\"appearance\":"
	                        "{\"chatTitle\":\"T\",\"primaryColor\":\"red\"}}",
	                        &widget, &a, &err),
	    0);
	assert_string_equal(widget->welcome_message, "Hi");
	assert_string_equal(widget->appearance->chat_title, "T");
	assert_int_equal(widget->n_suggested_questions, 0);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_widget_never_sees_instructions),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
