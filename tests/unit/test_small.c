/* links: svc-documents/search/small.c svc-documents/search/index.c */
#include "svc-documents/search/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

/* An index of one chunk with so many words of their own. */
static void make(size_t words, struct index *ret)
{
	struct stemmers *stemmers = stemmers_new();
	struct index_builder *b = index_begin(stemmers, LANGUAGE_EN);
	struct text t;

	text_init(&t, &arena);
	for (size_t i = 0; i < words; i++)
		text_addf(&t, "%zu ", 1000 + i);
	text_adds(&t, "");
	index_add(b, t.at, t.length, NULL);
	index_end(b, ret, &arena);
	stemmers_free(stemmers);
}

static void every_list_of_a_block_is_found_by_its_term(void **state)
{
	struct index x;
	ProtobufCBinaryData block;
	struct index_list list;

	(void)state;
	make(500, &x);
	assert_int_equal(x.count, 500);
	assert_true(small_pack(&x, &block, &arena));
	assert_int_equal(small_count(block.data, block.len), 500);
	for (size_t i = 0; i < x.count; i++) {
		assert_true(small_find(block.data, block.len, x.lists[i].term, &list));
		assert_int_equal(list.size, x.lists[i].size);
		assert_memory_equal(list.packed, x.lists[i].packed, list.size);
		assert_int_equal(small_list(block.data, block.len, i).term, x.lists[i].term);
	}
	assert_false(small_find(block.data, block.len, x.lists[7].term + 1, &list));
	assert_false(small_find(block.data, block.len, 0, &list));
	assert_false(small_find(block.data, block.len, UINT64_MAX, &list));
}

static void an_empty_index_has_a_block_without_lists(void **state)
{
	struct index x = { .vocabulary = "" };
	ProtobufCBinaryData block;
	struct index_list list;

	(void)state;
	assert_true(small_pack(&x, &block, &arena));
	assert_int_equal(small_count(block.data, block.len), 0);
	assert_false(small_find(block.data, block.len, 1, &list));
}

static void a_large_index_has_no_block(void **state)
{
	struct index x;
	ProtobufCBinaryData block;

	(void)state;
	make(SMALL_MAX / 10, &x);
	assert_false(small_pack(&x, &block, &arena));
}

/* What a damaged row holds is no list, and no crash. */
static void a_block_that_is_cut_short_is_read_within_its_bounds(void **state)
{
	struct index x;
	ProtobufCBinaryData block;
	struct index_list list;

	(void)state;
	make(20, &x);
	assert_true(small_pack(&x, &block, &arena));
	for (size_t size = 0; size < block.len; size++) {
		uint8_t *cut = arena_alloc(&arena, size + 1);

		memcpy(cut, block.data, size);
		for (size_t i = 0; i < x.count; i++)
			if (small_find(cut, size, x.lists[i].term, &list))
				assert_true(list.packed + list.size <= cut + size);
	}
}

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_list_of_a_block_is_found_by_its_term),
		cmocka_unit_test(an_empty_index_has_a_block_without_lists),
		cmocka_unit_test(a_large_index_has_no_block),
		cmocka_unit_test(a_block_that_is_cut_short_is_read_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
