/* links: svc-integrations/website/look.c svc-integrations/website/tags.c svc-integrations/website/policy.c */
#include "svc-integrations/website/look.h"

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
	{ "without quotes", "<script async src=/widget.js data-chatbot=" BOT "></script>", true },
	{ "a '>' within another attribute",
	  "<script data-note=\"a > b\" src=\"/widget.js\" data-chatbot=\"" BOT "\"></script>", true },
	{ "an attribute of another name", "<script src=\"/widget.js\" data-chatbot-id=\"" BOT "\"></script>",
	  false },
	{ "the chatbot's id as a part of another",
	  "<script src=\"/widget.js\" data-chatbot=\"x" BOT "\"></script>", false },
	{ "an element of another name", "<scripts src=\"/widget.js\" data-chatbot=\"" BOT "\"></scripts>",
	  false },
	{ "a loader",
	  "<script>var s = document.createElement('script'); s.src = 'https://parley.example/widget.js';\n"
	  "s.dataset.chatbot = '" BOT "'; document.head.append(s);</script>",
	  true },
	{ "written by a script", "<script>document.write('" TAG "<\\/script>')</script>", true },
	{ "a script that speaks of the chatbot alone", "<script>var bot = '" BOT "';</script>", false },
	{ "behind a script that was never closed", "<script>var a = 1; " TAG, true },
	{ "in the text of a field", "<textarea>" TAG "</textarea>", false },
	{ "for browsers without scripts", "<noscript>" TAG "</noscript>", false },
	{ "in a template that nobody uses", "<template>" TAG "</template>", false },
	{ "behind all of these", "<title>x</title><style>a > b {}</style><noscript>x</noscript>" TAG, true },
	{ "held back until cookies are agreed to",
	  "<script type=\"text/plain\" data-cookieconsent=\"x\" src=\"/widget.js\" data-chatbot=\"" BOT
	  "\"></script>",
	  true },
	{ "commented out", "<!-- " TAG " -->", false },
	{ "behind a comment of nothing", "<!-->" TAG "<!-- x -->", true },
	{ "behind a comment", "<!-- hello -->" TAG, true },
	{ "behind a comment that never ends", "<!-- " TAG, false },
	{ "a tag that never ends", "<script src=\"/widget.js\" data-chatbot=\"" BOT "\"", false },
	{ "spoken of in the text", "<p>" BOT " data-chatbot /widget.js</p>", false },
	{ "only angle brackets", "<<<<><>", false },
};

static struct arena arena;

static struct website_seen look_at(const char *html, const char *const *policies)
{
	static const char *const none[] = { NULL };
	struct website_seen seen;

	website_see(&(struct website_page){ .html = html,
	                                    .origin = "https://shop.example",
	                                    .policies = policies ? policies : none,
	                                    .chatbot = BOT,
	                                    .script = "https://parley.example" },
	            &seen, &arena);
	return seen;
}

static void the_script_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (look_at(cases[i].html, NULL).script != cases[i].want)
			fail_msg("%s", cases[i].name);
}

static const struct {
	const char *policy, *blocked; /* by that directive */
} policies[] = {
	{ "", NULL },
	{ "upgrade-insecure-requests; img-src 'self'", NULL },
	{ "default-src 'self'", "script-src" },
	{ "script-src 'self'", "script-src" },
	{ "script-src 'none'", "script-src" },
	{ "script-src", "script-src" },
	{ "script-src 'self' https://parley.example", NULL },
	{ "SCRIPT-SRC PARLEY.EXAMPLE", NULL },
	{ "script-src https://parley.example/widget.js; connect-src 'self'", "connect-src" },
	{ "script-src *; default-src 'none'", "connect-src" },
	{ "script-src *.example; connect-src https:", NULL },
	{ "script-src *.parley.example", "script-src" },
	{ "script-src https://*; connect-src *:443", NULL },
	{ "script-src https://*:8443", "script-src" },
	{ "script-src http://parley.example:*", NULL },
	{ "script-src https://parley.example:8443", "script-src" },
	{ "script-src https://parley.example:443", NULL },
	{ "script-src-elem https://parley.example; script-src 'none'", NULL },
	{ "script-src 'nonce-abc'", NULL },
	{ "script-src 'nonce-other'", "script-src" },
	{ "script-src 'strict-dynamic' 'nonce-other' https://parley.example", "script-src" },
	{ "script-src *, script-src 'self'", "script-src" },
	{ " ;; ; script-src\t*;", NULL },
};

static void a_policy_that_keeps_the_script_out_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		const char *const headers[] = { policies[i].policy, NULL };
		const char *blocked =
		    look_at("<script nonce=abc src=/widget.js data-chatbot=" BOT "></script>", headers)
		        .blocked;

		if (!blocked != !policies[i].blocked ||
		    (blocked && strcmp(blocked, policies[i].blocked) != 0))
			fail_msg("%s: %s", policies[i].policy, blocked ? blocked : "let in");
	}
}

static void a_policy_may_stand_in_the_page(void **state)
{
	static const struct {
		const char *html, *blocked;
	} pages[] = {
		{ "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self'\">" TAG,
		  "script-src" },
		{ "<META content='default-src &#39;self&#39; https://parley.example' HTTP-EQUIV=content-security-policy />" TAG,
		  NULL },
		{ TAG "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self'\">", NULL },
		{ "<meta http-equiv=\"refresh\" content=\"script-src 'self'\">" TAG, NULL },
		{ "<!-- <meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self'\"> -->" TAG,
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		const char *blocked = look_at(pages[i].html, NULL).blocked;

		assert_true(look_at(pages[i].html, NULL).script);
		if (!blocked != !pages[i].blocked || (blocked && strcmp(blocked, pages[i].blocked) != 0))
			fail_msg("%s: %s", pages[i].html, blocked ? blocked : "let in");
	}
}

static void an_address_belongs_to_its_origin(void **state)
{
	(void)state;
	assert_string_equal(website_origin("https://Shop.example/a?b#c", &arena), "https://shop.example");
	assert_string_equal(website_origin("http://shop.example:8080?x", &arena), "http://shop.example:8080");
	assert_string_equal(website_origin("https://shop.example", &arena), "https://shop.example");
}

static void a_tag_beyond_all_bounds_is_none(void **state)
{
	static char html[9000];

	(void)state;
	memset(html, 'x', sizeof html - 1);
	memcpy(html, "<script ", 8);
	html[sizeof html - 2] = '>';
	assert_false(look_at(html, NULL).script);
}

/* Looked through in a moment: where each search for an end went to the end of the page it would be minutes. */
static void a_page_of_beginnings_is_read_once(void **state)
{
#ifdef __SANITIZE_ADDRESS__ /* whose strict checks measure the whole string in each call */
	enum { SIZE = 64 << 10 };
#else
	enum { SIZE = 4 << 20 };
#endif
	static const char *const pieces[] = {
		"<", "<script", "<!-", "<a x=\"", "<script x='<script x=\"", "<meta ", "</"
	};
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
		assert_false(look_at(html, NULL).script);
		assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	}
	free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_script_is_found),
		                            cmocka_unit_test(a_policy_that_keeps_the_script_out_is_told),
		                            cmocka_unit_test(a_policy_may_stand_in_the_page),
		                            cmocka_unit_test(an_address_belongs_to_its_origin),
		                            cmocka_unit_test(a_tag_beyond_all_bounds_is_none),
		                            cmocka_unit_test(a_page_of_beginnings_is_read_once) };

	int failed;

	arena_init(&arena, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return failed;
}
