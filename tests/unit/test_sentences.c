/* links: svc-chat/model/sentences.c */
#include "svc-chat/model/sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"

static void test_sentences(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "nothing", "", "" },
		{ "blanks", " \n\t ", "" },
		{ "one without an end", "no full stop", "no full stop|" },
		{ "three", "One. Two! Three? ", "One.|Two!|Three?|" },
		{ "decimals and versions", "It costs 3.50 now. Version 1.2.3 is out.",
		  "It costs 3.50 now.|Version 1.2.3 is out.|" },
		{ "initials and abbreviations", "Dr. J. Smith, e.g. him, came. He left.",
		  "Dr. J. Smith, e.g. him, came.|He left.|" },
		{ "an abbreviation at the end", "They sell tea etc.", "They sell tea etc.|" },
		{ "quotes and brackets close with it", "\"Go.\" (He went.) \xe2\x80\x9cOh!\xe2\x80\x9d Yes.",
		  "\"Go.\"|(He went.)|\xe2\x80\x9cOh!\xe2\x80\x9d|Yes.|" },
		{ "footnote marks", "It is so.[1][23] Next [4]. End", "It is so.[1][23]|Next [4].|End|" },
		{ "lines of a page", "A line\nthat goes on.\nNext.", "A line\nthat goes on.|Next.|" },
		{ "a heading", "Warranty\n\nTwo years.", "Warranty|Two years.|" },
		{ "a list", "We sell:\n- tea\n- milk", "We sell:|- tea|- milk|" },
		{ "East Asian", "\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c\xef\xbc\x9f",
		  "\xe4\xb8\x80\xe3\x80\x82|\xe4\xba\x8c\xef\xbc\x9f|" },
		{ "dots", "Well... then. .", "Well...|then.|.|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *at = cases[i].text, *sentence;
		struct text got;
		struct arena a;
		size_t size;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		while (sentence_next(&at, &sentence, &size)) {
			text_add(&got, sentence, size);
			text_addc(&got, '|');
		}
		assert_string_equal(got.at, cases[i].want);
		arena_done(&a);
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "nothing", "", "" },
		{ "punctuation only", "... -- !", "" },
		{ "folded", "The CAT", "the cat " },
		{ "English endings meet", "guarantees guaranteed guarantee", "guarante guarante guarante " },
		{ "plural and verb", "batteries battery cities invaded invade pass",
		  "batter batter cit invad invad pass " },
		{ "doubled letters", "shipped ship planning plan called", "ship ship plan plan call " },
		{ "numbers", "In 1066, 3,000", "in 1066 3 000 " },
		{ "accents", "\xc3\x89t\xc3\xa9 \xc3\x84rger", "\xc3\xa9t\xc3\xa9 \xc3\xa4rger " },
		{ "Greek and Cyrillic", "\xce\x91\xce\x92 \xd0\x9c\xd0\xb8\xd1\x80 \xd0\x81",
		  "\xce\xb1\xce\xb2 \xd0\xbc\xd0\xb8\xd1\x80 \xd1\x91 " },
		{ "East Asian",
		  "\xe4\xbf\x9d\xe4\xbf\xae"
		  "2\xe5\xb9\xb4",
		  "\xe4\xbf\x9d \xe4\xbf\xae 2 \xe5\xb9\xb4 " },
		{ "quotes part words", "\xe2\x80\x9cso\xe2\x80\x9d it's", "so it s " },
		{ "a long one is cut",
		  "0123456789012345678901234567890123456789012345678901234567890123456789",
		  "01234567890123456789012345678901234567890123 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *at = cases[i].text, *end = at + strlen(at);
		char word[WORD_MAX];
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		while (word_next(&at, end, word))
			text_addf(&got, "%s ", word);
		assert_string_equal(got.at, cases[i].want);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
