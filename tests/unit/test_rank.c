/* links: svc-documents/search/rank.c svc-documents/search/words.c svc-documents/search/passage.c svc-documents/search/bm25.c svc-documents/search/index.c svc-documents/search/query.c svc-documents/ingest/chunk.c svc-documents/ingest/normalise.c */
#include "svc-documents/search/rank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-documents/ingest/chunk.h"
#include "svc-documents/search/passage.h"

/* --- Ranking ---------------------------------------------------------------------------------------------------- */

/* Numbers without much order, the same in every run (xorshift32). */
static int any(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return (int)(*seed & 0x7fffffff);
}

/* Of two texts with the same BM25, the first answers the question better. */
static void test_lexical(void **state)
{
	static const struct {
		const char *name, *question, *better, *worse;
	} cases[] = {
		{ "in one sentence", "red warranty years", "The red one has a warranty of years. It is big.",
		  "The red one is big. A warranty. It lasts for years." },
		{ "side by side", "solar panel price", "The price of a solar panel fell.",
		  "A panel about solar and price fell." },
		{ "words of one family", "Where is Normandy", "They were called Norman people.",
		  "They were called other people." },
		{ "whatever the case and form", "colonising nations", "COLONISED by a NATION",
		  "coloured by a notion" },
	};
	struct stemmers *stemmers = stemmers_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct corpus_document document = { .id = "d", .name = "file.txt", .chunks = 2, .terms = 20 };
		struct words words[2];
		struct candidate list[2] = {
			{ .number = 0, .bm25 = 1, .words = &words[0] },
			{ .number = 1, .bm25 = 1, .words = &words[1] },
		};
		struct corpus c;
		struct query q;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		query_parse(cases[i].question, stemmers, 1, LANGUAGE_EN, &q, &a);
		for (size_t k = 0; k < q.count; k++)
			q.terms[k].idf = q.terms[k].telling = q.terms[k].common ? 0.3 : 2;
		corpus_init(&c, &document, 1);
		words_read(cases[i].worse, strlen(cases[i].worse), stemmers, LANGUAGE_EN, &words[0]);
		words_read(cases[i].better, strlen(cases[i].better), stemmers, LANGUAGE_EN, &words[1]);
		rank_lexical(&q, &c, list, 2, stemmers);
		rank_fuse(list, 2, 0);
		assert_int_equal(list[0].number, 1);
		free(words[0].at);
		free(words[1].at);
		arena_done(&a);
	}
	stemmers_free(stemmers);
}

/* By words 3 2 1, by vector 1 2 3. */
static void test_fuse(void **state)
{
	const struct candidate found[3] = {
		{ .number = 1, .lexical = 0.4, .cosine = 0.9 },
		{ .number = 2, .lexical = 0.5, .cosine = 0.6 },
		{ .number = 3, .lexical = 0.7, .cosine = 0.5 },
	};
	static const struct {
		const char *name;
		double weight, want;
		uint32_t first;
	} cases[] = { { "words alone", 0, 0.7, 3 },
		      { "words mostly", 0.2, 0.66, 3 },
		      { "vectors mostly", 0.9, 0.85, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct candidate list[3];

		print_message("%s\n", cases[i].name);
		memcpy(list, found, sizeof list);
		rank_fuse(list, 3, cases[i].weight);
		assert_int_equal(list[0].number, cases[i].first);
		assert_true(list[0].score > cases[i].want - 0.001 && list[0].score < cases[i].want + 0.001);
		for (int k = 1; k < 3; k++)
			assert_true(list[k].score <= list[k - 1].score);
	}
}

/* --- Passages --------------------------------------------------------------------------------------------------- */

struct book {
	struct clean clean;
	struct chunk *chunks;
	struct stored_chunk *stored;
	size_t count;
};

static void write_book(struct book *b, const char *text, struct arena *a)
{
	normalise(text, strlen(text), false, false, &b->clean, a);
	b->count = chunk_text(&b->clean, &b->chunks, a);
	b->stored = arena_new(a, struct stored_chunk, b->count);
	for (size_t i = 0; i < b->count; i++) {
		const struct chunk *c = &b->chunks[i];
		size_t stop =
		    i + 1 < b->count && b->chunks[i + 1].start > c->end ? b->chunks[i + 1].start : c->end;

		b->stored[i] = (struct stored_chunk){ .number = (uint32_t)i,
			                              .id = "",
			                              .first = c->first,
			                              .last = c->last,
			                              .text = b->clean.text + c->start,
			                              .size = stop - c->start };
	}
}

/* Each passage is exactly the text at its place, none too long, none shows much of another. */
static void check(const struct book *b, const struct passage *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = b->clean.text;

		for (int64_t k = 0; k < p[i].first; k++)
			utf8_next(&s);
		assert_int_equal(strncmp(s, p[i].text, strlen(p[i].text)), 0);
		assert_int_equal(utf8_length(p[i].text, strlen(p[i].text)), p[i].last - p[i].first);
		assert_true(p[i].last - p[i].first <= PASSAGE_MAX);
		for (size_t k = 0; k < i; k++)
			assert_true(p[i].last <= p[k].first || p[i].first >= p[k].last);
	}
}

static char *story(struct arena *a, const char *sentence, int sentences, int paragraphs)
{
	struct text t;

	text_init(&t, a);
	for (int i = 0; i < paragraphs; i++) {
		for (int k = 0; k < sentences; k++)
			text_addf(&t, "%s%d in %d. ", sentence, k, i);
		text_adds(&t, "\n\n");
	}
	return t.at;
}

static void test_passages(void **state)
{
	uint32_t seed = 7;
	static const char *const sentences[] = {
		"This is number ", "\xd0\xad\xd1\x82\xd0\xbe \xd0\xbd\xd0\xbe\xd0\xbc\xd0\xb5\xd1\x80 ",
		"\xf0\x9f\x98\x80 emoji "
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (int round = 0; round < 200; round++) {
		struct candidate ranked[12];
		struct passage *p;
		struct book b;
		size_t n = 0, count;

		write_book(&b, story(&a, sentences[any(&seed) % 3], 1 + any(&seed) % 80, 1 + any(&seed) % 8),
		           &a);
		for (; n < 12; n++)
			ranked[n] = (struct candidate){ .number = (uint32_t)((size_t)any(&seed) % b.count),
				                        .score = 1 };
		count = passages_make(ranked, n, b.stored, b.count, 5, &p, &a);
		assert_in_range(count, 1, 5);
		check(&b, p, count);
		arena_reset(&a);
	}
	arena_done(&a);
}

/* A passage is filled with whole sentences of what stands beside it. */
static void test_growing(void **state)
{
	struct candidate one = { .number = 1, .score = 1 };
	struct passage *p;
	struct arena a;
	struct book b;

	(void)state;
	arena_init(&a, 0);
	write_book(&b, story(&a, "This is the sentence with number ", 10, 6), &a);
	assert_true(b.count > 3);
	assert_int_equal(passages_make(&one, 1, b.stored, b.count, 5, &p, &a), 1);
	check(&b, p, 1);
	assert_true(p->last - p->first > 1100);
	assert_int_equal(strncmp(p->text, "This", 4), 0);
	assert_int_equal(p->text[strlen(p->text) - 1], '.');
	arena_done(&a);
}

/* Neighbours that are not there (another search's chunks, a document changed meanwhile) are done without. */
static void test_missing_neighbours(void **state)
{
	struct candidate ranked[2] = { { .number = 2, .score = 1 }, { .number = 9, .score = 0.5 } };
	struct passage *p;
	struct arena a;
	struct book b;

	(void)state;
	arena_init(&a, 0);
	write_book(&b, story(&a, "This is the sentence with number ", 10, 6), &a);
	assert_int_equal(passages_make(ranked, 2, b.stored + 2, 1, 5, &p, &a), 1);
	check(&b, p, 1);
	assert_int_equal(p->first, b.stored[2].first);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lexical),
		cmocka_unit_test(test_fuse),
		cmocka_unit_test(test_passages),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_missing_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
