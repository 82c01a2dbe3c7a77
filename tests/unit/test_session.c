/* Every message once: the window, who is forgotten first, and clocks that differ. */
#include "common/rpc/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/rpc/offset.h"

static const unsigned char key[KEY_SIZE] = "the cluster key of this test....";

static uint64_t open_as(struct sessions *table, int who)
{
	unsigned char sender[SESSION_SENDER] = { 0 };

	memcpy(sender, &who, sizeof who);
	return sessions_open(table, sender);
}

static const struct {
	const char *name;
	uint64_t before[4], counter; /* taken before; then this one */
	enum session_take want;
} cases[] = {
	{ "the first", { 0 }, 1, SESSION_TAKEN },
	{ "a first one that is not the first", { 0 }, 1000000, SESSION_TAKEN },
	{ "counters begin at 1", { 0 }, 0, SESSION_REPEATED },
	{ "in order", { 1, 2 }, 3, SESSION_TAKEN },
	{ "out of order", { 3 }, 1, SESSION_TAKEN },
	{ "the newest again", { 1, 2 }, 2, SESSION_REPEATED },
	{ "an older one again", { 1, 2, 3 }, 1, SESSION_REPEATED },
	{ "the oldest of the window", { 65536 }, 1, SESSION_TAKEN },
	{ "behind the window", { 65537 }, 1, SESSION_REPEATED },
	{ "seen, then behind the window", { 1, 65537 }, 1, SESSION_REPEATED },
	{ "its place in the ring was another's", { 1, 65537 }, 2, SESSION_TAKEN },
	{ "a leap over the whole window", { 5, 200000 }, 199999, SESSION_TAKEN },
	{ "a leap, and the newest again", { 5, 200000 }, 200000, SESSION_REPEATED },
	{ "a leap to the same place in the ring", { 5, 5 + 65536 }, 5 + 65536 - 1, SESSION_TAKEN },
	{ "the last there is", { UINT64_MAX }, UINT64_MAX, SESSION_REPEATED },
	{ "near the last there is", { UINT64_MAX }, UINT64_MAX - 65535, SESSION_TAKEN },
	{ "behind the last window", { UINT64_MAX }, UINT64_MAX - 65536, SESSION_REPEATED },
};

static void test_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sessions *table = sessions_new(key, 4);
		uint64_t id = open_as(table, 1);

		print_message("  %s\n", cases[i].name);
		for (int j = 0; j < 4 && cases[i].before[j]; j++)
			(void)sessions_take(table, id, cases[i].before[j]);
		assert_int_equal(sessions_take(table, id, cases[i].counter), cases[i].want);
		sessions_free(table);
	}
}

/* Shuffled as two connections do it, each counter twice: each is taken once. */
static void test_reordered_and_repeated(void **state)
{
	enum { MANY = 200000, NEAR = 1000 };
	struct sessions *table = sessions_new(key, 4);
	uint64_t id = open_as(table, 1);
	int taken = 0;

	(void)state;
	for (int round = 0; round < MANY / NEAR; round++) {
		for (int i = 0; i < 2 * NEAR; i++) { /* 7 has no divisor in common with NEAR */
			uint64_t counter = (uint64_t)(round * NEAR + i * 7 % NEAR + 1);

			taken += sessions_take(table, id, counter) == SESSION_TAKEN;
		}
	}
	assert_int_equal(taken, MANY);
	sessions_free(table);
}

static void test_a_sender_keeps_its_session(void **state)
{
	struct sessions *table = sessions_new(key, 4);
	uint64_t id = open_as(table, 1);

	(void)state;
	assert_int_equal(sessions_take(table, id, 1), SESSION_TAKEN);
	assert_true(open_as(table, 1) ==
	            id); /* a Hello again, or one that somebody repeats: the window stays */
	assert_int_equal(sessions_take(table, id, 1), SESSION_REPEATED);
	assert_true(open_as(table, 2) != id);
	sessions_free(table);
}

static void test_who_is_forgotten(void **state)
{
	struct sessions *table = sessions_new(key, 4);
	struct session s;
	uint64_t ids[4], unused;

	(void)state;
	for (int i = 0; i < 4; i++) {
		ids[i] = open_as(table, i);
		assert_int_equal(sessions_take(table, ids[i], 1), SESSION_TAKEN);
	}
	assert_int_equal(sessions_take(table, ids[0], 2), SESSION_TAKEN); /* 1 is silent for longest now */
	unused = open_as(table, 100);
	assert_false(sessions_find(table, ids[1], &s));
	assert_int_equal(sessions_take(table, ids[1], 2), SESSION_UNKNOWN);
	for (int i = 101; i < 1000;
	     i++) /* old Hellos, repeated: they drive each other out, and nobody else */
		open_as(table, i);
	assert_false(sessions_find(table, unused, &s));
	for (int i = 0; i < 4; i++)
		assert_int_equal(sessions_find(table, ids[i], &s), i != 1);
	assert_true(open_as(table, 1) != ids[1]); /* opened anew, never the old one */
	sessions_free(table);
}

static void test_keys_belong_to_both_lives(void **state)
{
	struct sessions *here = sessions_new(key, 4), *there = sessions_new(key, 4);
	struct session a, b, sender_side;
	unsigned char sender[SESSION_SENDER] = { 1 };
	uint64_t id = sessions_open(here, sender), other = sessions_open(there, sender);

	(void)state;
	assert_true(id != other);
	assert_true(sessions_find(here, id, &a) && sessions_find(there, other, &b));
	session_derive(key, sender, id, &sender_side);
	assert_memory_equal(&a, &sender_side, sizeof a);
	assert_memory_not_equal(a.request, b.request, KEY_SIZE);
	sessions_free(here);
	sessions_free(there);
}

/* --- Clocks ------------------------------------------------------------------------------------------------------------- */

static void test_offset(void **state)
{
	enum { AHEAD = 120 * 1000000 };
	struct offset o = { .count = 0 };

	(void)state;
	assert_true(offset_ahead(&o) == 0);
	offset_measured(&o, 1000, 1000 + AHEAD + 400000, 501000); /* a slow way: 0.5 s */
	assert_true(offset_ahead(&o) >= AHEAD && offset_ahead(&o) <= AHEAD + 500000);
	offset_measured(&o, 600000, 600000 + AHEAD + 100, 600300);
	assert_true(offset_ahead(&o) >= AHEAD && offset_ahead(&o) <= AHEAD + 300);
	for (int i = 0; i < OFFSETS - 1; i++)
		offset_measured(&o, 700000, 700000 + AHEAD + 90000, 800000);
	assert_true(offset_ahead(&o) <= AHEAD + 300); /* the best of the last eight */
	offset_measured(&o, 900000, 900000 - AHEAD + 50, 900100);
	assert_true(offset_ahead(&o) == -AHEAD + 50); /* set anew over there: the last eight only */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_reordered_and_repeated),
		cmocka_unit_test(test_a_sender_keeps_its_session),
		cmocka_unit_test(test_who_is_forgotten),
		cmocka_unit_test(test_keys_belong_to_both_lives),
		cmocka_unit_test(test_offset),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
