/* links: $(READERS) -lgumbo -lxml2 -larchive */
/* What is read of a PDF's pages, and in which order. */
#include "svc-documents/helper/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void end(int verdict, const char *why)
{
	fail_msg("%d: %s", verdict, why);
	abort();
}

enum { LEFT = 50, RIGHT = 320, WIDE = 230 };

/* A line of words as wide as it is told, ten points high. */
static void put_line(struct pdf *p, float x, float y, float width, const char *text)
{
	float letter = width / (float)strlen(text);

	pdf_add_line(p, (const float[]){ x, y, width, 10 });
	for (const char *s = text; *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		pdf_add_word(
		    p, (const float[]){ x + letter * (float)(s - text), y, letter * (float)n * 0.9f, 10 }, s,
		    n);
		s += n;
	}
}

static void put_block(struct pdf *p, float x, float y, float width, const char *text, int lines)
{
	pdf_add_block(p, (const float[]){ x, y, width, (float)lines * 12 });
	for (int i = 0; i < lines; i++)
		put_line(p, x, y + 12 * (float)i, width - (float)(i % 3), text);
}

static void put_table(struct pdf *p, float x, float y, const char *const *cells)
{
	for (int row = 0; row < 2; row++)
		for (int i = 0; i < 2; i++)
			put_block(p, x + 120 * (float)i, y + 14 * (float)row, 20, *cells++, 1);
}

/* One stands in the right column above what goes across both columns, the other in the left one below. */
static void tables_stand_where_they_are(void **state)
{
	static const char *const upper[] = { "Pipe", "70", "Bowl", "71" }, *const lower[] = { "Lamp", "10",
		                                                                              "Key", "11" };
	struct pdf p = { 0 };
	struct out o = { 0 };
	const char *across, *pipe, *lamp;

	(void)state;
	pdf_add_page(&p, (const float[]){ 0, 0, 600, 800 });
	put_block(&p, LEFT, 130, WIDE, "words of the upper left", 8);
	put_block(&p, RIGHT, 130, WIDE, "words of the upper right", 4);
	put_table(&p, RIGHT, 190, upper);
	put_block(&p, LEFT, 300, 500, "this line goes across both columns of the page", 1);
	put_block(&p, LEFT, 330, WIDE, "words of the lower left", 4);
	put_table(&p, LEFT, 390, lower);
	put_block(&p, RIGHT, 330, WIDE, "words of the lower right", 8);
	pdf_judge(&p);
	pdf_write(&p, &o);
	out_plain(&o, "", 1);
	pipe = strstr(o.at, "Pipe | 70\nBowl | 71");
	across = strstr(o.at, "goes across");
	lamp = strstr(o.at, "Lamp | 10\nKey | 11");
	assert_non_null(pipe);
	assert_non_null(lamp);
	assert_true(pipe < across && across < lamp);
	assert_null(strstr(lamp + 1, "Lamp"));
	free(o.at);
	free(p.text);
	free(p.words);
	free(p.lines);
	free(p.blocks);
	free(p.pages);
}

/* A page of lines that end in numbers behind dots. */
static char *list_of(const int *numbers, size_t count)
{
	struct pdf p = { 0 };
	struct out o = { 0 };
	char line[40];

	pdf_add_page(&p, (const float[]){ 0, 0, 600, 800 });
	for (size_t i = 0; i < count; i++) {
		snprintf(line, sizeof line, "Entry %c ......... %d", (int)('A' + i), numbers[i]);
		put_block(&p, LEFT, 200 + 14 * (float)i, 400, line, 1);
	}
	put_block(&p, LEFT, 500, 400, "the last line of all", 1);
	pdf_judge(&p);
	pdf_write(&p, &o);
	out_plain(&o, "", 1);
	free(p.text);
	free(p.words);
	free(p.lines);
	free(p.blocks);
	free(p.pages);
	return o.at;
}

static void contents_go_and_prices_stay(void **state)
{
	static const int pages[] = { 1, 3, 9, 14, 14, 2, 8, 11 }, prices[] = { 3, 2, 5, 6, 4, 7 };
	char *text = list_of(pages, sizeof pages / sizeof *pages);

	(void)state;
	assert_null(strstr(text, "Entry"));
	assert_non_null(strstr(text, "the last line"));
	free(text);
	text = list_of(prices, sizeof prices / sizeof *prices);
	assert_non_null(strstr(text, "Entry A ......... 3"));
	assert_non_null(strstr(text, "Entry F ......... 7"));
	free(text);
}

/* Three equal numbers of one page are no page's numbers, and their rows no heads. */
static void quantities_at_the_foot_stay(void **state)
{
	static const char *const goods[] = { "Rope of hemp", "Anchor, small", "Lamp for the mast" };
	struct pdf p = { 0 };
	struct out o = { 0 };

	(void)state;
	pdf_add_page(&p, (const float[]){ 0, 0, 600, 800 });
	for (int i = 0; i < 3; i++) {
		put_block(&p, LEFT, 640 + 40 * (float)i, 8, "1", 1);
		put_block(&p, LEFT + 100, 640 + 40 * (float)i, 120, goods[i], 1);
	}
	pdf_judge(&p);
	pdf_write(&p, &o);
	out_plain(&o, "", 1);
	for (int i = 0; i < 3; i++)
		assert_non_null(strstr(o.at, goods[i]));
	free(o.at);
	free(p.text);
	free(p.words);
	free(p.lines);
	free(p.blocks);
	free(p.pages);
}

static void what_runs_from_right_to_left_is_read_so(void **state)
{
	static const struct {
		const char *printed, *read;
	} lines[] = {
		{ "no such letters: \u2014 12", "no such letters: \u2014 12" },
		{ "םולש", "שלום" },
		{ ".הלילל םילקש 12.50 םה הניגעה ימד", "דמי העגינה הם 12.50 שקלים ללילה." },
		{ "קורי )Channel 16( רוא", "אור (Channel 16) ירוק" },
		{ "18 רטמ 8 דע", "עד 8 מטר 18" },
		{ "the word םולש means peace", "the word שלום means peace" },
		{ "two words: םלוע םולש.", "two words: שלום עולם." },
		{ "ءانيملا دعاوق", "قواعد الميناء" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *text = strdup(lines[i].printed);

		pdf_put_in_order(text);
		assert_string_equal(text, lines[i].read);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_runs_from_right_to_left_is_read_so),
		                            cmocka_unit_test(tables_stand_where_they_are),
		                            cmocka_unit_test(quantities_at_the_foot_stay),
		                            cmocka_unit_test(contents_go_and_prices_stay) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
