/* common/build/rooms.sh: a copy of the tree is sound, and each planted breach is told with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char copy[] = "/tmp/parley-rooms-XXXXXX";

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	return system(command); // NOLINT(cert-env33-c): a script is what is tested
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(copy));
	assert_int_equal(
	    run("find common gateway svc-* proto tests/unit/test_*_statements.c -name '*.[ch]' | tar -cf - -T - | tar -C %s -xf -",
	        copy),
	    0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", copy);
}

static void test_the_tree_keeps_to_its_rooms(void **state)
{
	(void)state;
	assert_int_equal(run("common/build/rooms.sh %s >&2", copy), 0);
}

static void test_planted_breaches_are_told(void **state)
{
	static const struct {
		const char *name, *file, *text, *want;
	} cases[] = {
		{ "an include upwards", "common/db/exec.c", "#include \"common/service/call.h\"",
		  "common/db may not know common/service" },
		{ "a room beside", "common/rpc/rpc.c", "#include \"common/stream/stream.h\"",
		  "common/rpc may not know common/stream" },
		{ "another room's internals", "svc-chat/main.c", "#include \"common/service/internal.h\"",
		  "internal.h of common/service" },
		{ "common knows a service", "common/job/run.c", "#include \"svc-chat/state.h\"",
		  "common/job may not know svc-chat" },
		{ "common knows the gateway", "common/rpc/route.h", "#include \"gateway/router.h\"",
		  "common/rpc may not know gateway" },
		{ "the contracts know the gateway", "proto/generate/names.c", "#include \"gateway/router.h\"",
		  "proto/generate may not know gateway" },
		{ "a service knows another", "svc-chat/main.c", "#include \"svc-auth/store.h\"",
		  "svc-chat may not know svc-auth" },
		{ "the gateway runs jobs", "gateway/main.c", "#include \"common/job/job.h\"",
		  "gateway may not know common/job" },
		{ "statements that nobody prepares", "svc-chat/store_planted.c",
		  "const struct db_stmt store_planted_statements[] = {\n};",
		  "store_planted_statements is not among the .statements of svc-chat/main.c" },
		{ "statements that nobody holds to a cluster", "svc-chat/store_planted.c",
		  "const struct db_stmt store_planted_statements[] = {\n};",
		  "store_planted_statements is not named in tests/unit/test_chat_statements.c" },
		{ "a room that nobody knows", "common/attic/attic.c", "", "common/attic is no room" },
		{ "two structs of one name", "common/db/row.c", "struct db_conn {\n\tint other;\n};",
		  "struct db_conn is defined in common/db/" },
		{ "two enums of one name", "svc-chat/turn/begin.c",
		  "enum planted { A };\nenum planted { B };",
		  "enum planted is defined in svc-chat/turn/begin.c" },
		{ "two functions of one name", "svc-documents/main.c",
		  "int twice(int a)\n{\n\treturn a;\n}\nint twice(int a,\n          int b)\n{\n\treturn b;\n}",
		  "function twice is defined in svc-documents/main.c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(run("cd %s && mkdir -p $(dirname %s) && touch %s && cp %s kept", copy,
		                     cases[i].file, cases[i].file, cases[i].file),
		                 0);
		assert_int_equal(run("printf '%%s\\n' '%s' >>%s/%s", cases[i].text, copy, cases[i].file), 0);
		assert_int_not_equal(run("common/build/rooms.sh %s >%s/said", copy, copy), 0);
		assert_int_equal(run("grep -q '^%s:[0-9]*: %s' %s/said || { cat %s/said >&2; false; }",
		                     cases[i].file, cases[i].want, copy, copy),
		                 0);
		assert_int_equal(run("cd %s && mv kept %s", copy, cases[i].file), 0);
		(void)!run("rm -rf %s/common/attic", copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_tree_keeps_to_its_rooms),
		cmocka_unit_test(test_planted_breaches_are_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
