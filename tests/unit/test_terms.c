#include "common/text/terms.h"

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
		{ "letters and digits", "mp3 e5", "mp3 e5" },
		{ "a name is its parts, and one word", "foo_bar covid-19 sendBatch",
		  "foo bar foobar covid 19 covid19 send batch sendbatch" },
		{ "humps of a name", "HTTPServer PDFs iPhone", "http server httpserver pdfs i phone iphon" },
		{ "numbers are joined to nothing", "2024-06-18 1-2", "2024 06 18 1 2" },
		{ "a dash is no joint", "--max -5 a- b", "max 5 a b" },
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
	struct stemmers *stemmers = stemmers_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct terms terms;
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		text_adds(&got, "");
		terms_init(&terms, cases[i].text, strlen(cases[i].text), stemmers, LANGUAGE_EN);
		for (struct term t; terms_next(&terms, &t);)
			text_addf(&got, "%s%s", got.length ? " " : "", t.text);
		assert_string_equal(got.at, cases[i].want);
		arena_done(&a);
	}
	stemmers_free(stemmers);
}

static void test_places(void **state)
{
	const char *text = "The caf\xc3\xa9s, 1,500 of \xe6\xb1\x89\xe5\xad\x97";
	static const struct {
		size_t start, end;
	} want[] = { { 0, 3 }, { 4, 10 }, { 12, 17 }, { 18, 20 }, { 21, 27 } };
	struct stemmers *stemmers = stemmers_new();
	struct terms terms;
	struct term t;

	(void)state;
	terms_init(&terms, text, strlen(text), stemmers, LANGUAGE_EN);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(terms_next(&terms, &t), 1);
		assert_int_equal(t.start, want[i].start);
		assert_int_equal(t.end, want[i].end);
	}
	assert_int_equal(terms_next(&terms, &t), 0);
	stemmers_free(stemmers);
}

static void test_a_word_without_end(void **state)
{
	static char word[200001];
	uint64_t hash;
	struct stemmers *stemmers = stemmers_new();
	struct terms terms;
	struct term t;

	(void)state;
	memset(word, 'x', sizeof word - 1);
	terms_init(&terms, word, sizeof word - 1, stemmers, LANGUAGE_EN);
	assert_int_equal(terms_next(&terms, &t), 1);
	assert_int_equal(t.size, TERM_MAX);
	assert_int_equal(t.end, sizeof word - 1);
	assert_int_equal(terms_next(&terms, &t), 0);
	hash = t.hash;
	word[sizeof word - 2] = 'y'; /* long words that begin alike are not the same */
	terms_init(&terms, word, sizeof word - 1, stemmers, LANGUAGE_EN);
	assert_int_equal(terms_next(&terms, &t), 1);
	assert_true(t.hash != hash);
	stemmers_free(stemmers);
}

/* What a language makes of its words; the question and the text agree. */
static void test_languages(void **state)
{
	static const struct {
		const char *name, *one, *other;
		enum language language;
	} cases[] = {
		{ "German plurals", "H\u00e4user", "Haus", LANGUAGE_DE },
		{ "Spanish without its accents", "inscripci\u00f3n", "inscripcion", LANGUAGE_ES },
		{ "French", "\u00e9l\u00e8ves", "eleve", LANGUAGE_FR },
		{ "Russian endings", "\u043f\u0440\u0438\u0432\u0438\u0432\u043a\u0438",
		  "\u043f\u0440\u0438\u0432\u0438\u0432\u043a\u0430", LANGUAGE_RU },
		{ "Russian short i", "\u0434\u043e\u0431\u0440\u044b\u0439",
		  "\u0434\u043e\u0431\u0440\u043e\u0433\u043e", LANGUAGE_RU },
	};
	struct stemmers *stemmers = stemmers_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct terms terms;
		struct term a, b;

		print_message("%s\n", cases[i].name);
		terms_init(&terms, cases[i].one, strlen(cases[i].one), stemmers, cases[i].language);
		assert_int_equal(terms_next(&terms, &a), 1);
		terms_init(&terms, cases[i].other, strlen(cases[i].other), stemmers, cases[i].language);
		assert_int_equal(terms_next(&terms, &b), 1);
		assert_string_equal(a.text, b.text);
		assert_true(a.hash == b.hash);
	}
	stemmers_free(stemmers);
}

/* What one has met another who takes it from the shelf is told alike. */
static void test_stemmers_from_a_shelf(void **state)
{
	struct stemmers_shelf *shelf = stemmers_shelf_new();
	struct stemmers *first = stemmers_take(shelf), *second = stemmers_take(shelf);
	size_t size;

	(void)state;
	assert_ptr_not_equal(first, second);
	assert_string_equal(stem(first, LANGUAGE_EN, "running", 7, &size), "run");
	stemmers_put_back(shelf, first);
	assert_ptr_equal(stemmers_take(shelf), first);
	assert_string_equal(stem(first, LANGUAGE_EN, "running", 7, &size), "run");
	assert_int_equal(size, 3);
	assert_string_equal(stem(first, LANGUAGE_DE, "running", 7, &size), "running");
	stemmers_put_back(shelf, second);
	stemmers_put_back(shelf, first);
	for (int i = 0; i < 20; i++)
		stemmers_put_back(shelf, stemmers_new()); /* more than are kept */
	stemmers_shelf_free(shelf);
	stemmers_shelf_free(NULL);
}

static void test_guessing(void **state)
{
	static const struct {
		const char *text;
		enum language want;
	} cases[] = {
		{ "", LANGUAGE_SV },
		{ "TD-1200 Lavender 4.15", LANGUAGE_SV },
		{ "The boat leaves from pier 3 when the weather is good.", LANGUAGE_EN },
		{ "Bitte melden Sie den Auszug sp\u00e4testens zwei Wochen vorher.", LANGUAGE_DE },
		{ "\u00bfCu\u00e1nto cuesta la cuota?", LANGUAGE_ES },
		{ "\u00c0 quelle heure faut-il quitter l'emplacement ?", LANGUAGE_FR },
		{ "\u0421\u043a\u043e\u043b\u044c\u043a\u043e \u0441\u0442\u043e\u0438\u0442 \u043f\u0440\u0438\u0432\u0438\u0432\u043a\u0430?",
		  LANGUAGE_RU },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].text);
		assert_int_equal(language_guess(cases[i].text, strlen(cases[i].text), LANGUAGE_SV),
		                 cases[i].want);
	}
}

/* They are looked up by bisection. */
static void test_function_words(void **state)
{
	static const struct {
		enum language language;
		const char *words;
	} cases[] = {
		{ LANGUAGE_EN, "a the what your" },
		{ LANGUAGE_DE, "ab wer fur zwischen" },
		{ LANGUAGE_ES, "a cuando que yo" },
		{ LANGUAGE_FR, "a quelle etre y" },
		{ LANGUAGE_IT, "a perche voi" },
		{ LANGUAGE_PT, "ao voces nao" },
		{ LANGUAGE_NL, "aan zou het" },
		{ LANGUAGE_SV, "alla vill och" },
		{ LANGUAGE_RU, "\u0430 \u044f \u0447\u0442\u043e" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct terms terms;

		terms_init(&terms, cases[i].words, strlen(cases[i].words), NULL, cases[i].language);
		for (struct term t; terms_next(&terms, &t);) {
			print_message("%s %s\n", language_name(cases[i].language), t.word);
			assert_true(language_common(cases[i].language, t.word));
			assert_false(language_common(cases[i].language, "otter"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_a_word_without_end),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_stemmers_from_a_shelf),
		cmocka_unit_test(test_guessing),
		cmocka_unit_test(test_function_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
