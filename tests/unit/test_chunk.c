/* links: svc-documents/ingest/chunk.c svc-documents/ingest/normalise.c */
#include "svc-documents/ingest/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/text/sentence.h"

static void test_sentence_end(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "a full stop", "One. Two.", "One." },
		{ "no full stop", "One two", "One two" },
		{ "a number", "It costs 3.50 now. Yes.", "It costs 3.50 now." },
		{ "an initial", "By J. S. Bach. He wrote.", "By J. S. Bach." },
		{ "an abbreviation", "Mr. Smith came. He left.", "Mr. Smith came." },
		{ "e.g. and a small letter", "Fruit, e.g. pears etc. and so on. End.",
		  "Fruit, e.g. pears etc. and so on." },
		{ "quotes close with it", "\"Go.\" He went.", "\"Go.\"" },
		{ "a footnote belongs to it", "So it is.[12] Next.", "So it is.[12]" },
		{ "a bracket that never closes", "So it is.[ Next.", "So it is.[ Next." },
		{ "Chinese needs no blank", "\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c\xe3\x80\x82",
		  "\xe4\xb8\x80\xe3\x80\x82" },
		{ "Arabic", "\xd9\x87\xd9\x84\xd8\x9f \xd9\x86\xd8\xb9\xd9\x85.",
		  "\xd9\x87\xd9\x84\xd8\x9f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *s = cases[i].text, *end = sentence_end(s, s + strlen(s));

		print_message("%s\n", cases[i].name);
		assert_int_equal(end - s, strlen(cases[i].want));
	}
}

static char *repeat(struct arena *a, const char *piece, int times)
{
	struct text t;

	text_init(&t, a);
	for (int i = 0; i < times; i++)
		text_adds(&t, piece);
	return t.at;
}

static size_t cut(const char *text, struct clean *clean, struct chunk **chunks, struct arena *a)
{
	normalise(text, strlen(text), false, false, clean, a);
	return chunk_text(clean, chunks, a);
}

/* The starts of the chunks with their headings: "<Heading>first words|". */
static char *outline(const struct clean *clean, const struct chunk *chunks, size_t count, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < count; i++) {
		size_t n = chunks[i].end - chunks[i].start;

		text_addf(&t, "<%s>%.*s|", chunks[i].heading ? chunks[i].heading : "", (int)(n < 12 ? n : 12),
		          clean->text + chunks[i].start);
	}
	return t.at;
}

static void test_structure(void **state)
{
	struct arena a;

	arena_init(&a, 0);
	{
		/* 360 characters: enough to stand alone */
		const char *para = repeat(&a, "A sentence of forty characters, as it is. ", 9);
		const struct {
			const char *name, *text, *want;
		} cases[] = {
			{ "nothing", "", "" },
			{ "one line", "Hello", "<>Hello|" },
			{ "short paragraphs share a chunk", "One.\n\nTwo.\n\nThree.", "<>One.\n\nTwo.\n\n|" },
			{ "paragraphs of some length do not", arena_printf(&a, "%s\n\n%s", para, para),
			  "<>A sentence o|<>A sentence o|" },
			{ "Markdown headings",
			  arena_printf(&a, "# Guide\n%s\n## Parts\n%s\n# Help\nCall.", para, para),
			  "<Guide># Guide\nA se|<Guide / Parts>## Parts\nA s|<Help># Help\nCall.|" },
			{ "underlined headings",
			  arena_printf(&a, "Guide\n=====\n\n%s\n\nParts\n-----\n\n%s", para, para),
			  "<Guide>Guide\n=====\n|<Guide / Parts>Parts\n-----\n|" },
			{ "a title in plain text",
			  arena_printf(&a, "Warranty\n\n%s\n\nReturns\n\n%s", para, para),
			  "<Warranty>Warranty\n\nA |<Returns>Returns\n\nA s|" },
			{ "code is no heading", "```\n# not a heading\n\nx\n```\n", "<>```\n# not a |" },
			{ "a heading at the end", "Text.\n\n# End", "<>Text.|<End># End|" },
			{ "a question is no title", "What is it?\n\nA thing.", "<>What is it?\n|" },
		};

		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			struct chunk *chunks;
			struct clean clean;
			size_t n = cut(cases[i].text, &clean, &chunks, &a);

			print_message("%s\n", cases[i].name);
			assert_string_equal(n ? outline(&clean, chunks, n, &a) : "", cases[i].want);
		}
	}
	arena_done(&a);
	(void)state;
}

/* What must hold of every text: in order, within bounds, everything but white space covered, offsets right. */
static void check(const struct clean *clean, const struct chunk *chunks, size_t n)
{
	size_t covered = 0;

	for (size_t i = 0; i < n; i++) {
		const struct chunk *c = &chunks[i];

		assert_true(c->start < c->end && c->end <= clean->size);
		assert_true(c->last - c->first <= CHUNK_MAX);
		assert_int_equal(c->first, utf8_length(clean->text, c->start));
		assert_int_equal(c->last, utf8_length(clean->text, c->end));
		if (i) {
			assert_true(c->start > chunks[i - 1].start && c->end > chunks[i - 1].end);
		}
		for (size_t k = covered; k < c->start; k++)
			assert_non_null(strchr(" \n\t", clean->text[k]));
		covered = c->end;
	}
	for (size_t k = covered; k < clean->size; k++)
		assert_non_null(strchr(" \n\t", clean->text[k]));
}

static void test_odd_texts(void **state)
{
	struct arena a;

	arena_init(&a, 0);
	{
		const struct {
			const char *name, *text;
			size_t least; /* chunks */
		} cases[] = {
			{ "a line without blanks", repeat(&a, "x", 100000), 100 },
			{ "a line of words", repeat(&a, "word ", 20000), 100 },
			{ "a line of emoji", repeat(&a, "\xf0\x9f\x98\x80", 5000), 6 },
			{ "Chinese", repeat(&a, "\xe6\xb1\x89\xe5\xad\x97\xe3\x80\x82", 2000), 7 },
			{ "combining characters", repeat(&a, "e\xcc\x81\xcc\x82", 2000), 7 },
			{ "right to left", repeat(&a, "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85 ", 2000), 12 },
			{ "full stops alone", repeat(&a, ". ", 5000), 10 },
			{ "brackets", repeat(&a, ".[[[]]", 5000), 20 },
			{ "a heading as long as a book", arena_printf(&a, "# %s", repeat(&a, "word ", 5000)),
			  20 },
			{ "headings alone", repeat(&a, "# One\n\n", 1000), 5 },
			{ "one list", repeat(&a, "- an item of a list\n", 1000), 20 },
			{ "sentences just too long for the overlap",
			  repeat(&a,
			         repeat(&a,
			                "This is a sentence whose length is of about four hundred "
			                "characters when it is repeated and repeated and repeated, ",
			                6),
			         1),
			  1 },
		};

		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			struct chunk *chunks;
			struct clean clean;
			size_t n = cut(cases[i].text, &clean, &chunks, &a);

			print_message("%s: %zu chunks\n", cases[i].name, n);
			assert_true(n >= cases[i].least);
			check(&clean, chunks, n);
		}
	}
	arena_done(&a);
	(void)state;
}

/* A long paragraph: its pieces share whole sentences, not more than the overlap. */
static void test_overlap(void **state)
{
	struct chunk *chunks;
	struct clean clean;
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a, 0);
	n = cut(repeat(&a, "This sentence has exactly fifty characters in it. ", 60), &clean, &chunks, &a);
	assert_true(n > 3);
	check(&clean, chunks, n);
	for (size_t i = 1; i < n; i++) {
		assert_true(chunks[i].first < chunks[i - 1].last);
		assert_true(chunks[i - 1].last - chunks[i].first <= CHUNK_OVERLAP + 3);
		assert_int_equal(strncmp(clean.text + chunks[i].start, "This", 4), 0);
	}
	arena_done(&a);
}

static void test_pages(void **state)
{
	const char *text = "One is here.\n\n\fTwo is here. It goes \fon\f. Four is here.\n\n\f";
	struct chunk *chunks;
	struct clean clean;
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a, 0);
	text = arena_printf(&a, "%s\f%s", text, repeat(&a, "Six is here. ", 60));
	normalise(text, strlen(text), true, false, &clean, &a);
	n = chunk_text(&clean, &chunks, &a);
	assert_int_equal(n, 4); /* passages do not go over a border, sentences may */
	assert_int_equal(chunks[0].page, 1);
	assert_int_equal(chunks[1].page, 2);
	assert_int_equal(chunks[2].page, 4);
	assert_int_equal(chunks[3].page, 6);
	arena_done(&a);
}

/* Units are packed some thousands at a time: nothing tells where. Four megabytes and more rest behind us meanwhile. */
static void test_a_long_text_is_cut_alike_throughout(void **state)
{
	enum { SECTIONS = 12000 };
	struct chunk *chunks;
	struct clean clean;
	struct arena a;
	char *text;
	size_t n, size = 0;

	(void)state;
	arena_init(&a, 0);
	text = arena_alloc(&a, SECTIONS * 512);
	for (int i = 0; i < SECTIONS; i++) {
		size += (size_t)sprintf(text + size, "# Part %05d\n\n", i);
		for (int k = 0; k < 4; k++)
			size += (size_t)sprintf(
			    text + size,
			    "Here stand words of part %05d, sentence %d, which says no more than this. ", i,
			    k);
		text[size - 1] = '\n';
	}
	normalise(text, size, false, false, &clean, &a);
	assert_true(clean.bulk);
	assert_int_equal(clean.size, size - 1);
	assert_memory_equal(clean.text, text, size - 1);
	n = chunk_text(&clean, &chunks, &a);
	assert_int_equal(n, SECTIONS);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(chunks[i].end - chunks[i].start, chunks[0].end - chunks[0].start);
		assert_string_equal(chunks[i].heading, arena_printf(&a, "Part %05d", (int)i));
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentence_end),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_odd_texts),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_a_long_text_is_cut_alike_throughout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
