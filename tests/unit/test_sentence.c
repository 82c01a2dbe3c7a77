#include "common/text/sentence.h"

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
		{ "one without an end", "no full stop", "no full stop|" },
		{ "three", "One. Two! Three? ", "One.| Two!| Three?| |" },
		{ "decimals and versions", "It costs 3.50 now. Version 1.2.3 is out.",
		  "It costs 3.50 now.| Version 1.2.3 is out.|" },
		{ "initials and abbreviations", "Dr. J. Smith, e.g. him, came. He left.",
		  "Dr. J. Smith, e.g. him, came.| He left.|" },
		{ "German abbreviations and dates", "Bitte bis zum 20. Dezember, inkl. Steuer. Danke.",
		  "Bitte bis zum 20. Dezember, inkl. Steuer.| Danke.|" },
		{ "a number ends a sentence all the same", "We have 12. They have none.",
		  "We have 12.| They have none.|" },
		{ "a small letter with an accent goes on", "Env. \u00e9gal. Non.", "Env. \u00e9gal.| Non.|" },
		{ "Cyrillic", "\u041e\u0434\u0438\u043d. \u0414\u0432\u0430.",
		  "\u041e\u0434\u0438\u043d.| \u0414\u0432\u0430.|" },
		{ "quotes and brackets close with it", "\"Go.\" (He went.) Yes.",
		  "\"Go.\"| (He went.)| Yes.|" },
		{ "footnote marks", "It is so.[1][23] Next.", "It is so.[1][23]| Next.|" },
		{ "East Asian", "\u4e00\u3002\u4e8c\uff1f", "\u4e00\u3002|\u4e8c\uff1f|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *at = cases[i].text, *end = at + strlen(at);
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		while (at < end) {
			const char *stop = sentence_end(at, end);

			text_add(&got, at, (size_t)(stop - at));
			text_addc(&got, '|');
			at = stop;
		}
		assert_string_equal(got.at, cases[i].want);
		arena_done(&a);
	}
}

static void test_items(void **state)
{
	static const struct {
		const char *line;
		bool want;
	} cases[] = { { "- tea", true },     { "12. tea", true }, { "3) tea", true },
		      { "| a | b |", true }, { "-tea", false },   { "12 tea", false },
		      { "", false },         { "  * tea", true }, { "5.", false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].line);
		assert_int_equal(sentence_item(cases[i].line, cases[i].line + strlen(cases[i].line)),
		                 cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sentences), cmocka_unit_test(test_items) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
