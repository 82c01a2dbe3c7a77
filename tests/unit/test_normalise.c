/* links: svc-documents/ingest/normalise.c */
#include "svc-documents/ingest/normalise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "common/json/json.h"

#define S(text) text, sizeof text - 1

/* Numbers without much order, the same in every run (xorshift32). */
static int any(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return (int)(*seed & 0x7fffffff);
}

static void test_clean(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t size;
		const char *want;
	} cases[] = {
		{ "nothing", S(""), "" },
		{ "only blanks", S(" \t\r\n \n"), "" },
		{ "line ends of three systems", S("a\r\nb\rc\nd"), "a\nb\nc\nd" },
		{ "other line ends",
		  S("a\xe2\x80\xa8"
		    "b\xe2\x80\xa9"
		    "c\xc2\x85"
		    "d"),
		  "a\nb\nc\nd" },
		{ "blanks between words and at line ends", S("a  b\t \tc  \nd"), "a b c\nd" },
		{ "indentation stays", S("a\n    code\n\tmore"), "a\n    code\n\tmore" },
		{ "empty lines become one", S("a\n\n\n \n\nb\n\n"), "a\n\nb" },
		{ "a byte order mark", S("\xef\xbb\xbftext"), "text" },
		{ "UTF-16, little end first", S("\xff\xfeh\0i\0\xac\x20=\xd8\x00\xde"),
		  "hi\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "UTF-16, big end first", S("\xfe\xff\0h\0i\0\r\0\n\0!"), "hi\n!" },
		{ "UTF-16 with half a pair and an odd byte", S("\xff\xfeh\0=\xd8i\0x"), "hi" },
		{ "NULs and control characters",
		  S("a\0b\x01"
		    "c\x7f"
		    "d\x1b[0m"),
		  "abcd[0m" },
		{ "Windows-1252", S("caf\xe9 \x80 5, \x93quoted\x94"),
		  "caf\xc3\xa9 \xe2\x82\xac 5, \xe2\x80\x9cquoted\xe2\x80\x9d" },
		{ "UTF-8 and a stray byte", S("\xc3\xa9t\xe9"), "\xc3\xa9t\xc3\xa9" },
		{ "overlong, surrogate, beyond Unicode", S("\xc0\xafx\xed\xa0\x80x\xf4\x90\x80\x80"),
		  "\xc3\x80\xc2\xafx\xc3\xad \xe2\x82\xacx\xc3\xb4\xe2\x82\xac\xe2\x82\xac" },
		{ "cut off in a sequence", S("a\xe2\x82"), "a\xc3\xa2\xe2\x80\x9a" },
		{ "no-break and other spaces",
		  S("a\xc2\xa0"
		    "b\xe2\x80\x89"
		    "c\xe3\x80\x80"
		    "d"),
		  "a b c d" },
		{ "soft hyphens and zero-width spaces", S("exam\xc2\xadple\xe2\x80\x8bs\xef\xbb\xbf!"),
		  "examples!" },
		{ "joiners of emoji stay", S("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"),
		  "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" },
		{ "what turns the direction goes, Arabic stays",
		  S("\xe2\x80\xae\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85\xe2\x80\xac"),
		  "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85" },
		{ "combining characters stay", S("e\xcc\x81"), "e\xcc\x81" },
		{ "noncharacters",
		  S("a\xef\xbf\xbe\xef\xb7\x90\xf0\x9f\xbf\xbf"
		    "b"),
		  "ab" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct clean got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		normalise(cases[i].bytes, cases[i].size, false, false, &got, &a);
		assert_string_equal(got.text, cases[i].want);
		assert_int_equal(got.size, strlen(cases[i].want));
		arena_done(&a);
	}
}

/* The text, and each page in brackets: "one|two[one][two]". */
static void test_pages(void **state)
{
	static const struct {
		const char *name, *bytes, *want;
		bool paged;
	} cases[] = {
		{ "without pages a form feed is an empty line", "one\ftwo", "one\n\ntwo", false },
		{ "one page", "one\n\f", "one[one]", true },
		{ "each page ends with one", "one\n\n\ftwo\n\f", "one\n\ntwo[one][two]", true },
		{ "the last without", "one\n\n\ftwo", "one\n\ntwo[one][two]", true },
		{ "empty pages count", "\f\fthree\f", "three[][][three]", true },
		{ "only empty pages", "\n\f \f", "[][]", true },
		{ "a sentence that goes on over the border", "it was in \fTours\f",
		  "it was in Tours[it was in][Tours]", true },
		{ "a word that does", "trans\fformation\f", "transformation[trans][formation]", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct clean got;
		struct text shown;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		normalise(cases[i].bytes, strlen(cases[i].bytes), cases[i].paged, false, &got, &a);
		text_init(&shown, &a);
		text_add(&shown, got.text, got.size);
		for (size_t k = 0; k < got.page_count; k++)
			text_addf(&shown, "[%.*s]", (int)(got.pages[k].end - got.pages[k].start),
			          got.text + got.pages[k].start);
		assert_string_equal(shown.at, cases[i].want);
		arena_done(&a);
	}
}

/* Whatever comes in, what goes out is clean: normalising it again changes nothing. */
static void test_any_bytes(void **state)
{
	uint32_t seed = 7;
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct clean once, twice;
		struct arena a;
		char bytes[300];
		size_t size = (size_t)(any(&seed) % 300);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(any(&seed) % 4 ? any(&seed) % 256 : " \n\f\r-"[any(&seed) % 5]);
		arena_init(&a, 0);
		normalise(bytes, size, round % 2, false, &once, &a);
		assert_true(utf8_valid(once.text, once.size));
		normalise(once.text, once.size, false, false, &twice, &a);
		assert_string_equal(once.text, twice.text);
		for (size_t i = 0; i < once.page_count; i++)
			assert_true(once.pages[i].start <= once.pages[i].end &&
			            once.pages[i].end <= once.size);
		arena_done(&a);
	}
}

static void test_a_very_long_line(void **state)
{
	size_t size = 10 * 1000 * 1000;
	char *bytes = malloc(size);
	struct clean got;
	struct arena a;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	arena_init(&a, 0);
	normalise(bytes, size, true, false, &got, &a);
	assert_int_equal(got.size, size);
	arena_done(&a);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_a_very_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
