#include "common/secret/token.h"

#include <jwt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/id.h"

enum { NOW = 1750000000 };

static const char user[] = "01890a5d-ac96-774b-bcce-b302099a8057",
                  session[] = "01890a5d-ac96-774b-bcce-000000000001";

static struct keyring ring_of(int newest, int count)
{
	struct keyring ring = { .count = count };

	for (int i = 0; i < count; i++) {
		snprintf(ring.keys[i].id, sizeof ring.keys[i].id, "k%d", newest - i);
		memset(ring.keys[i].bytes, newest - i, KEY_SIZE);
	}
	return ring;
}

static struct token_claims claims(void)
{
	struct token_claims c = {
		.user_number = 9007199254740991, .issued = NOW - 10, .expires = NOW + 60, .admin = 1
	};

	memcpy(c.user_id, user, sizeof user);
	memcpy(c.session_id, session, sizeof session);
	return c;
}

static void a_token_says_what_was_signed(void **state)
{
	struct keyring old = ring_of(1, 1), rotated = ring_of(2, 2);
	struct token_claims in = claims(), out;
	struct error err = { 0 };
	struct arena a;
	char *text;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(token_sign(&old, &in, &a, &text, &err), 0);
	assert_int_equal(token_verify(&rotated, text, NOW, NULL, &out, &err), 0);
	assert_string_equal(out.user_id, user);
	assert_string_equal(out.session_id, session);
	assert_true(out.user_number == in.user_number);
	assert_true(out.issued == in.issued && out.expires == in.expires);
	assert_int_equal(out.admin, 1);
	in.admin = 0;
	assert_int_equal(token_sign(&rotated, &in, &a, &text, &err), 0);
	assert_int_equal(token_verify(&rotated, text, NOW, NULL, &out, &err), 0);
	assert_int_equal(out.admin, 0);
	assert_int_equal(token_verify(&old, text, NOW, NULL, &out, &err), -1); /* a key to come */
	arena_done(&a);
}

/* A token of any header and payload, signed (or not) as one likes: what a forger sends. */
static char *forge(struct arena *a, const char *header, const char *payload, const unsigned char *key)
{
	char *text = arena_alloc(a, 2 * (strlen(header) + strlen(payload)) + 64), *at = text;
	unsigned char mac[MAC_SIZE];

	at += base64url_encode(at, header, strlen(header));
	*at++ = '.';
	at += base64url_encode(at, payload, strlen(payload));
	if (key)
		mac_sha256(key, text, (size_t)(at - text), NULL, 0, mac);
	*at++ = '.';
	if (key)
		base64url_encode(at, mac, sizeof mac);
	return text;
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}"
#define IDS \
	"\"sub\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"sid\":\"01890a5d-ac96-774b-bcce-000000000001\",\"num\":1"
#define CLAIMS_AUD(aud) "{\"iss\":\"parley\",\"aud\":" aud ",\"iat\":1749999990,\"exp\":1750000060," IDS "}"
#define PAYLOAD "{\"iss\":\"parley\",\"iat\":1749999990,\"exp\":1750000060," IDS "}"

static void forged_and_broken_tokens_are_refused(void **state)
{
	static const struct {
		const char *name, *header, *payload;
		int signed_with;  /* 0: no signature */
		const char *want; /* NULL: accepted */
	} cases[] = {
		{ "as we sign", HEADER, PAYLOAD, 1, NULL },
		{ "alg none", "{\"alg\":\"none\",\"kid\":\"k1\"}", PAYLOAD, 0, "not valid" },
		{ "alg none, no kid", "{\"alg\":\"none\"}", PAYLOAD, 0, "unknown key" },
		{ "alg NONE", "{\"alg\":\"NONE\",\"typ\":\"JWT\",\"kid\":\"k1\"}", PAYLOAD, 0, "not valid" },
		{ "alg none but signed", "{\"alg\":\"none\",\"kid\":\"k1\"}", PAYLOAD, 1, "not valid" },
		{ "HS384", "{\"alg\":\"HS384\",\"typ\":\"JWT\",\"kid\":\"k1\"}", PAYLOAD, 1, "not valid" },
		{ "RS256", "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", PAYLOAD, 1, "not valid" },
		{ "alg missing", "{\"typ\":\"JWT\",\"kid\":\"k1\"}", PAYLOAD, 1, "not valid" },
		{ "alg a number", "{\"alg\":256,\"typ\":\"JWT\",\"kid\":\"k1\"}", PAYLOAD, 1, "not valid" },
		{ "no signature", HEADER, PAYLOAD, 0, "not valid" },
		{ "another key", HEADER, PAYLOAD, 2, "not valid" },
		{ "unknown kid", "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k9\"}", PAYLOAD, 1,
		  "unknown key" },
		{ "empty kid", "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"\"}", PAYLOAD, 1,
		  "unknown key" },
		{ "kid hidden in a value", "{\"x\":\"\\\"kid\\\":\\\"k1\",\"alg\":\"HS256\"}", PAYLOAD, 1,
		  "unknown key" },
		{ "two kids", "{\"x\":{\"kid\":\"k1\"},\"kid\":\"k2\",\"alg\":\"HS256\",\"typ\":\"JWT\"}",
		  PAYLOAD, 1, "not valid" },
		{ "header not JSON", "\"kid\":\"k1\"", PAYLOAD, 1, "not valid" },
		{ "payload not JSON", HEADER, "hello", 1, "not valid" },
		{ "payload an array", HEADER, "[]", 1, "not one of ours" },
		{ "expired", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":1749999999," IDS "}", 1,
		  "expired" },
		{ "expires now", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":1750000000," IDS "}", 1,
		  "expired" },
		{ "exp missing", HEADER, "{\"iss\":\"parley\",\"iat\":1," IDS "}", 1, "lacks" },
		/* libjwt 1.10 reads these two as 0, 1.17 not at all */
		{ "exp a string", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":\"1750000060\"," IDS "}", 1,
		  "the token" },
		{ "exp a fraction", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":1750000060.5," IDS "}", 1,
		  "the token" },
		{ "exp huge", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":99999999999999999999," IDS "}",
		  1, "not valid" },
		{ "exp negative", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":-1," IDS "}", 1, "expired" },
		{ "issuer missing", HEADER, "{\"iat\":1,\"exp\":1750000060," IDS "}", 1, "not one of ours" },
		{ "another issuer", HEADER, "{\"iss\":\"other\",\"iat\":1,\"exp\":1750000060," IDS "}", 1,
		  "not one of ours" },
		{ "not good yet", HEADER,
		  "{\"iss\":\"parley\",\"iat\":1,\"exp\":1750000060,\"nbf\":1750000030," IDS "}", 1,
		  "not good yet" },
		{ "good since now", HEADER,
		  "{\"iss\":\"parley\",\"iat\":1,\"exp\":1750000060,\"nbf\":1750000000," IDS "}", 1, NULL },
		{ "something critical that we do not know",
		  "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",\"crit\":[\"b64\"],\"b64\":false}",
		  PAYLOAD, 1, "not valid" },
		{ "sub missing", HEADER, "{\"iss\":\"parley\",\"iat\":1,\"exp\":1750000060,\"num\":1}", 1,
		  "lacks" },
		{ "sub not a UUID", HEADER,
		  "{\"iss\":\"parley\",\"iat\":1,\"exp\":1750000060,\"num\":1,\"sub\":\"' OR 1=1\",\"sid\":\"x\"}",
		  1, "lacks" },
		{ "empty header", "", PAYLOAD, 1, "unknown key" },
		{ "an empty audience", HEADER, CLAIMS_AUD("\"\""), 1, "not for this address" },
		{ "an audience of many", HEADER, CLAIMS_AUD("[\"a\",\"b\"]"), 1, "not for this address" },
		{ "an audience that is null", HEADER, CLAIMS_AUD("null"), 1, "not for this address" },
		{ "empty payload", HEADER, "", 1, "not valid" },
	};
	struct keyring ring = ring_of(2, 2);
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		unsigned char key[KEY_SIZE];
		struct token_claims out;
		struct error err = { 0 };
		char *text;
		int got;

		memset(key, cases[i].signed_with, sizeof key);
		text = forge(&a, cases[i].header, cases[i].payload, cases[i].signed_with ? key : NULL);
		got = token_verify(&ring, text, NOW, NULL, &out, &err);
		if (cases[i].want ? got != -1 || err.code != ERROR_UNAUTHENTICATED ||
		                        !strstr(err.message, cases[i].want)
		                  : got != 0)
			fail_msg("%s: got %d '%s', want '%s'", cases[i].name, got, err.message,
			         cases[i].want);
	}
	arena_done(&a);
}

/* What a program may show at one address is good for nothing else, and a session's token is not good there. */
static void a_token_for_one_address_is_good_there_alone(void **state)
{
	static const char here[] =
	    "https://chat.example.com/mcp/chatbots/01890a5d-ac96-774b-bcce-b302099a8057";
	static const struct {
		const char *signed_for, *shown_at;
		int taken;
	} cases[] = {
		{ NULL, NULL, 1 },
		{ here, here, 1 },
		{ here, NULL, 0 },
		{ NULL, here, 0 },
		{ here, "https://chat.example.com/mcp/chatbots/01890a5d-ac96-774b-bcce-000000000001", 0 },
		{ here, "https://chat.example.com/mcp/chatbots/01890A5D-ac96-774b-bcce-b302099a8057", 0 },
		{ here, "", 0 },
	};
	struct keyring ring = ring_of(1, 1);
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct token_claims in = claims(), out;
		struct error err = { 0 };
		char *text;

		in.audience = cases[i].signed_for;
		assert_int_equal(token_sign(&ring, &in, &a, &text, &err), 0);
		if ((token_verify(&ring, text, NOW, cases[i].shown_at, &out, &err) == 0) != cases[i].taken)
			fail_msg("case %zu: %s", i, err.message);
	}
	arena_done(&a);
}

static void every_single_character_counts(void **state)
{
	struct keyring ring = ring_of(1, 1);
	struct token_claims in = claims(), out;
	struct error err = { 0 };
	struct arena a;
	char *text;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(token_sign(&ring, &in, &a, &text, &err), 0);
	for (size_t i = 0; text[i]; i++) {
		char kept = text[i];
		text[i] = kept == 'A' ? 'B' : 'A';
		error_clear(&err);
		if (token_verify(&ring, text, NOW, NULL, &out, &err) != -1)
			fail_msg("altered at %zu", i);
		text[i] = '\0';
		error_clear(&err);
		if (token_verify(&ring, text, NOW, NULL, &out, &err) != -1)
			fail_msg("cut at %zu", i);
		text[i] = kept;
	}
	arena_done(&a);
}

static void garbage_is_refused(void **state)
{
	static const char *const garbage[] = {
		"", ".", "..", "...", "a.b.c", "Bearer x", "\xff\xfe.\x01.", "eyJhbGciOiJIUzI1NiJ9..", "=.=.="
	};
	struct keyring ring = ring_of(1, 1);
	struct token_claims in = claims(), out;
	struct error err = { 0 };
	struct arena a;
	char *huge, *text;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		error_clear(&err);
		if (token_verify(&ring, garbage[i], NOW, NULL, &out, &err) != -1)
			fail_msg("took '%s'", garbage[i]);
		assert_int_equal(err.code, ERROR_UNAUTHENTICATED);
	}
	huge = arena_alloc(&a, 1 << 20);
	memset(huge, 'A', (1 << 20) - 1);
	error_clear(&err);
	assert_int_equal(token_verify(&ring, huge, NOW, NULL, &out, &err), -1);
	assert_non_null(strstr(err.message, "too long"));
	error_clear(&err);
	assert_int_equal(token_sign(&ring, &in, &a, &text, &err), 0);
	text = arena_printf(&a, "%s.%s", text, "x");
	assert_int_equal(token_verify(&ring, text, NOW, NULL, &out, &err), -1);
	arena_done(&a);
}

static void libjwt_agrees_with_what_we_sign(void **state)
{
	struct keyring ring = ring_of(1, 1);
	struct token_claims in = claims();
	struct error err = { 0 };
	struct arena a;
	jwt_t *jwt = NULL;
	char *text;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(token_sign(&ring, &in, &a, &text, &err), 0);
	assert_int_equal(jwt_decode(&jwt, text, ring.keys[0].bytes, KEY_SIZE), 0);
	assert_string_equal(jwt_get_grant(jwt, "sub"), user);
	jwt_free(jwt);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_what_was_signed),
		cmocka_unit_test(forged_and_broken_tokens_are_refused),
		cmocka_unit_test(a_token_for_one_address_is_good_there_alone),
		cmocka_unit_test(every_single_character_counts),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(libjwt_agrees_with_what_we_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
