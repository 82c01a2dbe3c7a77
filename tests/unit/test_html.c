/* links: $(READERS) -lgumbo -lxml2 -larchive */
/* Pages of tests/data are read by documents_cases.test.mjs; these are what would need many bytes there, or hardly any here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <gumbo.h>

#include "svc-documents/helper/helper.h"

void end(int verdict, const char *why)
{
	fail_msg("refused with %d: %s", verdict, why);
	abort();
}

static struct out read_page(const char *page)
{
	struct out o = { 0 };
	char *copy = strdup(page);
	GumboOutput *tree =
	    gumbo_parse_with_options(&kGumboDefaultOptions, copy, html_tame(copy, strlen(copy)));

	html_text(tree, &o);
	o.newlines = 0;
	out_plain(&o, "", 1);
	gumbo_destroy_output(&kGumboDefaultOptions, tree);
	free(copy);
	return o;
}

static void reads(const char *page, const char *want)
{
	struct out o = read_page(page);

	assert_string_equal(o.at, want);
	free(o.at);
}

/* --- Cost ----------------------------------------------------------------------------------------------------------- */

enum { NESTED = 60, TOO_LONG = 60 /* seconds; twice for each of so many is more than there are */ };

static void reads_nested(const char *piece)
{
	char page[NESTED * 64] = "";
	struct out o;

	for (int i = 0; i < NESTED; i++)
		strcat(page, piece);
	strcat(page, "the harbour is open to all");
	alarm(TOO_LONG);
	o = read_page(page);
	alarm(0);
	assert_non_null(strstr(o.at, "the harbour is open to all"));
	free(o.at);
}

static void links_in_links_are_read_in_a_moment(void **state)
{
	(void)state;
	reads_nested("<a href=#><marquee>");
	reads_nested("<button><marquee>");
	reads_nested("<a href=#><marquee><button><marquee>");
	reads_nested("<pre>");
}

static void what_leads_to_itself_is_no_text(void **state)
{
	(void)state;
	reads("<h2>Fees <a href='#fees'>\u00b6</a></h2><p>Twelve florins.</p>", "## Fees\n\nTwelve florins.");
	reads("<p>See <a href='#fees'>the fees</a> below.</p>", "See the fees below.");
}

static void what_reaches_down_is_said_in_its_column(void **state)
{
	(void)state;
	reads("<table><tr><td colspan=2>A<td rowspan=2>B<tr><td>x<td>y<tr><td>1<td>2<td>3</table>",
	      "A | B\nx | y | B\n1 | 2 | 3");
	reads("<table><tr><td rowspan=2 colspan=2>A<td>B<tr><td>c<tr><td>1<td>2<td>3</table>",
	      "A | B\nA | c\n1 | 2 | 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_in_links_are_read_in_a_moment),
		cmocka_unit_test(what_leads_to_itself_is_no_text),
		cmocka_unit_test(what_reaches_down_is_said_in_its_column),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
