/* links: svc-chat/turn/leans.c */
#include "svc-chat/turn/leans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_questions(void **state)
{
	static const struct {
		const char *question;
		bool want;
	} cases[] = {
		{ "And in winter?", true },
		{ "Why?", true },
		{ "What about Norway?", true },
		{ "Does it have a warranty of two years?", true },
		{ "Who built them, and when were the first ones sold in Norway?", true },
		{ "How long is the warranty of the kettle?", false },
		{ "When does the Kittiwake sail to Ullapool in summer?", false },
		{ "Und im Winter?", true },
		{ "Wie lange gilt die Garantie f\xc3\xbcr den Wasserkocher?", false },
		{ "Wie lange gilt diese Garantie f\xc3\xbcr den Wasserkocher?", true },
		{ "\xc2\xbfY en invierno?", true },
		{ "\xc2\xbf"
		  "Cu\xc3\xa1nto dura la garant\xc3\xad"
		  "a del hervidor de agua?",
		  false },
		{ "", true },
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].question);
		assert_int_equal(leans(cases[i].question), cases[i].want);
	}
	memset(text, 'a', sizeof text);
	memcpy(text, "it ", 3);
	text[sizeof text - 1] = '\0';
	assert_false(leans(text)); /* a long one tells enough */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_questions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
