/* What is believed of bytes from the network, and what is not. */
#include "common/rpc/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char key[KEY_SIZE] = "the cluster key of this test....";
static const unsigned char other_key[KEY_SIZE] = "the cluster key of that test....";
static const unsigned char bind_a[MAC_SIZE] = "the MAC of request A............";
static const unsigned char bind_b[MAC_SIZE] = "the MAC of request B............";

enum { ROOM = 512 };
static unsigned char bytes[ROOM];

static size_t sealed(const unsigned char *with, const unsigned char *bind)
{
	Rpc__Request r = RPC__REQUEST__INIT;
	size_t size;

	r.has_method = 1;
	r.method = 0xfeed;
	r.request_id = (char *)"7f3a";
	r.has_payload = 1;
	r.payload = (ProtobufCBinaryData){ 5, (uint8_t *)"a\0b\xff!" };
	size = envelope_size(&r.base);
	assert_true(size <= ROOM);
	envelope_seal(&r.base, with, bind, bytes, size);
	return size;
}

static const struct {
	const char *name;
	const unsigned char *key, *sealed_for, *opened_for;
	int change; /* a byte to flip, or -1 */
	int cut;    /* bytes to leave out at the end */
	enum error_code want;
} cases[] = {
	{ "as it was sent", key, NULL, NULL, -1, 0, ERROR_NONE },
	{ "a reply to its request", key, bind_a, bind_a, -1, 0, ERROR_NONE },
	{ "another key", other_key, NULL, NULL, -1, 0, ERROR_UNAUTHENTICATED },
	{ "a reply to another request", key, bind_b, bind_a, -1, 0, ERROR_UNAUTHENTICATED },
	{ "a reply as a request", key, bind_a, NULL, -1, 0, ERROR_UNAUTHENTICATED },
	{ "a request as a reply", key, NULL, bind_a, -1, 0, ERROR_UNAUTHENTICATED },
	{ "a changed signature", key, NULL, NULL, 31, 0, ERROR_UNAUTHENTICATED },
	{ "a changed message", key, NULL, NULL, MAC_SIZE, 0, ERROR_UNAUTHENTICATED },
	{ "the end is missing", key, NULL, NULL, -1, 1, ERROR_UNAUTHENTICATED },
	{ "shorter than a signature", key, NULL, NULL, -1, -1, ERROR_UNAUTHENTICATED },
};

static void test_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t size = sealed(cases[i].key, cases[i].sealed_for);
		struct error err = { 0 };
		struct arena a;
		Rpc__Request *got;

		print_message("  %s\n", cases[i].name);
		arena_init(&a, 0);
		if (cases[i].change >= 0)
			bytes[cases[i].change] ^= 1;
		size = cases[i].cut < 0 ? MAC_SIZE - 1 : size - (size_t)cases[i].cut;
		got = (Rpc__Request *)envelope_open(&rpc__request__descriptor, key, cases[i].opened_for,
		                                    bytes, size, &a, &err);
		assert_int_equal(err.code, cases[i].want);
		assert_int_equal(got != NULL, cases[i].want == ERROR_NONE);
		if (got) {
			assert_int_equal(got->method, 0xfeed);
			assert_string_equal(got->request_id, "7f3a");
			assert_int_equal(got->payload.len, 5);
			assert_memory_equal(got->payload.data, "a\0b\xff!", 5);
		}
		arena_done(&a);
	}
}

static void test_signed_nonsense(void **state)
{
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	memset(bytes, 0xff, ROOM);
	mac_sha256(key, (unsigned char[MAC_SIZE]){ 0 }, MAC_SIZE, bytes + MAC_SIZE, ROOM - MAC_SIZE, bytes);
	assert_null(envelope_open(&rpc__request__descriptor, key, NULL, bytes, ROOM, &a, &err));
	assert_int_equal(err.code, ERROR_MALFORMED);
	arena_done(&a);
}

static void test_more_than_the_arena_takes(void **state)
{
	size_t size = sealed(key, NULL);
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 64);
	assert_null(envelope_open(&rpc__request__descriptor, key, NULL, bytes, size, &a, &err));
	assert_int_equal(err.code, ERROR_MALFORMED);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_signed_nonsense),
		cmocka_unit_test(test_more_than_the_arena_takes),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
