/* links: svc-chat/model/pattern.c */
#include "svc-chat/model/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CHUNK(text) "{\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":" text "},\"finish_reason\":null}]}"

static const struct {
	const char *name, *first, *text, *second;
	const char *want; /* NULL: it is to be unpacked */
} cases[] = {
	{ "the same but for its text", CHUNK("\"Hello\""), "Hello", CHUNK("\" you there\""), " you there" },
	{ "characters of several bytes", CHUNK("\"a\""), "a", CHUNK("\"h\u00e9 \u4f60\""), "h\u00e9 \u4f60" },
	{ "a blank behind the colon", CHUNK(" \"a\""), "a", CHUNK(" \"b\""), "b" },
	{ "escapes", CHUNK("\"a\""), "a", CHUNK("\"b\\n\""), NULL },
	{ "learned from escapes", CHUNK("\"a\\n\""), "a\n", CHUNK("\"b\""), NULL },
	{ "no text", CHUNK("\"a\""), "a", CHUNK("\"\""), NULL },
	{ "null", CHUNK("\"a\""), "a", CHUNK("null"), NULL },
	{ "the text ends, and more comes", CHUNK("\"a\""), "a", CHUNK("\"b\",\"refusal\":\"c\""), NULL },
	{ "broken characters", CHUNK("\"a\""), "a", CHUNK("\"\xc3\""), NULL },
	{ "a control character", CHUNK("\"a\""), "a", CHUNK("\"b\tc\""), NULL },
	{ "another frame", CHUNK("\"a\""), "a",
	  "{\"id\":\"d\",\"choices\":[{\"delta\":{\"content\":\"b\"}}]}", NULL },
	{ "the end", CHUNK("\"a\""), "a",
	  "{\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}", NULL },
	{ "two contents", "{\"a\":{\"content\":\"x\"},\"b\":{\"content\":\"y\"}}", "x",
	  "{\"a\":{\"content\":\"z\"},\"b\":{\"content\":\"y\"}}", NULL },
	{ "a content within a text", "{\"x\":\"\\\"content\\\":\\\"a\\\"\",\"text\":\"a\"}", "a",
	  "{\"x\":\"\\\"content\\\":\\\"b\\\"\",\"text\":\"a\"}", NULL },
	{ "another text than the content", "{\"content\":\"a\",\"text\":\"b\"}", "b",
	  "{\"content\":\"c\",\"text\":\"b\"}", NULL },
	{ "shorter than what stands around it", CHUNK("\"a\""), "a", "{\"id\":\"c\"}", NULL },
};

static const char *read(const char *first, const struct completion *c, const char *second, struct arena *a)
{
	struct pattern p;
	const char *text;
	size_t length;

	pattern_init(&p, a);
	pattern_learn(&p, first, strlen(first), c);
	return pattern_read(&p, second, strlen(second), &text, &length) ? arena_strndup(a, text, length)
	                                                                : NULL;
}

static void test_events_that_are_alike_are_read_alike(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got =
		    read(cases[i].first, &(struct completion){ .text = cases[i].text }, cases[i].second, &a);

		if (!got != !cases[i].want || (got && strcmp(got, cases[i].want) != 0))
			fail_msg("%s: \"%s\"", cases[i].name, got ? got : "(none)");
	}
	arena_done(&a);
}

static void test_an_event_that_says_more_is_no_pattern(void **state)
{
	static const struct completion said[] = {
		{ .text = "a", .finish = "stop" },
		{ .text = "a", .reasoning = "b" },
		{ .text = "a", .has_usage = true },
		{ .text = "a", .call_count = 1 },
		{ .text = "a", .whole = true },
		{ .text = "a", .failed = true },
		{ .text = NULL },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		assert_null(read(CHUNK("\"a\""), &said[i], CHUNK("\"b\""), &a));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_that_are_alike_are_read_alike),
		cmocka_unit_test(test_an_event_that_says_more_is_no_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
