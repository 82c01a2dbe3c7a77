/* links: svc-chat/tools/result.c svc-chat/model/defuse.c svc-chat/model/tokens.c */
#include "svc-chat/tools/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"

static const struct {
	const char *uri;
	bool kept;
} links[] = {
	{ "https://files.example/a b", true },
	{ "file:///notes.html", true },
	{ "note+x.1://a", true },
	{ "javascript:alert(1)", false },
	{ "JavaScript:alert(1)", false },
	{ "vbscript:x", false },
	{ "data:text/html,<script>alert(1)</script>", false },
	{ " javascript:alert(1)", false }, /* which browsers take */
	{ "java\\tscript:alert(1)", false },
	{ "\\u0001javascript:alert(1)", false },
	{ "elsewhere", false },
	{ "", false },
};

static void test_links_that_would_run_are_left_out(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		const char *text = arena_printf(
		    &a, "{\"content\":[{\"type\":\"resource_link\",\"name\":\"n\",\"uri\":\"%s\"}]}",
		    links[i].uri);
		OWN(json) json_object *result = NULL;
		struct result_file files[RESULT_FILES];
		struct error err = { 0 };
		size_t count;

		assert_int_equal(json_parse(text, strlen(text), &result, &err), 0);
		count = result_files(result, files, &a);
		if (count != links[i].kept || (count && strcmp(files[0].uri, links[i].uri) != 0))
			fail_msg("%s", links[i].uri);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_that_would_run_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
