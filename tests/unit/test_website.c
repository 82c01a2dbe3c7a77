/* links: svc-integrations/website/script.c */
#include "svc-integrations/website/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define BOT "0192aaaa-0000-7000-8000-000000000001"
#define TAG "<script src=\"https://parley.example/widget.js\" data-chatbot=\"" BOT "\" async></script>"

static const struct {
	const char *name, *html;
	bool want;
} cases[] = {
	{ "an empty page", "", false },
	{ "a page without", "<html><script src=\"/app.js\"></script></html>", false },
	{ "the embed code", "<html><body>Shop" TAG "</body></html>", true },
	{ "in capitals, with breaks, other quotes",
	  "<SCRIPT async\n data-chatbot='" BOT "'\n src='/widget.js'></SCRIPT>", true },
	{ "pinned",
	  "<script src=\"https://parley.example/widget.0123456789abcdef.js\" data-chatbot=\"" BOT
	  "\"></script>",
	  true },
	{ "another chatbot's",
	  "<script src=\"/widget.js\" data-chatbot=\"0192aaaa-0000-7000-8000-000000000002\"></script>",
	  false },
	{ "commented out", "<!-- " TAG " -->", false },
	{ "behind a comment", "<!-- hello -->" TAG, true },
	{ "behind a comment that never ends", "<!-- " TAG, false },
	{ "a tag that never ends", "<script src=\"/widget.js\" data-chatbot=\"" BOT "\"", false },
	{ "spoken of in the text", "<p>" BOT " data-chatbot /widget.js</p>", false },
	{ "only angle brackets", "<<<<><>", false },
};

static void the_script_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (website_has_script(cases[i].html, BOT) != cases[i].want)
			fail_msg("%s", cases[i].name);
}

static void a_tag_beyond_all_bounds_is_none(void **state)
{
	static char html[9000];

	(void)state;
	memset(html, 'x', sizeof html - 1);
	memcpy(html, "<script ", 8);
	html[sizeof html - 2] = '>';
	assert_false(website_has_script(html, BOT));
}

/* Looked through in a moment: where each search for an end went to the end of the page it would be minutes. */
static void a_page_of_beginnings_is_read_once(void **state)
{
	enum { SIZE = 4 << 20 };
	static const char *const pieces[] = { "<", "<script", "<!-" };
	char *html = malloc(SIZE);

	(void)state;
	assert_non_null(html);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		size_t length = strlen(pieces[i]);
		clock_t start = clock();

		for (size_t k = 0; k < SIZE - 2; k++)
			html[k] = pieces[i][k % length];
		html[SIZE - 2] = '>';
		html[SIZE - 1] = 0;
		assert_false(website_has_script(html, BOT));
		assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	}
	free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_script_is_found),
		                            cmocka_unit_test(a_tag_beyond_all_bounds_is_none),
		                            cmocka_unit_test(a_page_of_beginnings_is_read_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
