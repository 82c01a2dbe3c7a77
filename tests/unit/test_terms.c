/* links: svc-documents/search/terms.c -lstemmer -lunistring */
#include "svc-documents/search/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"

static void test_terms(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "nothing", "", "" },
		{ "punctuation alone", " .,;!? -- \xe2\x80\x94 ", "" },
		{ "stems", "Connected connections CONNECTING", "connect connect connect" },
		{ "accents",
		  "\xc3\x89t\xc3\xa9 na\xc3\xafve Stra\xc3\x9f"
		  "e \xc5\x81\xc3\xb3"
		  "d\xc5\xba",
		  "ete naiv strass lodz" },
		{ "the same, composed otherwise", "E\xcc\x81te\xcc\x81", "ete" },
		{ "ligatures and full width", "\xef\xac\x81sh \xef\xbc\xa1\xef\xbc\xa2", "fish ab" },
		{ "possessives", "Norman's dog\xe2\x80\x99s it's", "norman dog it" },
		{ "an apostrophe is no possessive", "don't o'shea", "don t o shea" },
		{ "grouped numbers", "1,500 and 1500 and 1,50 and 3.14", "1500 and 1500 and 1 50 and 3.14" },
		{ "a number at the end of a sentence", "In 1999. Then", "in 1999 then" },
		{ "letters and digits", "mp3 covid-19 foo_bar", "mp3 covid 19 foo bar" },
		{ "Greek and its final sigma",
		  "\xce\x9b\xcf\x8c\xce\xb3\xce\xbf\xcf\x82 \xce\x9b\xce\x9f\xce\x93\xce\x9f\xce\xa3",
		  "\xce\xbb\xce\xbf\xce\xb3\xce\xbf\xcf\x83 \xce\xbb\xce\xbf\xce\xb3\xce\xbf\xcf\x83" },
		{ "Cyrillic", "\xd0\x9c\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0",
		  "\xd0\xbc\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0" },
		{ "Arabic without its vowel signs", "\xd8\xb3\xd9\x8e\xd9\x84\xd8\xa7\xd9\x85",
		  "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85" },
		{ "Chinese in pairs", "\xe6\xb1\x89\xe5\xad\x97\xe5\xad\xa6",
		  "\xe6\xb1\x89\xe5\xad\x97 \xe5\xad\x97\xe5\xad\xa6" },
		{ "a lone character", "a \xe6\xb1\x89 b", "a \xe6\xb1\x89 b" },
		{ "Latin in Chinese", "\xe7\x94\xa8Linux\xe7\xb3\xbb\xe7\xbb\x9f",
		  "\xe7\x94\xa8 linux \xe7\xb3\xbb\xe7\xbb\x9f" },
		{ "emoji are no words", "ok \xf0\x9f\x98\x80 ok", "ok ok" },
		{ "a mark alone", " \xcc\x81 x", "x" },
	};
	struct sb_stemmer *stemmer = stemmer_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct terms terms;
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		text_adds(&got, "");
		terms_init(&terms, cases[i].text, strlen(cases[i].text), stemmer);
		for (struct term t; terms_next(&terms, &t);)
			text_addf(&got, "%s%s", got.length ? " " : "", t.text);
		assert_string_equal(got.at, cases[i].want);
		arena_done(&a);
	}
	stemmer_free(stemmer);
}

static void test_places(void **state)
{
	const char *text = "The caf\xc3\xa9s, 1,500 of \xe6\xb1\x89\xe5\xad\x97";
	static const struct {
		size_t start, end;
		bool common;
	} want[] = {
		{ 0, 3, true }, { 4, 10, false }, { 12, 17, false }, { 18, 20, true }, { 21, 27, false }
	};
	struct sb_stemmer *stemmer = stemmer_new();
	struct terms terms;
	struct term t;

	(void)state;
	terms_init(&terms, text, strlen(text), stemmer);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(terms_next(&terms, &t), 1);
		assert_int_equal(t.start, want[i].start);
		assert_int_equal(t.end, want[i].end);
		assert_int_equal(t.common, want[i].common);
	}
	assert_int_equal(terms_next(&terms, &t), 0);
	stemmer_free(stemmer);
}

static void test_a_word_without_end(void **state)
{
	static char word[200001];
	struct sb_stemmer *stemmer = stemmer_new();
	struct terms terms;
	struct term t;

	(void)state;
	memset(word, 'x', sizeof word - 1);
	terms_init(&terms, word, sizeof word - 1, stemmer);
	assert_int_equal(terms_next(&terms, &t), 1);
	assert_int_equal(t.size, TERM_MAX);
	assert_int_equal(t.end, sizeof word - 1);
	assert_int_equal(terms_next(&terms, &t), 0);
	stemmer_free(stemmer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_a_word_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
