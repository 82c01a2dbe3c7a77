/* links: tests/unit/citation_cases.c svc-chat/model/citations.c svc-chat/model/citations_judge.c svc-chat/model/mark.c svc-chat/model/markdown.c svc-chat/model/markdown_lines.c -lunistring */
#include "svc-chat/model/citations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/citation_cases.h"

static const struct citation_case cases[] = {
	{ "no citation", 3, "Plain text.", "Plain text.", "" },
	{ "one", 3, "Two years [1].", "Two years [1].", "1" },
	{ "numbered by first appearance", 3, "A [3]. B [1]. C [3].", "A [1]. B [2]. C [1].", "3 1" },
	{ "several in one bracket", 5, "A [2, 5]. B [5,4;2].", "A [1, 2]. B [2, 3, 1].", "2 5 4" },
	{ "the same one twice", 3, "A [2, 2].", "A [1].", "2" },
	{ "neighbours", 3, "A [2][3].", "A [1][2].", "2 3" },
	{ "leading zeros", 3, "A [02].", "A [1].", "2" },
	{ "in parentheses", 3, "A (see [3]).", "A (see [1]).", "3" },
	{ "at the start, in a list, in a table", 3, "[3] A\n- [2] b\n| [1] |", "[1] A\n- [2] b\n| [3] |",
	  "3 2 1" },
	{ "a range", 5, "A [1-3].", "A [1, 2, 3].", "1 2 3" },
	{ "a range with a long dash, and more", 5, "A [5, 1–3].", "A [1, 2, 3, 4].", "5 1 2 3" },
	{ "a range that runs backwards", 5, "A [3-1].", "A [3-1].", "" },
	{ "a range that leaves the passages", 5, "A [4-9].", "A [4-9].", "" },
	{ "three dashes are a date", 5, "A [1-2-3].", "A [1-2-3].", "" },
	{ "lenticular brackets", 5, "A【1】.", "A[1].", "1" },
	{ "as OpenAI has them", 5, "A【2†source】【3†L1-L9】.", "A[1][2].", "2 3" },
	{ "full width", 5, "A［1］.", "A[1].", "1" },
	{ "full width, of full width numbers", 5, "A［２、３］.", "A[1, 2].", "2 3" },
	{ "a footnote's mark", 5, "A [^1]. B [^2, ^1].", "A [1]. B [2, 1].", "1 2" },
	{ "a footnote's mark right behind a word", 5, "x[^2] is", "x[1] is", "2" },
	{ "with a word", 5, "A [passage 1]. B [Source 2]. C [passages 1 and 3].", "A [1]. B [2]. C [1, 3].",
	  "1 2 3" },
	{ "with a word and a mark", 5, "A [Source: 1]. B [doc #2]. C [ref. 3].", "A [1]. B [2]. C [3].",
	  "1 2 3" },
	{ "a word each", 5, "A [passage 1, passage 4].", "A [1, 2].", "1 4" },
	{ "in other languages", 5, "A [Quelle 2]. B [источник 3]. C [来源1].", "A [1]. B [2]. C [3].",
	  "2 3 1" },
	{ "in still others", 5, "A [文档1]. B [документ 2]. C [źródło 3]. D [kaynak: 4].",
	  "A [1]. B [2]. C [3]. D [4].", "1 2 3 4" },
	{ "as the prompt has it", 5, "A [passage number=\"1\"]. B [passage_2]. C [Passage no. 3].",
	  "A [1]. B [2]. C [3].", "1 2 3" },
	{ "raised, as Bing has it", 5, "A [^2^][^3^].", "A [1][2].", "2 3" },
	{ "with a number sign", 5, "A [#2].", "A [1].", "2" },
	{ "a number sign of a link", 5, "See [#2](https://example.com/issues/2).",
	  "See [#2](https://example.com/issues/2).", "" },
	{ "with a section", 5, "A [2, §3].", "A [1].", "2" },
	{ "with a page", 5, "A [2, p. 7]. B [3, pages 7-9].", "A [1]. B [2].", "2 3" },
	{ "with a title", 5, "A [Source 2: The pump, page 3]. B [passage 1, The pump]. C [1: the pump].",
	  "A [1]. B [2]. C [1: the pump].", "2 1" },
	{ "with more words before it", 5, "A [see passage 2]. B [Source: document 3]. C [siehe 1].",
	  "A [1]. B [2]. C [3].", "2 3 1" },
	{ "words that say more than a number", 5,
	  "[No 1 priority], [see 2 examples], [Source 3 is missing], [1, no change], § 3 [Absatz 2] BGB",
	  "[No 1 priority], [see 2 examples], [Source 3 is missing], [1, no change], § 3 [Absatz 2] BGB",
	  "" },
	{ "by its attribute", 5, "A [passage id=\"2\"]. B [doc id: 3]. C [passage n° 1].",
	  "A [1]. B [2]. C [3].", "2 3 1" },
	{ "in yet other languages", 5, "A [отрывок 2]. B [片段3]. C [المقطع ١]. D [passaggio 4]. E [문단 5].",
	  "A [1]. B [2]. C [3]. D [4]. E [5].", "2 3 1 4 5" },
	{ "as OpenAI numbers parts", 5, "A【2:0†source】【3:12†pump.pdf】. B [1:3].", "A[1][2]. B [1:3].",
	  "2 3" },
	{ "as Gemini has it", 5, "[cite_start]A [cite: 2]. [cite_start]B [cite: 1, 2]. [cite_st",
	  "A [1]. B [2, 1]. [cite_st", "2 1" },
	{ "in ChatGPT's own signs", 5, "A \uE200cite\uE202turn0search1\uE201. B [2]. \uE200cite",
	  "A. B [1]. \uE200cite", "2" },
	{ "a link to nowhere", 5, "A [2](#2). B [[3]](#passage-3). C [1](https://x.org).",
	  "A [1]. B [2]. C [1](https://x.org).", "2 3" },
	{ "side by side behind a word, with commas", 5, "Two years[2],[3]. More[1], [2]\nA list[1], of",
	  "Two years[1],[2]. More[3], [1]\nA list[1], of", "2 3 1" },
	{ "nested", 5, "A [[1]]. B [[2, 3]].", "A [1]. B [2, 3].", "1 2 3" },
	{ "Arabic digits", 5, "كان الدوق [١].", "كان الدوق [1].", "1" },
	{ "Devanagari, Persian, Bengali, Thai digits", 5, "[१] [۲] [৩] [๔]", "[1] [2] [3] [4]", "1 2 3 4" },
	{ "Arabic comma", 5, "[١، ٣]", "[1, 2]", "1 3" },
	{ "blanks inside", 5, "A [ 1 , 2 ].", "A [1, 2].", "1 2" },
	{ "Chinese without spaces", 5, "保修两年[1]。其他[2]", "保修两年[1]。其他[2]", "1 2" },
	{ "no passages at all", 0, "A [1] and [0, 1]. Press [5].\n\n[1]: https://example.com",
	  "A [1] and [0, 1]. Press [5].\n\n[1]: https://example.com", "" },
	{ "an invented one goes with its space", 3, "Two years [9]. More【9】 and [source 9]\n- [7]",
	  "Two years. More and\n-", "" },
	{ "an invented one beside a right one", 3, "A [2][9] so. B [2] [9].", "A [1] so. B [1].", "2" },
	{ "what may be something else stays", 3, "so [9] it is, a[9], [404], `[9]`",
	  "so [9] it is, a[9], [404], `[9]`", "" },
	{ "zero", 3, "A [0].", "A [0].", "" },
	{ "a list of which one is no passage", 8, "x ∈ [0, 1] holds [2]. A [1, 9].",
	  "x ∈ [0, 1] holds [1]. A [1, 9].", "2" },
	{ "an interval of passages", 8, "x ∈ [1, 2] and $y \\in [2, 3]$ [4].",
	  "x ∈ [1, 2] and $y \\in [2, 3]$ [1].", "4" },
	{ "an interval that is named", 8, "In the interval [1, 3] it grows [2].",
	  "In the interval [1, 3] it grows [1].", "2" },
	{ "a list that is named", 8, "The list [1, 2, 3] has three [4].", "The list [1, 2, 3] has three [1].",
	  "4" },
	{ "arithmetic", 8, "[1] + [2] = [3], x = [1, 2] ∪ [3, 4] [5]",
	  "[1] + [2] = [3], x = [1, 2] ∪ [3, 4] [1]", "5" },
	{ "an index", 8, "Index a[1] of the array and B [2].", "Index a[1] of the array and B [1].", "2" },
	{ "an index of a word", 8, "Take items[2] or items[0]; [3]", "Take items[2] or items[0]; [1]", "3" },
	{ "an index of an index, of a call", 8, "m[1][2] f(x)[3] g(x) [4]", "m[1][2] f(x)[3] g(x) [1]", "4" },
	{ "an index at a sentence's end", 8, "It is a[1]. It is my_list[2]. It is in a.b[3].",
	  "It is a[1]. It is my_list[2]. It is in a.b[1].", "3" },
	{ "right behind a word that ends a sentence", 8, "It lasts two years[1]. More[2][3].\nOr 2019[4]",
	  "It lasts two years[1]. More[2][3].\nOr 2019[4]", "1 2 3 4" },
	{ "right behind a parenthesis", 8, "(two years)[3] and", "(two years)[1] and", "3" },
	{ "a member of an element", 8, "use items[2].name [3]", "use items[2].name [1]", "3" },
	{ "a key", 8, "Press [5] to go on [2].", "Press [5] to go on [1].", "2" },
	{ "a year", 3, "In [2024] it was.", "In [2024] it was.", "" },
	{ "words in brackets", 3, "[sic] [x] [ ] [] [p] [source] [no]", "[sic] [x] [ ] [] [p] [source] [no]",
	  "" },
	{ "a bracket that never closes", 3, "see [1, 2", "see [1, 2", "" },
	{ "nothing but a bracket", 3, "[", "[", "" },
	{ "half an interval", 3, "[1, 2) and (1, 2]", "[1, 2) and (1, 2]", "" },
	{ "a bracket that is too long", 3,
	  "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
	  "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
	  "" },
	{ "a link whose text is a number", 3, "See [1](https://x.org/a) [2].",
	  "See [1](https://x.org/a) [1].", "2" },
	{ "a link whose text is a citation", 3, "See [[1]](https://x.org/[3]) [2].",
	  "See [[1]](https://x.org/[3]) [1].", "2" },
	{ "a link with brackets in its address", 3, "[a](/b[1]c) [2]", "[a](/b[1]c) [1]", "2" },
	{ "a bare address", 3, "https://x.org/[1] [2]", "https://x.org/[1] [1]", "2" },
	{ "an image", 3, "![1](a.png) Good![2]", "![1](a.png) Good![1]", "2" },
	{ "a reference behind a text", 3, "the [pump manual][2]", "the [pump manual][1]", "2" },
	{ "an escaped bracket", 3, "\\[1\\] \\\\[2]", "\\[1\\] \\\\[1]", "2" },
	{ "a code span", 3, "`a [3]` and [2]", "`a [3]` and [1]", "2" },
	{ "a code span with backticks in it", 3, "``a`[3]`` [2]", "``a`[3]`` [1]", "2" },
	{ "a backtick that nothing closes", 3, "A ` tick and a fact [2].", "A ` tick and a fact [1].", "2" },
	{ "a backtick that the paragraph does not close", 3, "5` tall [3].\n\nA ` [2].",
	  "5` tall [1].\n\nA ` [2].", "3 2" },
	{ "a backtick that the item does not close", 3, "- 5` tall [3]\n- A ` [2]",
	  "- 5` tall [1]\n- A ` [2]", "3 2" },
	{ "a span over two lines", 3, "`a\n[3]` [2]", "`a\n[3]` [1]", "2" },
	{ "a stray backtick before a span", 3, "5` tall, ``a [3]`` [2]", "5` tall, ``a [3]`` [1]", "2" },
	{ "an escaped backtick", 3, "\\`a [3]` [2]", "\\`a [1]` [2]", "3 2" },
	{ "a fenced block", 3, "```c\nx[1] = [2];\n\n[3]\n```\nA [2].",
	  "```c\nx[1] = [2];\n\n[3]\n```\nA [1].", "2" },
	{ "a fence within a fence", 3, "~~~\n```\n[3]\n~~~ \n[2] A", "~~~\n```\n[3]\n~~~ \n[1] A", "2" },
	{ "a longer fence", 3, "````\n```\n[3]\n```\n[1]\n````\n[2]", "````\n```\n[3]\n```\n[1]\n````\n[1]",
	  "2" },
	{ "a fence in a list", 3, "- a\n\n  ```\n  [3]\n  ```\n  b [2]",
	  "- a\n\n  ```\n  [3]\n  ```\n  b [1]", "2" },
	{ "a fence that is never closed", 3, "```\na [1]\n\n[2]", "```\na [1]\n\n[2]", "" },
	{ "a span that begins a line like a fence", 3, "```a [1]``` [2]", "```a [1]``` [1]", "2" },
	{ "tildes in a sentence", 3, "a ~~~no~~~ ~~b~~ ~5 [2]", "a ~~~no~~~ ~~b~~ ~5 [1]", "2" },
	{ "code by indentation", 3, "Thus:\n\n    x = a[1]; y [3]\n\n    [1]\nA [2].",
	  "Thus:\n\n    x = a[1]; y [3]\n\n    [1]\nA [1].", "2" },
	{ "code by a tab", 3, "Thus:\n\n\t[1]\n\nA [2].", "Thus:\n\n\t[1]\n\nA [1].", "2" },
	{ "a paragraph that goes on indented", 3, "Thus\n    and so on [3].", "Thus\n    and so on [1].",
	  "3" },
	{ "a list that goes on indented", 3, "1. a\n\n    more [3]\n   - b\n\n     and more [2]",
	  "1. a\n\n    more [1]\n   - b\n\n     and more [2]", "3 2" },
	{ "code in a list", 3, "- a\n\n      [3]\n\nA [2].", "- a\n\n      [3]\n\nA [1].", "2" },
	{ "a definition of a reference", 3, "A [1].\n\n[1]: https://example.com", "A [1].", "1" },
	{ "definitions between and a title", 3,
	  "A [2].\n\n[2]: https://e.com/x \"The pump\"\n[1]: <https://e.com>\n\nB [1].\n",
	  "A [1].\n\nB [2].\n", "2 1" },
	{ "a definition on two lines", 3, "A [1].\n\n[1]:\n  https://example.com/a\n", "A [1].", "1" },
	{ "a definition at the start", 3, "[1]: https://e.com\n\nA [1].", "A [1].", "1" },
	{ "a definition of a footnote's address", 3, "A [^1].\n\n[^1]: https://e.com\n", "A [1].", "1" },
	{ "a definition that is none", 3,
	  "A [1].\n\n[1]: the pump manual says so\n[2]: Yes\n[3] https://e.com",
	  "A [1].\n\n[1]: the pump manual says so\n[2]: Yes\n[3] https://e.com", "1 2 3" },
	{ "a definition of something else", 3, "A [1].\n\n[7]: https://e.com\n[a]: https://e.com",
	  "A [1].\n\n[7]: https://e.com\n[a]: https://e.com", "1" },
	{ "a definition in code", 3, "```\n[1]: https://e.com\n```\n[2]", "```\n[1]: https://e.com\n```\n[1]",
	  "2" },
	{ "spaces are kept", 3, "a   b  [1]  c ", "a   b  [1]  c ", "1" },
	{ "line ends", 3, "a [1]\r\n\r\nb [2]\n", "a [1]\r\n\r\nb [2]\n", "1 2" },
	{ "UTF-8 passes", 3, "Hé [2] “q” あい", "Hé [1] “q” あい", "2" },
	{ 0 },
};

static char *cited_of(const struct citations *c, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (int i = 0; i < c->count; i++)
		text_addf(&t, "%s%d", i ? " " : "", c->cited[i]);
	return t.at;
}

/* In one piece, in two that are cut there, or byte by byte (cut: at the end). */
static void filter(const struct citation_case *k, size_t cut)
{
	const size_t size = strlen(k->text);
	struct citations c;
	struct text got;
	struct arena a;

	arena_init(&a, 0);
	text_init(&got, &a);
	citations_init(&c, k->passages);
	if (cut == size)
		for (size_t i = 0; i < size; i++)
			citations_feed(&c, k->text + i, 1, &got);
	else {
		citations_feed(&c, k->text, cut, &got);
		citations_feed(&c, k->text + cut, size - cut, &got);
	}
	citations_end(&c, &got);
	assert_string_equal(got.at, k->want ? k->want : k->text);
	assert_string_equal(cited_of(&c, &a), k->want_cited);
	arena_done(&a);
}

/* However the text is cut, the outcome is the same. */
static void filter_all(const struct citation_case *k)
{
	for (; k->name; k++) {
		print_message("%s\n", k->name);
		for (size_t cut = 0; cut <= strlen(k->text); cut++)
			filter(k, cut);
	}
}

static void test_filter(void **state)
{
	(void)state;
	filter_all(cases);
}

static void test_spellings(void **state)
{
	(void)state;
	filter_all(citation_cases);
}

/* Pieces of any sizes, of texts made of what is hard to judge: what is streamed is what is stored. */
static void test_random_texts_in_random_pieces(void **state)
{
	static const char *const bits[] = {
		"[1]",    "[2, 3]",   "[9]",       "[[1]]",    "[",         "]",
		"(",      ")",        "`",         "``",       "```",       "~~~",
		"\n",     "\n\n",     "    ",      "- ",       "1. ",       "\r\n",
		"\t",     " ",        "a",         "years",    "\\",        "https://e.com",
		"[1]:",   ": ",       "【1】",     "［",       "†source",   "[^1]",
		"x = ",   "#",        "passage",   "[1-3]",    "∈",         "١",
		".",      "! ",       "\xe3",      "\xef\xbc", "[source 1", "> ",
		"+",      "c, p. 3]", "\"t\"",     "<",        "keys ",     "，",
		"$",      "$$",       "\\(",       "\\)",      "<code",     "</code>",
		"{",      "}",        "\":",       " §4.1]",   "[2",        "\\begin{",
		"\\end{", "|",        "[[1, 2], ", "* ",
	};
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct citations whole, pieces;
		struct text text, want, got;
		struct arena a;

		arena_init(&a, 0);
		text_init(&text, &a);
		text_init(&want, &a);
		text_init(&got, &a);
		for (int n = rand_r(&seed) % 24; n >= 0; n--)
			text_adds(&text, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof *bits)]);
		citations_init(&whole, 3);
		citations_feed(&whole, text.at, text.length, &want);
		citations_end(&whole, &want);
		citations_init(&pieces, 3);
		for (size_t at = 0; at < text.length;) {
			size_t piece = 1 + (size_t)rand_r(&seed) % 5;

			piece = piece < text.length - at ? piece : text.length - at;
			citations_feed(&pieces, text.at + at, piece, &got);
			at += piece;
		}
		citations_end(&pieces, &got);
		if (strcmp(got.at, want.at) != 0)
			print_message("of \"%s\"\n", text.at);
		assert_string_equal(got.at, want.at);
		assert_int_equal(pieces.count, whole.count);
		arena_done(&a);
	}
}

/* What is certain is given out at once: a reader sees text, not silence. */
static void test_nothing_is_held_back_for_long(void **state)
{
	static const struct {
		const char *piece, *shown;
	} steps[] = {
		{ "Two years", "Two years" },
		{ " [1", "Two years" },
		{ "].", "Two years [1]." },
		{ " A ` tick", "Two years [1]. A ` tick" },
		{ " and more", "Two years [1]. A ` tick and more" },
		{ "\n\n", "Two years [1]. A ` tick and more" },
		{ "B", "Two years [1]. A ` tick and more\n\nB" },
	};
	struct citations c;
	struct text got;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	citations_init(&c, 3);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		citations_feed(&c, steps[i].piece, strlen(steps[i].piece), &got);
		assert_string_equal(got.at, steps[i].shown);
	}
	arena_done(&a);
}

static size_t length_of(const char *first, const char *bit, size_t size)
{
	struct citations c;
	struct text got;
	struct arena a;
	size_t length;

	arena_init(&a, 0);
	text_init(&got, &a);
	citations_init(&c, 3);
	citations_feed(&c, first, strlen(first), &got);
	for (size_t fed = 0; fed < size; fed += strlen(bit))
		citations_feed(&c, bit, strlen(bit), &got);
	citations_end(&c, &got);
	length = got.length;
	arena_done(&a);
	return length;
}

/* Whoever writes so: it passes, in bounded memory. */
static void test_what_fits_no_window(void **state)
{
	static const char *const bits[] = { " ", "\n", "`",    "[",  "[1]: ", "[1]",
		                            "(", "[1", "\xe3", "- ", "~",     "[1]:\n" };
	enum { SIZE = 20000, DEFINITION = 4 };

	(void)state;
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		assert_true(i == DEFINITION || length_of("", bits[i], SIZE) >= SIZE - 4096);
		assert_true(length_of("[1]", bits[i], SIZE) >= SIZE - 4096);
		assert_true(length_of("two years", bits[i], SIZE) >= SIZE - 4096);
	}
}

static void test_strip(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(
	    citations_strip("It lasts two years [1], `a [2]` and [2, 3]. x ∈ [0, 1]【4】.", &a),
	    "It lasts two years, `a [2]` and. x ∈ [0, 1].");
	arena_done(&a);
}

static void test_more_passages_than_there_is_room_for(void **state)
{
	struct citations c;
	struct text got;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	citations_init(&c, 500);
	for (int i = 1; i <= 500; i++) {
		char text[16];
		int n = snprintf(text, sizeof text, " [%d]", i);

		citations_feed(&c, text, (size_t)n, &got);
	}
	citations_end(&c, &got);
	assert_int_equal(c.count, CITATIONS_MAX);
	assert_non_null(strstr(got.at, "[64] [65]"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_random_texts_in_random_pieces),
		cmocka_unit_test(test_what_fits_no_window),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_nothing_is_held_back_for_long),
		cmocka_unit_test(test_more_passages_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
