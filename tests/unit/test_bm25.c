/* links: svc-documents/search/bm25.c svc-documents/search/index.c svc-documents/search/query.c svc-documents/ingest/chunk.c svc-documents/ingest/normalise.c */
#include "svc-documents/search/bm25.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "svc-documents/ingest/chunk.h"
#include "svc-documents/search/index.h"

/* Numbers without much order, the same in every run (xorshift32). */
static int any(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return (int)(*seed & 0x7fffffff);
}

static uint64_t hash_of(const char *word, struct stemmers *stemmers)
{
	struct terms terms;
	struct term t;

	terms_init(&terms, word, strlen(word), stemmers, LANGUAGE_EN);
	assert_int_equal(terms_next(&terms, &t), 1);
	return t.hash;
}

/* One chunk per line of text. */
static size_t lines(const char *text, struct chunk **ret, struct arena *a)
{
	size_t n = 0;

	*ret = arena_new(a, struct chunk, strlen(text) + 1);
	for (const char *s = text; *s;) {
		const char *eol = strchr(s, '\n');

		(*ret)[n++] = (struct chunk){ .start = (size_t)(s - text), .end = (size_t)(eol - text) };
		s = eol + 1;
	}
	return n;
}

static void index_all(const char *text, const struct chunk *chunks, size_t count, struct stemmers *stemmers,
                      struct index *ret, struct arena *a)
{
	struct index_builder *b = index_begin(stemmers, LANGUAGE_EN);

	for (size_t i = 0; i < count; i++)
		index_add(b, text + chunks[i].start, chunks[i].end - chunks[i].start, NULL);
	index_end(b, ret, a);
}

static const struct index_list *find(const struct index *x, uint64_t term)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->lists[i].term == term)
			return &x->lists[i];
	return NULL;
}

static void test_index(void **state)
{
	const char *text = "cat dog cat\nbird\ndog cats\n";
	struct stemmers *stemmers = stemmers_new();
	struct index_reader r;
	const struct index_list *l;
	struct chunk *chunks;
	struct index x;
	struct arena a;
	size_t count;

	(void)state;
	arena_init(&a, 0);
	count = lines(text, &chunks, &a);
	index_all(text, chunks, count, stemmers, &x, &a);
	assert_int_equal(x.count, 3);
	assert_int_equal(x.terms, 6);
	assert_string_equal(x.vocabulary, "bird cats");
	for (size_t i = 1; i < x.count; i++)
		assert_true((int64_t)x.lists[i - 1].term < (int64_t)x.lists[i].term);
	l = find(&x, hash_of("cat", stemmers));
	assert_non_null(l);
	index_reader_init(&r, l->packed, l->size);
	assert_int_equal(r.chunks, 2);
	assert_int_equal(r.occurrences, 3);
	assert_int_equal(index_reader_next(&r), 1);
	assert_int_equal(r.number, 0);
	assert_int_equal(r.times, 2);
	assert_int_equal(r.length, 3);
	assert_int_equal(index_reader_next(&r), 1);
	assert_int_equal(r.number, 2);
	assert_int_equal(r.times, 1);
	assert_int_equal(r.length, 2);
	assert_int_equal(index_reader_next(&r), 0);
	arena_done(&a);
	stemmers_free(stemmers);
}

/* More terms and chunks than any table starts with: each is found again, with its own chunk. */
static void test_many_terms(void **state)
{
	enum { MANY = 20000 };
	struct stemmers *stemmers = stemmers_new();
	struct chunk *chunks;
	struct index x;
	struct arena a;
	char *text, *at;
	size_t count;

	(void)state;
	arena_init(&a, 0);
	text = at = arena_alloc(&a, MANY * 16);
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "x%dq common\n", i);
	count = lines(text, &chunks, &a);
	index_all(text, chunks, count, stemmers, &x, &a);
	assert_int_equal(x.count, MANY + 1);
	for (int i = 0; i < MANY; i += 777) {
		const struct index_list *l = find(&x, hash_of(arena_printf(&a, "x%dq", i), stemmers));
		struct index_reader r;

		assert_non_null(l);
		index_reader_init(&r, l->packed, l->size);
		assert_int_equal(index_reader_next(&r), 1);
		assert_int_equal(r.number, i);
		assert_int_equal(index_reader_next(&r), 0);
	}
	arena_done(&a);
	stemmers_free(stemmers);
}

static void test_broken_lists(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t size;
	} cases[] = {
		{ "empty", "", 0 },
		{ "cut in a number", "\x02\x80", 2 },
		{ "a number without end", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
		{ "cut in an entry", "\x01\x01\x01", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct index_reader r;
		int n = 0;

		print_message("%s\n", cases[i].name);
		index_reader_init(&r, (const uint8_t *)cases[i].bytes, cases[i].size);
		while (index_reader_next(&r))
			n++;
		assert_true(n <= 5);
	}
}

/* --- Scores ----------------------------------------------------------------------------------------------------- */

static size_t search(const char *const *texts, size_t count, const char *question, size_t limit,
                     struct hit **hits, struct query *q, struct arena *a)
{
	struct corpus_document *documents = arena_new(a, struct corpus_document, count);
	struct list *lists = arena_new(a, struct list, count * QUERY_TERMS);
	struct stemmers *stemmers = stemmers_new();
	struct corpus c;
	size_t n = 0;

	query_parse(question, stemmers, 1, LANGUAGE_EN, q, a);
	for (size_t d = 0; d < count; d++) {
		struct chunk *chunks;
		struct index x;
		size_t chunk_count = lines(texts[d], &chunks, a);

		index_all(texts[d], chunks, chunk_count, stemmers, &x, a);
		documents[d] = (struct corpus_document){
			.id = "", .name = "", .chunks = (uint32_t)chunk_count, .terms = x.terms
		};
		for (size_t i = 0; i < q->count; i++) {
			const struct index_list *l = find(&x, q->terms[i].term.hash);

			if (l && !q->terms[i].common)
				lists[n++] = (struct list){ i, d, l->packed, l->size, 1 };
		}
	}
	corpus_init(&c, documents, count);
	n = bm25(q, &c, lists, n, limit, hits, a);
	stemmers_free(stemmers);
	return n;
}

/* The formula worked out by hand, over two documents. */
static void test_formula(void **state)
{
	static const char *const texts[] = { "apple pear\nplum plum cherry\n", "apple apple apple fig\n" };
	double average = 9.0 / 3, idf = log(1 + (3 - 2 + 0.5) / (2 + 0.5));
	double first = idf * 2.2 * 1 / (1 + 1.2 * (0.4 + 0.6 * 2 / average));
	double other = idf * 2.2 * 3 / (3 + 1.2 * (0.4 + 0.6 * 4 / average));
	struct hit *hits;
	struct query q;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(search(texts, 2, "Which apples?", 10, &hits, &q, &a), 2);
	assert_int_equal(hits[0].document, 1);
	assert_int_equal(hits[0].number, 0);
	assert_true(fabs(hits[0].score - other) < 1e-6);
	assert_int_equal(hits[1].document, 0);
	assert_true(fabs(hits[1].score - first) < 1e-6);
	arena_done(&a);
}

static void test_questions(void **state)
{
	static const char *const texts[] = { "to be or not to be\nthe the the\nsilence\n" };
	static const struct {
		const char *name, *question;
		size_t want;
	} cases[] = {
		{ "nothing", "", 0 },
		{ "not a word", "?!", 0 },
		{ "nowhere", "zebra", 0 },
		{ "function words are not looked up", "the silence", 1 },
		{ "unless there is nothing else", "to be or not to be", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hit *hits;
		struct query q;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		assert_int_equal(search(texts, 1, cases[i].question, 10, &hits, &q, &a), cases[i].want);
		arena_done(&a);
	}
}

/* The best of many, in order, whatever their order was. */
static void test_best(void **state)
{
	uint32_t seed = 7;
	char text[40 * 120], *at = text;
	const char *texts[] = { text };
	struct hit *hits, *all;
	struct query q;
	struct arena a;
	size_t n;

	(void)state;
	for (int i = 0; i < 100; i++) {
		for (int k = any(&seed) % 4; k >= 0; k--)
			at += sprintf(at, "goal ");
		for (int k = any(&seed) % 6; k >= 0; k--)
			at += sprintf(at, "x ");
		at += sprintf(at, "\n");
	}
	arena_init(&a, 0);
	n = search(texts, 1, "goal", 1000, &all, &q, &a);
	assert_int_equal(n, 100);
	for (size_t limit = 1; limit < 20; limit++) {
		assert_int_equal(search(texts, 1, "goal", limit, &hits, &q, &a), limit);
		for (size_t i = 0; i < limit; i++)
			assert_int_equal(hits[i].number, all[i].number);
	}
	arena_done(&a);
}

static void test_a_long_question(void **state)
{
	static const char *const texts[] = { "word500 here\nword5 here\n" };
	struct hit *hits;
	struct query q;
	struct arena a;
	char *question, *at;

	(void)state;
	arena_init(&a, 0);
	question = at = arena_alloc(&a, 10000);
	for (int i = 0; i < 900; i++)
		at += sprintf(at, "word%d ", i);
	assert_int_equal(search(texts, 1, question, 10, &hits, &q, &a), 1);
	assert_int_equal(q.count, QUERY_TERMS);
	arena_done(&a);
}

/* Of a large text the lists are made part by part: together they are all of them, in the same order. */
static void test_parts(void **state)
{
	enum { PARTS = 5 };
	const char *text =
	    "alpha beta gamma delta epsilon zeta eta theta\nalpha iota kappa lambda beta my ny xi\n";
	struct stemmers *stemmers = stemmers_new();
	struct index whole, part;
	struct chunk *chunks;
	struct arena a;
	size_t count, at = 0;

	(void)state;
	arena_init(&a, 0);
	count = lines(text, &chunks, &a);
	index_all(text, chunks, count, stemmers, &whole, &a);
	for (int i = 0; i < PARTS; i++) {
		struct index_builder *b = index_begin(stemmers, LANGUAGE_EN);

		index_part(b, i, PARTS);
		for (size_t k = 0; k < count; k++)
			index_add(b, text + chunks[k].start, chunks[k].end - chunks[k].start, NULL);
		index_end(b, &part, &a);
		assert_int_equal(part.terms, whole.terms);
		assert_string_equal(part.vocabulary, i ? "" : whole.vocabulary);
		for (size_t k = 0; k < part.count; k++, at++) {
			assert_true(at < whole.count && part.lists[k].term == whole.lists[at].term);
			assert_int_equal(part.lists[k].size, whole.lists[at].size);
			assert_memory_equal(part.lists[k].packed, whole.lists[at].packed,
			                    whole.lists[at].size);
		}
	}
	assert_int_equal(at, whole.count);
	stemmers_free(stemmers);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),           cmocka_unit_test(test_many_terms),
		cmocka_unit_test(test_broken_lists),    cmocka_unit_test(test_formula),
		cmocka_unit_test(test_questions),       cmocka_unit_test(test_best),
		cmocka_unit_test(test_a_long_question), cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
