/* links: svc-documents/search/respell.c svc-documents/search/query.c */
#include "svc-documents/search/respell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/text/spelling.h"

static void test_near(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} cases[] = {
		{ "booking", "bookng", true },
		{ "bookng", "booking", true },
		{ "machine", "machien", true },
		{ "monthly", "monthli", true },
		{ "flow", "flwo", true },
		{ "trafic", "traffic", true },
		{ "booking", "booking", false },
		{ "flow", "slow", false }, /* short words have many neighbours */
		{ "flow", "flo", false },
		{ "cat", "act", false },
		{ "booking", "boking!!", false },
		{ "machine", "mchaien", false },
		{ "access", "process", false },
		{ "", "a", false },
		{ "tenant", "tenants", true },
		{ "xbooking", "booking", true },
		{ "bookingx", "booking", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s %s\n", cases[i].a, cases[i].b);
		assert_int_equal(
		    spelling_near(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b)),
		    cases[i].want);
	}
}

static void test_looking(void **state)
{
	struct stemmers *stemmers = stemmers_new();
	bool doubtful[QUERY_TERMS] = { true, true };
	struct query q;
	struct arena a;
	double worth;

	(void)state;
	arena_init(&a, 0);
	query_parse("bookng chlid", stemmers, 1, LANGUAGE_EN, &q, &a);
	assert_int_equal(respell_look(&q, doubtful, "bookings otter booking child", LANGUAGE_EN, stemmers),
	                 2);
	assert_int_equal(q.terms[0].near_count, 1);
	assert_int_equal(query_find(&q, q.terms[1].near[0], LANGUAGE_EN, &worth), 1);
	assert_true(worth < 1 && worth > 0.5);
	assert_int_equal(respell_look(&q, doubtful, "", LANGUAGE_EN, stemmers), 0);
	arena_done(&a);
	stemmers_free(stemmers);
}

static bool is(const void *arg, uint64_t hash)
{
	return *(const uint64_t *)arg == hash;
}

/* Words for the same are tried, those that the documents have are kept, and each counts less than the word itself. */
static void test_meaning(void **state)
{
	struct stemmers *stemmers = stemmers_new();
	bool unknown[QUERY_TERMS] = { true, true };
	struct query q, other;
	struct arena a;
	double worth;

	(void)state;
	arena_init(&a, 0);
	query_parse("terminate zebra", stemmers, 1, LANGUAGE_EN, &q, &a);
	assert_true(respell_mean(&q, unknown, 1, stemmers) > 2);
	assert_int_equal(q.terms[1].near_count, 0);
	query_parse("cancelled", stemmers, 1, LANGUAGE_EN, &other, &a);
	respell_keep(&q, is, &other.terms[0].term.hash);
	assert_int_equal(q.terms[0].near_count, 1);
	assert_int_equal(query_find(&q, other.terms[0].term.hash, LANGUAGE_EN, &worth), 0);
	assert_true(worth < 0.8);
	query_parse("deposits", stemmers, 1, LANGUAGE_EN, &other, &a);
	query_parse("Kaution", stemmers, 1, LANGUAGE_EN, &q, &a);
	assert_true(respell_mean(&q, unknown, 1, stemmers) > 2);
	assert_int_equal(query_find(&q, other.terms[0].term.hash, LANGUAGE_EN, &worth), 0);
	arena_done(&a);
	stemmers_free(stemmers);
}

/* In a long message the sentence that asks counts. */
static void test_talk(void **state)
{
	struct stemmers *stemmers = stemmers_new();
	struct query q;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	query_parse(
	    "Dear team, the weather is lovely. We come from Oslo. How far does the battery last? Regards.",
	    stemmers, 1, LANGUAGE_EN, &q, &a);
	for (size_t i = 0; i < q.count; i++) {
		if (strcmp(q.terms[i].term.word, "battery") == 0)
			assert_true(q.terms[i].worth == 1);
		if (strcmp(q.terms[i].term.word, "weather") == 0 ||
		    strcmp(q.terms[i].term.word, "regards") == 0)
			assert_true(q.terms[i].worth < 0.5);
	}
	query_parse("The weather. The battery.", stemmers, 1, LANGUAGE_EN, &q, &a);
	for (size_t i = 0; i < q.count; i++)
		assert_true(q.terms[i].worth == 1);
	arena_done(&a);
	stemmers_free(stemmers);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_near), cmocka_unit_test(test_looking),
		                            cmocka_unit_test(test_meaning), cmocka_unit_test(test_talk) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
