#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/query.h"

static const struct {
	const char *name, *raw, *want; /* "name=value;" for each pair */
} cases[] = {
	{ "nothing", "", "" },
	{ "one", "a=b", "a=b;" },
	{ "two", "a=b&c=d", "a=b;c=d;" },
	{ "no value", "a&b=", "a=;b=;" },
	{ "no name", "=b&a=c", "a=c;" },
	{ "empty pairs", "&&a=b&&", "a=b;" },
	{ "equals in the value", "a=b=c", "a=b=c;" },
	{ "space", "a=b+c%20d", "a=b c d;" },
	{ "either case", "a=%c3%A4", "a=\xc3\xa4;" },
	{ "ampersand", "a=b%26c%3Dd", "a=b&c=d;" },
	{ "percent alone", "a=100%&b=%2&c=%zz&d=%", "a=100%;b=%2;c=%zz;d=%;" },
	{ "at the very end", "a=%41", "a=A;" },
	{ "U+0000", "a=%00&b=c", "a=(U+0000);b=c;" },
	{ "twice", "a=1&a=2", "a=1;a=2;" },
};

static void test_pairs(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct query q = query_start(cases[i].raw, &a);
		const char *name, *value;
		struct text got;

		text_init(&got, &a);
		while (query_next(&q, &name, &value))
			text_addf(&got, "%s=%s;", name, value ? value : "(U+0000)");
		if (strcmp(got.at, cases[i].want) != 0)
			fail_msg("%s: got %s, want %s", cases[i].name, got.at, cases[i].want);
	}
	arena_done(&a);
}

static void test_what_is_encoded_decodes_to_the_same(void **state)
{
	static const char odd[] = "a b&c=d%e+f/\xc3\xa4\"<>\x01~-._";
	struct text out;
	struct query q;
	const char *name, *value;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&out, &a);
	text_adds(&out, "x=");
	query_encode(&out, odd);
	assert_null(strpbrk(out.at + 2, " &=+\"<>"));
	q = query_start(out.at, &a);
	assert_true(query_next(&q, &name, &value));
	assert_string_equal(value, odd);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_what_is_encoded_decodes_to_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
