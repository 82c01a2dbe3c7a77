/* links: svc-chat/model/citations.c */
#include "svc-chat/model/citations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name;
	int passages;
	const char *text, *want, *want_cited;
} cases[] = {
	{ "no citation", 3, "Plain text.", "Plain text.", "" },
	{ "one", 3, "Two years [1].", "Two years [1].", "1" },
	{ "numbered by first appearance", 3, "A [3]. B [1]. C [3].", "A [1]. B [2]. C [1].", "3 1" },
	{ "several in one bracket", 5, "A [2, 5]. B [5,4;2].", "A [1, 2]. B [2, 3, 1].", "2 5 4" },
	{ "the same one twice", 3, "A [2, 2].", "A [1].", "2" },
	{ "neighbours", 3, "A [2][3].", "A [1][2].", "2 3" },
	{ "an invented one goes with its space", 3, "Two years [9].", "Two years.", "" },
	{ "an invented one within a sentence", 3, "so [9] it is", "so it is", "" },
	{ "without a space before it", 3, "so[9] it is", "so it is", "" },
	{ "at the start", 3, "[9] So it is.", "So it is.", "" },
	{ "at the start of a line", 3, "a\n[9] b", "a\nb", "" },
	{ "in a list", 3, "- [9] b\n- [2] c", "- b\n- [1] c", "2" },
	{ "at the end", 3, "So it is [9]", "So it is", "" },
	{ "alone", 3, "[9]", "", "" },
	{ "real and invented together", 3, "A [1, 9].", "A [1].", "1" },
	{ "zero", 3, "A [0].", "A.", "" },
	{ "leading zeros", 3, "A [02].", "A [1].", "2" },
	{ "no passages at all", 0, "A [1] and [2, 3].", "A and.", "" },
	{ "in parentheses", 3, "A (see [9]).", "A (see).", "" },
	{ "a year is no citation", 3, "In [2024] it was.", "In [2024] it was.", "" },
	{ "words in brackets", 3, "[sic] [x] [ ] []", "[sic] [x] [ ] []", "" },
	{ "a bracket that never closes", 3, "see [1, 2", "see [1, 2", "" },
	{ "nothing but a bracket", 3, "[", "[", "" },
	{ "a bracket that is too long", 3,
	  "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
	  "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "" },
	{ "a bracket in a bracket", 3, "[[2]]", "[[1]]", "2" },
	{ "a link whose text is a number", 3, "See [1](https://x.org/a).", "See [1](https://x.org/a).", "" },
	{ "a link with brackets in its address", 3, "[a](/b[9]c) [9]", "[a](/b[9]c)", "" },
	{ "an image", 3, "![9](a.png)", "![9](a.png)", "" },
	{ "an escaped bracket", 3, "\\[9]", "\\[9]", "" },
	{ "a code span", 3, "`a[9]` and [2]", "`a[9]` and [1]", "2" },
	{ "a code span with backticks in it", 3, "``a`[9]`` [9]", "``a`[9]``", "" },
	{ "a stray backtick ends with its paragraph", 3, "5` tall\n\nA [9].", "5` tall\n\nA.", "" },
	{ "a fenced block", 3, "```c\nx[9] = y[1];\n\nz[9]\n```\nA [9].",
	  "```c\nx[9] = y[1];\n\nz[9]\n```\nA.", "" },
	{ "a fence within a fence", 3, "~~~\n```\n[9]\n~~~ \n[9] A", "~~~\n```\n[9]\n~~~ \nA", "" },
	{ "a fence that is never closed", 3, "```\na[9]", "```\na[9]", "" },
	{ "tildes in a sentence", 3, "~~~no~~~ [9] a ~5 [9]", "~~~no~~~ [9] a ~5 [9]", "" },
	{ "struck out", 3, "a ~~b~~ [9] c", "a ~~b~~ c", "" },
	{ "spaces are kept", 3, "a   b  [1]  c ", "a   b  [1]  c ", "1" },
	{ "line ends", 3, "a [9]\r\nb [9]\n", "a\r\nb\n", "" },
	{ "UTF-8 passes", 3, "H\xc3\xa9 [2] \xe2\x80\x9cq\xe2\x80\x9d",
	  "H\xc3\xa9 [1] \xe2\x80\x9cq\xe2\x80\x9d", "2" },
};

static char *cited_of(const struct citations *c, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (int i = 0; i < c->count; i++)
		text_addf(&t, "%s%d", i ? " " : "", c->cited[i]);
	return t.at;
}

static void test_filter(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct citations c;
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		citations_init(&c, cases[i].passages);
		citations_feed(&c, cases[i].text, strlen(cases[i].text), &got);
		citations_end(&c, &got);
		assert_string_equal(got.at, cases[i].want);
		assert_string_equal(cited_of(&c, &a), cases[i].want_cited);
		arena_done(&a);
	}
}

/* However the text is cut into two pieces, or into single bytes, the outcome is the same. */
static void test_any_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].text;
		size_t size = strlen(text);

		for (size_t cut = 0; cut <= size; cut++) {
			struct citations c;
			struct text got;
			struct arena a;

			arena_init(&a, 0);
			text_init(&got, &a);
			citations_init(&c, cases[i].passages);
			if (cut == size)
				for (size_t k = 0; k < size; k++)
					citations_feed(&c, text + k, 1, &got);
			else {
				citations_feed(&c, text, cut, &got);
				citations_feed(&c, text + cut, size - cut, &got);
			}
			citations_end(&c, &got);
			assert_string_equal(got.at, cases[i].want);
			arena_done(&a);
		}
	}
}

/* What is certain is given out at once: a reader sees text, not silence. */
static void test_nothing_is_held_back_for_long(void **state)
{
	struct citations c;
	struct text got;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	citations_init(&c, 3);
	citations_feed(&c, "Two years", 9, &got);
	assert_string_equal(got.at, "Two years");
	citations_feed(&c, " [1", 3, &got);
	assert_string_equal(got.at, "Two years");
	citations_feed(&c, "].", 2, &got);
	assert_string_equal(got.at, "Two years [1].");
	arena_done(&a);
}

static void test_more_passages_than_there_is_room_for(void **state)
{
	struct citations c;
	struct text got;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	citations_init(&c, 500);
	for (int i = 1; i <= 500; i++) {
		char text[16];
		int n = snprintf(text, sizeof text, "x[%d]", i);

		citations_feed(&c, text, (size_t)n, &got);
	}
	citations_end(&c, &got);
	assert_int_equal(c.count, CITATIONS_MAX);
	assert_non_null(strstr(got.at, "x[64]xx"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_any_split),
		cmocka_unit_test(test_nothing_is_held_back_for_long),
		cmocka_unit_test(test_more_passages_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
