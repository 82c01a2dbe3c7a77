/* links: svc-documents/ingest/robots.c svc-documents/ingest/site.c svc-documents/ingest/address.c -lidn2 */
/* What robots.txt says, and which addresses belong to a site. */
#include "svc-documents/ingest/robots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "svc-documents/ingest/site.h"

static void test_rules(void **state)
{
	static const struct {
		const char *name, *text, *path;
		bool allowed;
	} cases[] = {
		{ "an empty file forbids nothing", "", "/x", true },
		{ "everybody", "User-agent: *\nDisallow: /a\n", "/ab", false },
		{ "ours before everybody's", "User-agent: *\nDisallow: /\nUser-Agent: PARLEY/1.0\nAllow: /\n",
		  "/x", true },
		{ "another's is not ours", "User-agent: other\nDisallow: /\n", "/x", true },
		{ "one group of two names", "User-agent: other\nUser-agent: parley\nDisallow: /\n", "/x",
		  false },
		{ "the longest rule decides", "User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", true },
		{ "of two as long, that which allows", "User-agent: *\nDisallow: /a\nAllow: /a\n", "/a",
		  true },
		{ "a star", "User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf", false },
		{ "the end", "User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf?z", true },
		{ "an empty Disallow", "User-agent: *\nDisallow:\n", "/x", true },
		{ "CR, blanks and remarks", "User-agent : * # all\r\nDisallow:\t/a b # not here\r\n",
		  "/a%20b", false },
		{ "letters beyond ASCII", "User-agent: *\nDisallow: /\xc3\xa4\n", "/%C3%A4", false },
		{ "percent-encoded in small letters", "User-agent: *\nDisallow: /%c3%a4\n", "/%C3%A4",
		  false },
		{ "a rule before any group", "Disallow: /\n", "/x", true },
		{ "several stars", "User-agent: *\nDisallow: /a*b*c\n", "/axbxbxxcx", false },
		{ "several stars out of order", "User-agent: *\nDisallow: /a*b*c\n", "/axcxb", true },
		{ "an end that comes twice", "User-agent: *\nDisallow: /*a$\n", "/a/a", false },
		{ "an end that would overlap", "User-agent: *\nDisallow: /ab*ba$\n", "/aba", true },
		{ "a star at the end", "User-agent: *\nDisallow: /a*$\n", "/abc", false },
		{ "an editor's byte order mark", "\xef\xbb\xbfUser-agent: *\nDisallow: /\n", "/x", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct robots r;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		robots_read(cases[i].text, strlen(cases[i].text), &r, &a);
		assert_int_equal(robots_allow(r.rules, cases[i].path), cases[i].allowed);
		arena_done(&a);
	}
}

/* A site may write both the rules and the addresses. */
static void hostile_rules_cost_little(void **state)
{
	enum { RULES = 60, PATTERN = 990, PATH = 1990, ADDRESSES = 50 };
	struct robots r;
	struct arena a;
	struct text t;
	char *path;
	clock_t began;

	(void)state;
	arena_init(&a, 0);
	text_init(&t, &a);
	text_adds(&t, "User-agent: *\n");
	for (int i = 0; i < RULES; i++)
		text_addf(&t, "Disallow: /*%0*db\n", PATTERN, 0);
	path = arena_printf(&a, "/%0*d", PATH, 0);
	robots_read(t.at, t.length, &r, &a);
	began = clock();
	for (int i = 0; i < ADDRESSES; i++)
		assert_true(robots_allow(r.rules, path));
	assert_in_range((clock() - began) * 1000 / CLOCKS_PER_SEC, 0, 2000);
	arena_done(&a);
}

static void test_rest(void **state)
{
	static const char text[] =
	    "Sitemap: http://a/s.xml\nUser-agent: *\nCrawl-delay: 2.5\nsitemap:http://a/t.xml";
	struct robots r;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	robots_read(text, strlen(text), &r, &a);
	assert_int_equal(r.delay_ms, 2500);
	assert_int_equal(r.sitemap_count, 2);
	assert_string_equal(r.sitemaps[1], "http://a/t.xml");
	arena_done(&a);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *here, *there, *want;
	} cases[] = {
		{ "http://A.org/x/y?z", "../q#f", "http://a.org/q" },
		{ "http://a.org:80/", "//B.org:8080/x", "http://b.org:8080/x" },
		{ "http://a.org/x", "?y=1", "http://a.org/x?y=1" },
		{ "http://a.org", "http://a.org", "http://a.org/" },
		{ "https://a.org/x",
		  "//b\xc3\xbc"
		  "cher.org/y?u=http://c\xc3\xa4.org",
		  "https://xn--bcher-kva.org/y?u=http://c%C3%A4.org" },
		{ "http://a.org", "//\xef\xbb\xbf/x", NULL },
		{ "http://a.org", "///\x7f", NULL },
		{ "http://a.org", "a b\xc3\xa4", "http://a.org/a%20b%C3%A4" },
		{ "http://a.org", "mailto:x@y", NULL },
		{ "http://a.org", "javascript:void(0)", NULL },
		{ "http://a.org", "ftp://a.org/", NULL },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = site_address(cases[i].here, cases[i].there, &a);

		print_message("%s\n", cases[i].there);
		assert_string_equal(got ? got : "none", cases[i].want ? cases[i].want : "none");
	}
	assert_string_equal(site_path("http://a.org/x?y"), "/x?y");
	assert_string_equal(robots_pattern("/\xc3\xa4 b/*%c3$", &a), "/%C3%A4%20b/*%C3$");
	arena_done(&a);
}

static void test_site(void **state)
{
	static char *include[] = { "/docs/", "/*/help" }, *exclude[] = { "/docs/old" };
	static const struct site_limits limits = {
		"http://www.a.org/", "d/docs/no\n", include, exclude, 2, 1
	};
	static const struct {
		const char *url;
		bool wanted;
	} cases[] = {
		{ "http://a.org/docs/x", true },
		{ "https://www.a.org/docs/x", true },
		{ "http://b.org/docs/x", false },
		{ "http://a.org/x", false },
		{ "http://a.org/en/help/1", true },
		{ "http://a.org/docs/older", false },
		{ "http://a.org/docs/no", false },
		{ "http://a.org/docs/x.PNG?y", false },
		{ "http://a.org/docs/a/a/a", true },
		{ "http://a.org/docs/a/a/a/a", false },
		{ "http://a.org/docs/?a&b&c&d&e&f&g&h&i", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].url);
		assert_int_equal(site_wants(&limits, cases[i].url), cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules), cmocka_unit_test(test_rest),
		                            cmocka_unit_test(hostile_rules_cost_little),
		                            cmocka_unit_test(test_addresses), cmocka_unit_test(test_site) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
