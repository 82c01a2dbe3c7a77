/* links: svc-documents/ingest/embed.c */
#include "svc-documents/ingest/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What differs in any of the three is never compared. */
static void test_model(void **state)
{
	struct embedder e = { .name = "small", .url = "http://one/v1" };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(embed_model(&e, 3, &a), "openai:small:3@http://one/v1");
	arena_done(&a);
}

static void test_print(void **state)
{
	const float vector[] = { 0, 0.5f, -1, 1e-9f, 0.123456f };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(embed_print(vector, 5, &a), "[0,0.5,-1,1e-09,0.1235]");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_model), cmocka_unit_test(test_print) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
