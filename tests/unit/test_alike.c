/* Which questions are taken for the same, by their words. tests/eval/kinds.json gives the strangers. */
#include "common/text/alike.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

static bool same(const char *asked, const char *known)
{
	struct stemmers *stemmers = stemmers_new();
	enum language language = alike_language(known, LANGUAGE_EN);
	struct alike a, k;
	double score;

	alike_read(asked, language, stemmers, &a);
	alike_read(known, language, stemmers, &k);
	score = alike_score(&a, &k);
	stemmers_free(stemmers);
	assert_true(score >= 0 && score <= 1);
	return score >= ALIKE_SAME;
}

static void test_pairs(void **state)
{
	static const struct {
		const char *asked, *known;
		bool want;
	} cases[] = {
		{ "What are your opening hours?", "What are your opening hours?", true },
		{ "what are the opening hours", "What are your opening hours?", true },
		{ "Opening hours", "What are your opening hours?", true },
		{ "Hello! Could you help me? No, wait.", "What are your opening hours?", false },
		{ "My kettle came today. What are your opening hours?", "What are your opening hours?",
		  true },
		{ "Hi, what are your opening hours please?", "What are your opening hours?", true },
		{ "What are your openning hours?", "What are your opening hours?", true },
		{ "What are your opening hours on Sunday?", "What are your opening hours?", false },
		{ "Where are you open?", "When are you open?", false },
		{ "Why are you open?", "When are you open?", false },
		{ "Do you ship to Sweden?", "Do you ship to Norway?", false },
		{ "Do you ship?", "Do you ship to Norway?", false },
		{ "Do you not ship to Norway?", "Do you ship to Norway?", false },
		{ "Do you ship to Norway without tax?", "Do you ship to Norway?", false },
		{ "What does error 502 mean?", "What does error 503 mean?", false },
		{ "How much is the deposit?", "How is the deposit?", false },
		{ "How many bikes are there?", "How much bikes are there?", true },
		{ "Who are you?", "Who are you?", true },
		{ "How are you?", "Who are you?", false },
		{ "You are who?", "Who are you?", true },
		{ "Can I return it?", "How can I return it?", false },
		{ "Is the night light red?", "Is the right light red?", false },
		{ "", "Who are you?", false },
		{ "?", "?", false },
		{ "...", "Who are you?", false },
		{ "Wie lange gilt die Garantie?", "Wie lange gilt die Garantie?", true },
		{ "Wie lange gilt die Garantie nicht?", "Wie lange gilt die Garantie?", false },
		{ "Wann haben Sie ge\xc3\xb6"
		  "ffnet?",
		  "Wo haben Sie ge\xc3\xb6"
		  "ffnet?",
		  false },
		{ "\xc2\xbf"
		  "Cu\xc3\xa1nto dura la garant\xc3\xad"
		  "a?",
		  "\xc2\xbf"
		  "Cuanto dura la garantia?",
		  true },
		{ "\xe4\xbf\x9d\xe4\xbf\xae\xe6\x9c\x9f\xe5\xa4\x9a\xe9\x95\xbf\xef\xbc\x9f",
		  "\xe4\xbf\x9d\xe4\xbf\xae\xe6\x9c\x9f\xe5\xa4\x9a\xe9\x95\xbf\xef\xbc\x9f", true },
		{ "\xe4\xbf\x9d\xe4\xbf\xae\xe6\x9c\x9f\xe5\xa4\x9a\xe9\x95\xbf\xef\xbc\x9f",
		  "\xe4\xbb\xb7\xe6\xa0\xbc\xe5\xa4\x9a\xe5\xb0\x91\xef\xbc\x9f", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s ~ %s\n", cases[i].asked, cases[i].known);
		assert_int_equal(same(cases[i].asked, cases[i].known), cases[i].want);
	}
}

static void test_long_ones_are_like_nothing(void **state)
{
	char text[8000];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 7; i < sizeof text; i += 8) {
		text[i] = ' ';
		text[i - 1] = (char)('a' + i / 8 % 26);
		text[i - 2] = (char)('a' + i / 208 % 26);
	}
	text[sizeof text - 1] = '\0';
	assert_false(same(text, text));
	text[500] = '\0';
	assert_false(same(text, text));
}

static const char *text_of(json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

/* Every first question that documents answer, as if its answer had been written beforehand; none of the questions from
 * elsewhere, nor of those that come near, is taken for one of them. */
static void test_strangers(void **state)
{
	json_object *all = json_object_from_file("tests/eval/kinds.json");
	json_object *cases = json_object_object_get(all, "cases");
	size_t strangers = 0, known = 0, n;

	(void)state;
	assert_non_null(cases);
	n = json_object_array_length(cases);
	for (size_t i = 0; i < n; i++) {
		json_object *one = json_object_array_get_idx(cases, i);
		const char *kind = text_of(one, "kind");
		json_object *turns = json_object_object_get(one, "turns");
		const char *asked = text_of(json_object_array_get_idx(turns, 0), "ask");

		if (strcmp(kind, "foreign") != 0 && strcmp(kind, "near") != 0)
			continue;
		strangers++;
		for (size_t k = 0; k < n; k++) {
			json_object *other = json_object_array_get_idx(cases, k);
			const char *own = text_of(
			    json_object_array_get_idx(json_object_object_get(other, "turns"), 0), "ask");

			if (strcmp(text_of(other, "kind"), "foreign") == 0 ||
			    strcmp(text_of(other, "kind"), "near") == 0)
				continue;
			known++;
			if (same(asked, own))
				fail_msg("%s is taken for %s", asked, own);
		}
	}
	assert_true(strangers > 20 && known > 1000);
	json_object_put(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_long_ones_are_like_nothing),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
