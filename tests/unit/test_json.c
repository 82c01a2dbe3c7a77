#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "common/json/json.h"

#define NAMED(name, text, want)                    \
	{                                          \
		name, text, sizeof(text) - 1, want \
	}

static void what_is_not_json_is_refused(void **state)
{
	static const struct {
		const char *name, *text;
		size_t length;
		const char *want; /* part of the sentence */
	} cases[] = {
		NAMED("nothing", "", "at byte 0: it ends too early"),
		NAMED("only space", " \n\t", "ends too early"),
		NAMED("trailing garbage", "{} x", "at byte 3: something follows"),
		NAMED("two values", "{}{}", "something follows"),
		NAMED("a trailing NUL", "{}\0", "something follows"),
		NAMED("NaN", "{\"a\": NaN}", "not a value"),
		NAMED("Infinity", "[Infinity]", "not a value"),
		NAMED("-Infinity", "[-Infinity]", "not a value"),
		NAMED("minus alone", "-", "not a value"),
		NAMED("plus", "+1", "not a value"),
		NAMED("leading zero", "01", "leading zero"),
		NAMED("minus and leading zero", "-012", "leading zero"),
		NAMED("no digit before the point", ".5", "not a value"),
		NAMED("no digit after the point", "1.", "after its point"),
		NAMED("empty exponent", "1e", "exponent"),
		NAMED("hexadecimal", "0x10", "something follows"),
		NAMED("True", "True", "not a value"),
		NAMED("nul", "nul", "not a value"),
		NAMED("nulll", "nulll", "something follows"),
		NAMED("single quotes", "{'a':1}", "double quotes"),
		NAMED("name without quotes", "{a:1}", "double quotes"),
		NAMED("comment", "/* */ {}", "not a value"),
		NAMED("comment inside", "{/**/}", "double quotes"),
		NAMED("trailing comma", "[1,]", "not a value"),
		NAMED("trailing comma in an object", "{\"a\":1,}", "double quotes"),
		NAMED("missing comma", "[1 2]", "comma"),
		NAMED("missing colon", "{\"a\" 1}", "colon"),
		NAMED("missing value", "{\"a\":}", "not a value"),
		NAMED("open object", "{\"a\":1", "closing bracket"),
		NAMED("open array", "[", "ends too early"),
		NAMED("closed by the other", "[1}", "closing bracket"),
		NAMED("open string", "\"abc", "has no end"),
		NAMED("string that ends in a backslash", "\"abc\\", "escape"),
		NAMED("newline in a string", "\"a\nb\"", "control character"),
		NAMED("NUL in a string", "\"a\0b\"", "control character"),
		NAMED("unknown escape", "\"\\x41\"", "escape"),
		NAMED("U+0000", "\"a\\u0000b\"", "U+0000"),
		NAMED("U+0000 in a name", "{\"a\\u0000b\":1}", "U+0000"),
		NAMED("short \\u", "\"\\u12\"", "four hexadecimal"),
		NAMED("high surrogate alone", "\"\\ud800\"", "surrogate"),
		NAMED("high surrogate and no low one", "\"\\ud800\\u0041\"", "surrogate"),
		NAMED("low surrogate alone", "\"\\udc00\"", "surrogate"),
		NAMED("stray continuation byte", "\"\x80\"", "not UTF-8"),
		NAMED("overlong slash", "\"\xc0\xaf\"", "not UTF-8"),
		NAMED("overlong in three bytes", "\"\xe0\x80\xaf\"", "not UTF-8"),
		NAMED("surrogate in UTF-8", "\"\xed\xa0\x80\"", "not UTF-8"),
		NAMED("beyond U+10FFFF", "\"\xf4\x90\x80\x80\"", "not UTF-8"),
		NAMED("cut in a sequence", "\"\xe2\x82", "not UTF-8"),
		NAMED("Latin-1", "\"caf\xe9\"", "not UTF-8"),
		NAMED("byte order mark", "\xef\xbb\xbf{}", "not a value"),
		NAMED("UTF-16", "{\0\"\0a\0", "double quotes"),
		NAMED("2^63", "9223372036854775808", "64 bits"),
		NAMED("-2^63 - 1", "-9223372036854775809", "64 bits"),
		NAMED("a huge integer", "[100000000000000000000000000]", "64 bits"),
		NAMED("a huge double", "[1e400]", "too large"),
		NAMED("a huge negative double", "{\"a\":[-1e999]}", "too large"),
		NAMED("doubled key", "{\"a\":1,\"a\":2}", "stands twice"),
		NAMED("doubled key, written otherwise", "{\"a\":1,\"\\u0061\":2}", "stands twice"),
		NAMED("doubled key deep inside", "[{\"b\":{\"a\":1,\"c\":0,\"a\":1}}]", "stands twice"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		json_object *got = NULL;

		if (json_parse(cases[i].text, cases[i].length, &got, &err) == 0)
			fail_msg("%s: taken", cases[i].name);
		if (got || err.code != ERROR_MALFORMED || !strstr(err.message, cases[i].want))
			fail_msg("%s: got \"%s\"", cases[i].name, err.message);
	}
}

static void json_comes_back_as_it_was(void **state)
{
	static const char *const cases[] = {
		"{}",
		"[]",
		"\"\"",
		"0",
		"-1",
		"[-0.0,1E+2,0e0,12.50]",
		"[[],[[]],{},[{}],[1,2,3,4,5]]",
		"true",
		"false",
		"null",
		"[null,true,false]",
		"9223372036854775807",
		"-9223372036854775808",
		"9007199254740993",
		"{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
		"\"\\u0001 \\\" \\\\ / \\n\\t\"",
		"\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
		"0.1",
		"1.5e-7",
		"[0.30000000000000004]",
		"{\"\":1}",
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		OWN(json) json_object *got = NULL;

		if (json_parse(cases[i], strlen(cases[i]), &got, &err) < 0)
			fail_msg("%s: %s", cases[i], err.message);
		if (strcmp(json_print(got, &a), cases[i]) != 0)
			fail_msg("%s: got %s", cases[i], json_print(got, &a));
	}
	arena_done(&a);
}

static void escapes_become_characters(void **state)
{
	const char *text = " { \"\\u0061\" : \"\\ud83d\\ude00\\/\\u00e9\" } ";
	struct error err = { 0 };
	OWN(json) json_object *got = NULL;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &got, &err), 0);
	assert_string_equal(json_string(got, "a"), "\xf0\x9f\x98\x80/\xc3\xa9");
}

/* Keys wait while the values below them are read, with escapes of their own. */
static void escapes_below_escaped_keys(void **state)
{
	const char *text =
	    "{\"a\\tb\": {\"c\\\\\" : [\"\\u20ac\\b\\f\", {\"\\\"\":\"d\\n\"} , 1E2] }, \"e\":\"\\\\\\\"\"}";
	const char *want =
	    "{\"a\\tb\":{\"c\\\\\":[\"\xe2\x82\xac\\b\\f\",{\"\\\"\":\"d\\n\"},1E2]},\"e\":\"\\\\\\\"\"}";
	struct error err = { 0 };
	OWN(json) json_object *got = NULL;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(json_parse(text, strlen(text), &got, &err), 0);
	assert_string_equal(json_print(got, &a), want);
	arena_done(&a);
}

/* Not one byte beyond the length is looked at: it may be the end of a buffer. */
static void only_length_bytes_are_read(void **state)
{
	struct error err = { 0 };
	OWN(json) json_object *got = NULL;

	(void)state;
	assert_int_equal(json_parse("1234", 2, &got, &err), 0);
	assert_int_equal(json_object_get_int64(got), 12);
	json_object_put(TAKE(got));
	assert_int_equal(json_parse("[1]x", 3, &got, &err), 0);
}

static char *nested(struct arena *a, size_t depth, const char *open, const char *close)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < depth; i++)
		text_adds(&t, open);
	text_adds(&t, "1");
	for (size_t i = 0; i < depth; i++)
		text_adds(&t, close);
	return t.at;
}

static void depth_is_bounded(void **state)
{
	static const struct {
		const char *open, *close;
	} kinds[] = { { "[", "]" }, { "{\"a\":", "}" }, { "[{\"a\":", "}]" } };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < 3; i++) {
		struct error err = { 0 };
		OWN(json) json_object *got = NULL;
		size_t deep = i == 2 ? JSON_MAX_DEPTH / 2 : JSON_MAX_DEPTH;
		char *text = nested(&a, deep, kinds[i].open, kinds[i].close);

		assert_int_equal(json_parse(text, strlen(text), &got, &err), 0);
		text = nested(&a, deep + 1, kinds[i].open, kinds[i].close);
		assert_int_equal(json_parse(text, strlen(text), &(json_object *){ NULL }, &err), -1);
		assert_non_null(strstr(err.message, "nested too deeply"));
	}
	arena_done(&a);
}

/* Each object of two bytes would cost hundreds to keep. */
static void objects_are_counted(void **state)
{
	struct error err = { 0 };
	struct arena a;
	struct text t;
	json_object *got = NULL;

	(void)state;
	arena_init(&a, 0);
	text_init(&t, &a);
	for (size_t i = 0; i < 300000; i++)
		text_adds(&t, i ? ",{}" : "[{}");
	text_adds(&t, "]");
	assert_int_equal(json_parse(t.at, t.length, &got, &err), -1);
	assert_int_equal(err.code, ERROR_MALFORMED);
	assert_non_null(strstr(err.message, "too many objects"));
	arena_done(&a);
}

static void a_large_body_is_fine(void **state)
{
	struct error err = { 0 };
	struct arena a;
	OWN(json) json_object *got = NULL;
	char *text;

	(void)state;
	arena_init(&a, 0);
	text = arena_alloc(&a, 2000003);
	text[0] = '"';
	memset(text + 1, 'x', 2000000);
	text[2000001] = '"';
	assert_int_equal(json_parse(text, 2000002, &got, &err), 0);
	assert_int_equal(json_object_get_string_len(got), 2000000);
	arena_done(&a);
}

static void members_are_read_by_type(void **state)
{
	const char *text = "{\"s\":\"x\",\"i\":7,\"r\":0.5,\"b\":true,\"n\":null,\"o\":{}}";
	struct error err = { 0 };
	OWN(json) json_object *o = NULL;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &o, &err), 0);
	assert_string_equal(json_string(o, "s"), "x");
	assert_null(json_string(o, "i"));
	assert_null(json_string(o, "n"));
	assert_null(json_string(o, "missing"));
	assert_int_equal(json_int(o, "i", -1), 7);
	assert_int_equal(json_int(o, "s", -1), -1);
	assert_int_equal(json_int(o, "r", -1), -1);
	assert_true(json_real(o, "r", 0) == 0.5);
	assert_true(json_real(o, "i", 0) == 7);
	assert_true(json_real(o, "s", 9) == 9);
	assert_int_equal(json_flag(o, "b", 0), 1);
	assert_int_equal(json_flag(o, "i", 0), 0);
	assert_non_null(json_get(o, "o"));
	assert_null(json_get(json_get(o, "s"), "x"));
	assert_null(json_get(NULL, "x"));
}

static void utf8_is_checked(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		int want;
	} cases[] = {
		{ "", 0, 1 },
		{ "plain text, longer than eight bytes", 35, 1 },
		{ "twelve byte\0", 12, 0 },
		{ "\0seven b", 8, 0 },
		{ "seven b\0", 8, 0 },
		{ "\x01\x01\x01\x01\x01\x01\x01\x01", 8, 1 },
		{ "eight by\xc3\xa9", 10, 1 },
		{ "eight by\xc3", 9, 0 },
		{ "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		  22, 1 },
		{ "\xc1\xbf", 2, 0 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
		{ "\xe2\x82\x41", 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (utf8_valid(cases[i].text, cases[i].length) != cases[i].want)
			fail_msg("case %zu (%s)", i, cases[i].text);
	}
	assert_int_equal(utf8_length("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_json_is_refused), cmocka_unit_test(json_comes_back_as_it_was),
		cmocka_unit_test(escapes_become_characters),   cmocka_unit_test(escapes_below_escaped_keys),
		cmocka_unit_test(only_length_bytes_are_read),  cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(objects_are_counted),         cmocka_unit_test(a_large_body_is_fine),
		cmocka_unit_test(members_are_read_by_type),    cmocka_unit_test(utf8_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
