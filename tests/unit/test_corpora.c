/* links: svc-documents/search/corpora.c */
#include "svc-documents/search/corpora.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ADA "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define GRACE "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define ONE "11111111-1111-4111-8111-111111111111"
#define TWO "22222222-2222-4222-8222-222222222222"

enum { MINUTE = 60 * 1000 };

static const struct corpus_counts counts = {
	.documents = 2, .chunks = 9, .terms = 90, .small = 2, .version = 5
};

static const struct scope both = { .owner = ADA, .ids = (char *[]){ ONE, TWO }, .count = 2 },
                          first = { .owner = ADA, .ids = (char *[]){ ONE }, .count = 1 },
                          all = { .owner = ADA },
                          hers = { .owner = GRACE, .ids = (char *[]){ ONE, TWO }, .count = 2 };

static void keep(struct corpora *c, const struct scope *scope, const char *name)
{
	char text[64];
	struct corpus_document documents[] = { { .id = ONE, .name = text, .chunks = 4, .generation = 7 },
		                               { .id = TWO, .name = text, .chunks = 5 } };
	const char *models[] = { "a model", NULL };

	snprintf(text, sizeof text, "%s", name);
	corpora_keep(c, scope, &counts, &(struct stored_corpus){ documents, models, 2, 3 }, 1000);
	memset(text, 'x', strlen(text)); /* what it was copied from goes */
}

static bool finds(struct corpora *c, const struct scope *scope, const struct corpus_counts *now, int64_t when)
{
	const struct stored_corpus *held = corpora_find(c, scope, now, when);

	corpora_release(c, held);
	return held != NULL;
}

static void test_finds_what_was_kept(void **state)
{
	struct corpora *c = corpora_new();
	const struct stored_corpus *held;

	(void)state;
	assert_null(corpora_find(c, &both, &counts, 1000));
	keep(c, &both, "otters");
	held = corpora_find(c, &both, &counts, 1000);
	assert_non_null(held);
	assert_int_equal(held->count, 2);
	assert_int_equal(held->of_owner, 3);
	assert_string_equal(held->documents[0].id, ONE);
	assert_string_equal(held->documents[0].name, "otters");
	assert_int_equal(held->documents[0].generation, 7);
	assert_string_equal(held->models[0], "a model");
	assert_null(held->models[1]);
	corpora_release(c, held);
	corpora_free(c);
}

static void test_of_these_documents_alone(void **state)
{
	struct corpora *c = corpora_new();

	(void)state;
	keep(c, &both, "otters");
	assert_false(finds(c, &hers, &counts, 1000));
	assert_false(finds(c, &first, &counts, 1000));
	assert_false(finds(c, &all, &counts, 1000));
	keep(c, &all, "all");
	assert_true(finds(c, &all, &counts, 1000));
	assert_false(finds(c, &(struct scope){ .owner = GRACE }, &counts, 1000));
	corpora_free(c);
}

static void test_while_nothing_has_changed(void **state)
{
	struct corpora *c = corpora_new();
	struct corpus_counts later = counts, of_before = counts;

	(void)state;
	keep(c, &both, "otters");
	later.version++;
	of_before.chunks--; /* a replica of before has no version */
	assert_false(finds(c, &both, &later, 1000));
	assert_false(finds(c, &both, &of_before, 1000));
	assert_true(finds(c, &both, &counts, 1000 + MINUTE - 1));
	assert_false(finds(c, &both, &counts, 1000 + MINUTE));
	corpora_free(c);
}

/* Whoever holds it goes on with what it was. */
static void test_replaced_while_it_is_held(void **state)
{
	struct corpora *c = corpora_new();
	const struct stored_corpus *held;

	(void)state;
	keep(c, &both, "otters");
	held = corpora_find(c, &both, &counts, 1000);
	keep(c, &both, "herons");
	assert_string_equal(held->documents[1].name, "otters");
	corpora_release(c, held);
	held = corpora_find(c, &both, &counts, 1000);
	assert_string_equal(held->documents[1].name, "herons");
	corpora_release(c, held);
	corpora_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_was_kept),
		cmocka_unit_test(test_of_these_documents_alone),
		cmocka_unit_test(test_while_nothing_has_changed),
		cmocka_unit_test(test_replaced_while_it_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
