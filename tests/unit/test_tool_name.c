/* links: svc-chat/tools/name.c */
#include "svc-chat/tools/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void names_are_what_models_take(void **state)
{
	static const struct {
		const char *server, *tool, *want;
	} cases[] = {
		{ "Gmail", "send-email", "mcp_Gmail_send-email" },
		{ "My Gmail Workflow", "find", "mcp_My_Gmail_Workflow_find" },
		{ "Gmail", "mcp_Gmail_list", "mcp_Gmail_list" },
		{ "a.b/c", "d.e/f", "mcp_a_b_c_d_e_f" },
		{ "S", "same", "mcp_S_same" },
		{ "S", "same", "mcp_S_same_2" },
		{ "S", "same", "mcp_S_same_3" },
		{ "Größe", "日本", "mcp_Gr_e_" },
		{ "", "", "mcp__" },
	};
	struct tool_names names;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	tool_names_init(&names, &a);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(tool_name(&names, cases[i].server, cases[i].tool), cases[i].want);
	arena_done(&a);
}

/* Two that differ behind what fits stay two, under the same names each time. */
static void long_names_stay_apart(void **state)
{
	const char *first[200], *one, *other;
	struct tool_names names;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (int round = 0; round < 2; round++) {
		tool_names_init(&names, &a);
		one = tool_name(&names, "S", X50 X50 "a");
		other = tool_name(&names, "S", X50 X50 "b");
		assert_int_equal(strlen(one), TOOL_NAME_MOST);
		assert_string_not_equal(one, other);
		for (int i = 0; i < 200; i++) {
			const char *name = tool_name(&names, "S", X50 X50 "a");

			assert_true(strlen(name) <= TOOL_NAME_MOST);
			assert_string_not_equal(name, one);
			if (round)
				assert_string_equal(name, first[i]);
			first[i] = name;
		}
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_are_what_models_take),
		                            cmocka_unit_test(long_names_stay_apart) };

	return cmocka_run_group_tests_name("tool_name", tests, NULL, NULL);
}
