/* links: gateway/gate.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/gate.h"

enum { ROOM = 32 };

/* How many places they get, at most `most`; *places are theirs. */
static int fill(struct gate *g, const char *user, const char *ip, int most, struct gate_place *places)
{
	int n = 0;

	while (n < most && gate_enter(g, user, ip, &places[n]))
		n++;
	return n;
}

static void test_one_alone_gets_half(void **state)
{
	struct gate_place places[ROOM], eve;
	struct gate *g = gate_new(ROOM);

	(void)state;
	assert_int_equal(fill(g, "ada", "192.0.2.1", ROOM, places), (ROOM - ROOM / 8) / 2);
	assert_true(gate_enter(g, "eve", "192.0.2.1", &eve)); /* another user, at the same address */
	gate_leave(g, &eve);
	gate_leave(g, &eve); /* twice is once */
	gate_leave(g, &places[0]);
	assert_true(gate_enter(g, "ada", "192.0.2.1", &places[0]));
	assert_false(gate_enter(g, "ada", "192.0.2.2", &eve)); /* nor from elsewhere */
	gate_free(g);
}

static void test_who_holds_none_finds_a_place_however_many_are_greedy(void **state)
{
	struct gate_place places[ROOM];
	struct gate *g = gate_new(ROOM);
	char ip[32];

	(void)state;
	for (int i = 0; i < 4; i++) {
		snprintf(ip, sizeof ip, "192.0.2.%d", i);
		fill(g, NULL, ip, ROOM, places);
	}
	for (int i = 0; i < ROOM / 8; i++) {
		snprintf(ip, sizeof ip, "198.51.100.%d", i);
		assert_true(gate_enter(g, NULL, ip, &places[0]));
	}
	gate_free(g);
}

static void test_many_accounts_at_one_address_leave_room(void **state)
{
	struct gate_place place;
	struct gate *g = gate_new(ROOM);
	char user[32];
	int inside = 0;

	(void)state;
	for (int i = 0; i < 10 * ROOM; i++) {
		snprintf(user, sizeof user, "account-%d", i);
		inside += gate_enter(g, user, "2001:db8::1", &place);
	}
	assert_int_equal(inside, ROOM - ROOM / 8);
	assert_false(gate_enter(g, "one more", "2001:db8::ffff:1", &place)); /* the same /64 */
	assert_true(gate_enter(g, "ada", "2001:db8:0:1::1", &place));
	gate_free(g);
}

/* As many as GATEWAY_STREAMS=1200 promises, of 20 people behind one proxy. */
static void test_an_office_of_many_gets_a_thousand_of_twelve_hundred(void **state)
{
	struct gate *g = gate_new(1200);
	struct gate_place place;
	char user[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(user, sizeof user, "person-%d", i % 20);
		assert_true(gate_enter(g, user, "192.0.2.1", &place));
	}
	gate_free(g);
}

static void test_all_comes_back(void **state)
{
	static struct gate_place places[10000];
	struct gate *g = gate_new(ROOM);
	char ip[32];

	(void)state;
	for (int round = 0; round < 1000; round++) {
		int n = 0;

		for (int i = 0; i < ROOM; i++) {
			snprintf(ip, sizeof ip, "10.%d.%d.%d", round & 255, i, round >> 8);
			n += gate_enter(g, i % 2 ? ip : NULL, ip, &places[n]);
		}
		assert_int_equal(n, ROOM);
		assert_false(gate_enter(g, NULL, "192.0.2.1", &places[n]));
		while (n > 0)
			gate_leave(g, &places[--n]);
	}
	gate_free(g);
}

static void test_a_room_of_one(void **state)
{
	struct gate *g = gate_new(1);
	struct gate_place one, two;

	(void)state;
	assert_true(gate_enter(g, "ada", "192.0.2.1", &one));
	assert_false(gate_enter(g, "eve", "192.0.2.2", &two));
	gate_leave(g, &two); /* was not taken */
	gate_leave(g, &one);
	assert_true(gate_enter(g, "eve", "192.0.2.2", &two));
	gate_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_alone_gets_half),
		cmocka_unit_test(test_who_holds_none_finds_a_place_however_many_are_greedy),
		cmocka_unit_test(test_many_accounts_at_one_address_leave_room),
		cmocka_unit_test(test_an_office_of_many_gets_a_thousand_of_twelve_hundred),
		cmocka_unit_test(test_all_comes_back),
		cmocka_unit_test(test_a_room_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
