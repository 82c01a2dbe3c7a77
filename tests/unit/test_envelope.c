/* What is believed of bytes from the network, and what is not. */
#include "common/rpc/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char cluster[KEY_SIZE] = "the cluster key of this test....";
static const unsigned char other_cluster[KEY_SIZE] = "the cluster key of that test....";
static const unsigned char sender[SESSION_SENDER] = "random bytes of this start......";

enum { ROOM = 512, COUNTER = 77 };
static unsigned char bytes[ROOM];

static struct session session_of(const unsigned char key[KEY_SIZE], uint64_t id)
{
	struct session s;

	session_derive(key, sender, id, &s);
	return s;
}

static size_t sealed(enum envelope_kind kind, const struct session *s)
{
	Rpc__Request r = RPC__REQUEST__INIT;
	size_t size;

	r.has_method = 1;
	r.method = 0xfeed;
	r.request_id = (char *)"7f3a-secret-words";
	r.has_payload = 1;
	r.payload = (ProtobufCBinaryData){ 5, (uint8_t *)"a\0b\xff!" };
	size = envelope_size(&r.base);
	assert_true(size <= ROOM);
	envelope_seal(kind, s, COUNTER, &r.base, bytes, size);
	return size;
}

enum change { NOTHING, FLIP, CUT, GROW, KIND };
static const struct {
	const char *name;
	enum envelope_kind kind, opened_as;
	enum change change;
	size_t at; /* the byte to flip */
	int want;
} cases[] = {
	{ "a request", ENVELOPE_REQUEST, ENVELOPE_REQUEST, NOTHING, 0, 0 },
	{ "a reply", ENVELOPE_REPLY, ENVELOPE_REPLY, NOTHING, 0, 0 },
	{ "a reply as a request", ENVELOPE_REPLY, ENVELOPE_REQUEST, NOTHING, 0, -1 },
	{ "a request as a reply", ENVELOPE_REQUEST, ENVELOPE_REPLY, NOTHING, 0, -1 },
	{ "a request that says it is a reply", ENVELOPE_REQUEST, ENVELOPE_REPLY, KIND, 0, -1 },
	{ "another version", ENVELOPE_REQUEST, ENVELOPE_REQUEST, FLIP, 0, -1 },
	{ "another session", ENVELOPE_REQUEST, ENVELOPE_REQUEST, FLIP, ENVELOPE_START, -1 },
	{ "another counter", ENVELOPE_REQUEST, ENVELOPE_REQUEST, FLIP, ENVELOPE_START + 8, -1 },
	{ "another counter, high", ENVELOPE_REQUEST, ENVELOPE_REQUEST, FLIP, ENVELOPE_HEADER - 1, -1 },
	{ "a changed message", ENVELOPE_REQUEST, ENVELOPE_REQUEST, FLIP, ENVELOPE_HEADER, -1 },
	{ "the end is missing", ENVELOPE_REQUEST, ENVELOPE_REQUEST, CUT, 0, -1 },
	{ "something was added", ENVELOPE_REQUEST, ENVELOPE_REQUEST, GROW, 0, -1 },
};

static void test_open(void **state)
{
	struct session s = session_of(cluster, 4711);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t size = sealed(cases[i].kind, &s);
		ProtobufCBinaryData packed;
		Rpc__Request *got;

		print_message("  %s\n", cases[i].name);
		switch (cases[i].change) {
		case NOTHING: break;
		case FLIP: bytes[cases[i].at] ^= 1; break;
		case CUT: size--; break;
		case GROW: bytes[size++] = 0; break;
		case KIND: bytes[1] = ENVELOPE_REPLY; break;
		}
		assert_int_equal(envelope_open(cases[i].opened_as, &s, bytes, size, &packed), cases[i].want);
		if (cases[i].want)
			continue;
		got = rpc__request__unpack(NULL, packed.len, packed.data);
		assert_int_equal(got->method, 0xfeed);
		assert_int_equal(got->payload.len, 5);
		assert_memory_equal(got->payload.data, "a\0b\xff!", 5);
		rpc__request__free_unpacked(got, NULL);
	}
}

static void test_every_bit_counts(void **state)
{
	struct session s = session_of(cluster, 4711);
	size_t size = sealed(ENVELOPE_REQUEST, &s);
	unsigned char was[ROOM];
	ProtobufCBinaryData packed;

	(void)state;
	memcpy(was, bytes, size);
	for (size_t i = 0; i < size * 8; i++) {
		memcpy(bytes, was, size);
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(envelope_open(ENVELOPE_REQUEST, &s, bytes, size, &packed), -1);
	}
}

static void test_other_keys(void **state)
{
	struct session mine = session_of(cluster, 4711), theirs = session_of(other_cluster, 4711), next;
	unsigned char restarted[SESSION_SENDER] = "random bytes of the next start..";
	size_t size = sealed(ENVELOPE_REQUEST, &theirs);
	ProtobufCBinaryData packed;

	(void)state;
	assert_int_equal(envelope_open(ENVELOPE_REQUEST, &mine, bytes, size, &packed), -1);
	session_derive(cluster, restarted, 4711, &next);
	size = sealed(ENVELOPE_REQUEST, &next);
	assert_int_equal(envelope_open(ENVELOPE_REQUEST, &mine, bytes, size, &packed), -1);
	next = session_of(cluster, 4712);
	assert_memory_not_equal(mine.request, next.request, KEY_SIZE);
	assert_memory_not_equal(mine.request, mine.reply, KEY_SIZE);
}

static void test_nothing_can_be_read(void **state)
{
	struct session s = session_of(cluster, 4711);
	size_t size = sealed(ENVELOPE_REQUEST, &s);

	(void)state;
	assert_null(memmem(bytes, size, "secret", 6));
	assert_null(memmem(bytes, size, s.request, 8));
}

/* --- Hello -------------------------------------------------------------------------------------------------------------- */

static size_t hello(const unsigned char key[KEY_SIZE], struct hello_keys *keys)
{
	Rpc__HelloRequest out = RPC__HELLO_REQUEST__INIT;
	size_t size = envelope_hello_size(&out);

	hello_keys_derive(key, sender, keys);
	envelope_hello(keys, &out, bytes, size);
	return size;
}

static void test_hello_and_welcome(void **state)
{
	struct hello_keys mine, theirs;
	Rpc__HelloReply out = RPC__HELLO_REPLY__INIT, *got;
	unsigned char header[ENVELOPE_HELLO_HEADER], other[ENVELOPE_HELLO_HEADER], welcome[ROOM], again[ROOM];
	struct arena a;
	size_t size;

	(void)state;
	arena_init(&a, 0);
	size = hello(cluster, &mine);
	memcpy(header, bytes, sizeof header);
	assert_non_null(envelope_open_hello(cluster, bytes, size, &theirs, &a));
	assert_memory_equal(theirs.sender, sender, SESSION_SENDER);
	out.service = (char *)"documents";
	out.has_session = 1;
	out.session = 4711;
	size = envelope_welcome_size(&out);
	envelope_welcome(&theirs, header, &out, welcome, size);
	memcpy(again, welcome, size);
	got = envelope_open_welcome(&mine, header, again, size, &a);
	assert_non_null(got);
	assert_string_equal(got->service, "documents");
	assert_true(got->session == 4711);

	/* The same answer to another Hello, and a second answer to the same one. */
	hello(cluster, &mine);
	memcpy(other, bytes, sizeof other);
	memcpy(again, welcome, size);
	assert_null(envelope_open_welcome(&mine, other, again, size, &a));
	envelope_welcome(&theirs, header, &out, again, size);
	assert_memory_not_equal(again + ENVELOPE_START, welcome + ENVELOPE_START, SEAL_NONCE);
	arena_done(&a);
}

static void test_hello_with_another_key(void **state)
{
	struct hello_keys mine, theirs;
	unsigned char answer[ENVELOPE_START];
	size_t size = hello(other_cluster, &mine);
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_null(envelope_open_hello(cluster, bytes, size, &theirs, &a));
	envelope_other_key(answer);
	assert_int_equal(envelope_kind(answer, sizeof answer), ENVELOPE_OTHER_KEY);
	arena_done(&a);
}

/* --- A session that is not known ------------------------------------------------------------------------------------------ */

static void test_unknown_is_said_of_one_request(void **state)
{
	struct session s = session_of(cluster, 4711);
	unsigned char key[KEY_SIZE], other_key[KEY_SIZE], proof[ENVELOPE_PROOF],
	    answer[ENVELOPE_UNKNOWN_SIZE];
	size_t size = sealed(ENVELOPE_REQUEST, &s);
	uint64_t replica = 0;

	(void)state;
	envelope_denial_key(cluster, key);
	envelope_denial_key(other_cluster, other_key);
	envelope_proof(bytes, size, proof);
	envelope_unknown(key, bytes, size, 99, answer);
	assert_true(envelope_is_unknown(key, proof, answer, sizeof answer, &replica));
	assert_true(replica == 99);
	assert_false(envelope_is_unknown(other_key, proof, answer, sizeof answer, &replica));
	answer[ENVELOPE_START]++; /* another process */
	assert_false(envelope_is_unknown(key, proof, answer, sizeof answer, &replica));
	answer[ENVELOPE_START]--;
	proof[ENVELOPE_PROOF - 1]++; /* another request */
	assert_false(envelope_is_unknown(key, proof, answer, sizeof answer, &replica));
}

static void test_kinds(void **state)
{
	unsigned char at[ROOM] = { ENVELOPE_VERSION };

	(void)state;
	assert_int_equal(envelope_kind(at, 0), ENVELOPE_NONE);
	for (int kind = 0; kind < 256; kind++) {
		at[1] = (unsigned char)kind;
		assert_int_equal(envelope_kind(at, 1), ENVELOPE_NONE);
		assert_int_equal(envelope_kind(at, ROOM), kind <= ENVELOPE_UNKNOWN ? kind : ENVELOPE_NONE);
	}
	at[1] = ENVELOPE_REQUEST;
	assert_int_equal(envelope_kind(at, ENVELOPE_HEADER + SEAL_TAG - 1), ENVELOPE_NONE);
	at[0] = 1;
	assert_int_equal(envelope_kind(at, ROOM), ENVELOPE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_nothing_can_be_read),
		cmocka_unit_test(test_hello_and_welcome),
		cmocka_unit_test(test_hello_with_another_key),
		cmocka_unit_test(test_unknown_is_said_of_one_request),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
