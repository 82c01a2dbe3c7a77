#include "common/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Pieces of every size, small among large, must not touch each other. */
static void test_pieces_do_not_overlap(void **state)
{
	static const size_t sizes[] = { 1,     15,    16,     17, 4095, 4096, 4097,
		                        16384, 16385, 100000, 3,  0,    9000, 9000 };
	enum { ROUNDS = 40, COUNT = sizeof sizes / sizeof *sizes };
	unsigned char *pieces[ROUNDS * COUNT];
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (int i = 0; i < ROUNDS * COUNT; i++) {
		size_t size = sizes[i % COUNT];

		pieces[i] = arena_alloc(&a, size);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		for (size_t k = 0; k < size; k++)
			if (pieces[i][k] != 0)
				fail_msg("piece %d is not zeroed at %zu", i, k);
		memset(pieces[i], i & 0xff, size);
	}
	for (int i = 0; i < ROUNDS * COUNT; i++)
		for (size_t k = 0; k < sizes[i % COUNT]; k++)
			if (pieces[i][k] != (i & 0xff))
				fail_msg("piece %d was overwritten at %zu", i, k);
	arena_done(&a);
}

static void test_reset_gives_zeroed_memory_again(void **state)
{
	static const unsigned char zero[1000];
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	memset(arena_alloc(&a, 1000), 0xff, 1000);
	memset(arena_alloc(&a, 50000), 0xff, 50000);
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	for (int round = 0; round < 20; round++)
		assert_memory_equal(arena_alloc(&a, 1000), zero, 1000);
	arena_done(&a);
}

/* A thousand streams have several each, for as long as a model speaks. */
static void test_little_needs_little(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	arena_alloc(&a, 100);
	assert_in_range(a.end - a.at, 800, 1024);
	for (size_t size = 1000; size <= 4000; size *= 2) { /* and no more than it needs */
		arena_alloc(&a, size);
		assert_in_range(a.end - a.at, 0, 2 * size);
	}
	for (int i = 0; i < 100; i++)
		arena_alloc(&a, 1000);
	arena_reset(&a);
	assert_in_range(a.end - a.at, 16000, 17000); /* what it has had is kept for the next request */
	arena_done(&a);
}

static void test_limit_holds_for_try(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1000);
	assert_non_null(arena_try(&a, 600));
	assert_null(arena_try(&a, 600));
	assert_non_null(arena_try(&a, 300));
	assert_null(arena_try(&a, SIZE_MAX));
	assert_non_null(arena_alloc(&a, 5000)); /* what we ask for ourselves is not limited */
	arena_done(&a);
}

static void test_strings(void **state)
{
	struct arena a;
	char *big = malloc(40001);

	(void)state;
	arena_init(&a, 0);
	memset(big, 'x', 40000);
	big[40000] = '\0';
	assert_null(arena_strdup(&a, NULL));
	assert_string_equal(arena_strdup(&a, big), big);
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, "ab", 30), "ab");
	assert_string_equal(arena_strndup(&a, NULL, 0), ""); /* as the body of a request without one */
	assert_string_equal(arena_printf(&a, "%d-%s", 7, big) + 2, big);
	for (int size = 120; size < 136; size++) /* around what is formatted once */
		assert_int_equal(strlen(arena_printf(&a, "%*d", size, size)), size);
	assert_memory_equal(arena_memdup(&a, "a\0b", 3), "a\0b\0", 4);
	arena_done(&a);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_reset_gives_zeroed_memory_again),
		cmocka_unit_test(test_little_needs_little),
		cmocka_unit_test(test_limit_holds_for_try),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
