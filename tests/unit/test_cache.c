/* links: svc-documents/search/cache.c svc-documents/search/words.c */
#include "svc-documents/search/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char one[] = "11111111-1111-4111-8111-111111111111",
                  two[] = "22222222-2222-4222-8222-222222222222";

static const struct cached *add(struct cache *c, const char *document, int64_t generation, uint32_t number,
                                const char *text)
{
	struct stored_chunk chunk = { .number = number, .id = "id", .text = text, .size = strlen(text) };
	struct stemmers *stemmers = stemmers_new();
	struct words words;

	words_read(text, strlen(text), stemmers, LANGUAGE_EN, &words);
	stemmers_free(stemmers);
	return cache_add(c, document, generation, &chunk, words);
}

static void test_finds_what_was_added(void **state)
{
	struct cache *c = cache_new(1 << 20);
	const struct cached *held = add(c, one, 1, 3, "The otters swim. Fast."), *again;

	(void)state;
	assert_string_equal(held->chunk.text, "The otters swim. Fast.");
	assert_int_equal(held->words.count, 4);
	assert_int_equal(held->words.at[3].sentence, 1);
	again = cache_find(c, one, 1, 3);
	assert_ptr_equal(again, held);
	assert_null(cache_find(c, one, 2, 3)); /* indexed anew meanwhile */
	assert_null(cache_find(c, one, 1, 4));
	assert_null(cache_find(c, two, 1, 3));
	cache_release(c, held);
	cache_release(c, again);
	cache_free(c);
}

static void test_is_bounded_and_keeps_what_is_asked_for(void **state)
{
	struct cache *c = cache_new(20000);
	const struct cached *held;

	(void)state;
	cache_release(c, add(c, one, 1, 0, "first"));
	for (uint32_t i = 1; i < 500; i++) {
		cache_release(c, add(c, one, 1, i, "another chunk"));
		held = cache_find(c, one, 1, 0);
		assert_non_null(held);
		cache_release(c, held);
	}
	assert_null(cache_find(c, one, 1, 1));
	held = cache_find(c, one, 1, 499);
	assert_non_null(held);
	for (uint32_t i = 500; i < 1000; i++)
		cache_release(c, add(c, one, 1, i, "another chunk"));
	assert_string_equal(held->chunk.text, "another chunk"); /* gone from the cache, not from us */
	cache_release(c, held);
	cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_finds_what_was_added),
		                            cmocka_unit_test(test_is_bounded_and_keeps_what_is_asked_for) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
