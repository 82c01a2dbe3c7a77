/* links: svc-auth/proof.c */
#include "svc-auth/proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char key[KEY_SIZE] = "a key of thirty-two bytes, or so";
static const unsigned char other_key[KEY_SIZE] = "a key of thirty-two bytes, or no";

static void test_a_code_is_six_digits(void **state)
{
	int seen[10] = { 0 };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char job[32], code[PROOF_CODE];

		snprintf(job, sizeof job, "job-%d", i);
		proof_code(key, job, code);
		assert_int_equal(strlen(code), 6);
		assert_int_equal(strspn(code, "0123456789"), 6);
		for (int j = 0; j < 6; j++)
			seen[code[j] - '0']++;
	}
	for (int digit = 0; digit < 10; digit++) /* 1,200 of each, about */
		assert_in_range(seen[digit], 1000, 1400);
}

static void test_the_same_job_says_the_same(void **state)
{
	char one[PROOF_LINK], two[PROOF_LINK];

	(void)state;
	proof_code(key, "job", one);
	proof_code(key, "job", two);
	assert_string_equal(one, two);
	proof_link(key, "job", one);
	proof_link(key, "job", two);
	assert_string_equal(one, two);
	assert_int_equal(strlen(one), 43);
	proof_link(key, "another job", two);
	assert_string_not_equal(one, two);
	proof_link(other_key, "job", two);
	assert_string_not_equal(one, two);
}

static void test_what_is_stored_tells_nothing_without_the_key(void **state)
{
	char mine[PROOF_HASH], yours[PROOF_HASH], link[PROOF_HASH];

	(void)state;
	proof_code_hash(key, "ada", "123456", mine);
	assert_int_equal(strlen(mine), 64);
	proof_code_hash(key, "bob", "123456", yours); /* the same digits of somebody else */
	assert_string_not_equal(mine, yours);
	proof_code_hash(other_key, "ada", "123456", yours);
	assert_string_not_equal(mine, yours);
	proof_code_hash(key, "ada1", "23456", yours); /* the border between the two counts */
	assert_string_not_equal(mine, yours);
	proof_link_hash(key, "123456", link);
	assert_string_not_equal(mine, link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_code_is_six_digits),
		cmocka_unit_test(test_the_same_job_says_the_same),
		cmocka_unit_test(test_what_is_stored_tells_nothing_without_the_key),
	};

	return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
