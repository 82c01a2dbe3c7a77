/* Tokens that others sign: the keys that may, the ways that are taken, and what else a forger sends. */
#include "common/oauth/jwt.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/id.h"

enum { NOW = 1750000000 };

static struct arena arena;
static EVP_PKEY *rsa, *p256, *ed, *weak;
static const char *jwks;

/* --- A provider -------------------------------------------------------------------------------------------------- */

static const char *number(EVP_PKEY *key, const char *name, int size)
{
	unsigned char bytes[1024];
	BIGNUM *n = NULL;
	char *text = arena_alloc(&arena, 1500);

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	size = size ? size : BN_num_bytes(n);
	BN_bn2binpad(n, bytes, size);
	BN_free(n);
	base64url_encode(text, bytes, (size_t)size);
	return text;
}

static char *rsa_jwk(EVP_PKEY *key, const char *kid, const char *more)
{
	return arena_printf(&arena, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid,
	                    number(key, OSSL_PKEY_PARAM_RSA_N, 0), number(key, OSSL_PKEY_PARAM_RSA_E, 0),
	                    more);
}

static char *p256_jwk(const char *kid)
{
	return arena_printf(
	    &arena,
	    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\",\"use\":\"sig\"}",
	    kid, number(p256, OSSL_PKEY_PARAM_EC_PUB_X, 32), number(p256, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
}

static char *ed_jwk(const char *kid)
{
	unsigned char bytes[32];
	size_t size = sizeof bytes;
	char text[64];

	EVP_PKEY_get_raw_public_key(ed, bytes, &size);
	base64url_encode(text, bytes, size);
	return arena_printf(&arena, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"}", kid,
	                    text);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	weak = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	p256 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_true(rsa && weak && p256 && ed);
	jwks = arena_printf(
	    &arena, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"AAAA\"},7,%s,%s,%s,%s,%s,%s]}",
	    rsa_jwk(rsa, "r", ""), p256_jwk("e"), ed_jwk("d"), rsa_jwk(weak, "weak", ""),
	    rsa_jwk(rsa, "enc", ",\"use\":\"enc\""), rsa_jwk(rsa, "ps", ",\"alg\":\"PS256\""));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(ed);
	arena_done(&arena);
	return 0;
}

static char *encode(const void *bytes, size_t size)
{
	char *text = arena_alloc(&arena, 4 * (size + 2) / 3 + 1);

	base64url_encode(text, bytes, size);
	return text;
}

/* Signed as the key signs, whatever the header says. NULL: not at all. */
static char *token(EVP_PKEY *key, const char *header, const char *payload)
{
	char *text =
	    arena_printf(&arena, "%s.%s", encode(header, strlen(header)), encode(payload, strlen(payload)));
	unsigned char signature[1024], pair[64];
	size_t size = sizeof signature;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const unsigned char *at = signature;

	if (!key) {
		EVP_MD_CTX_free(ctx);
		return arena_printf(&arena, "%s.", text);
	}
	EVP_DigestSignInit(ctx, NULL, key == ed ? NULL : EVP_sha256(), NULL, key);
	assert_int_equal(EVP_DigestSign(ctx, signature, &size, (unsigned char *)text, strlen(text)), 1);
	EVP_MD_CTX_free(ctx);
	if (key == p256) {
		ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)size);

		BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32);
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32);
		ECDSA_SIG_free(sig);
		memcpy(signature, pair, sizeof pair);
		size = sizeof pair;
	}
	return arena_printf(&arena, "%s.%s", text, encode(signature, size));
}

/* The public key as the secret of an HMAC: the classic confusion. */
static char *hmac_token(const char *header, const char *secret)
{
	char *text = arena_printf(&arena, "%s.%s", encode(header, strlen(header)), encode("{}", 2));
	unsigned char mac[32];
	unsigned size = sizeof mac;

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)text, strlen(text), mac, &size);
	return arena_printf(&arena, "%s.%s", text, encode(mac, size));
}

static int verify(const char *text)
{
	struct error err = { 0 };
	json_object *claims = NULL;
	int result = jwt_verify(text, jwks, &claims, &err);

	assert_true((result == 1) == (claims != NULL));
	assert_true((result == -1) == (err.code == ERROR_UNAUTHENTICATED));
	json_object_put(claims);
	return result;
}

/* --- Signatures -------------------------------------------------------------------------------------------------- */

static void the_key_decides_how_it_signs(void **state)
{
	static const char payload[] = "{\"sub\":\"x\"}";
	const struct {
		const char *name, *header;
		EVP_PKEY *key;
		int want;
	} cases[] = {
		{ "RS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", rsa, 1 },
		{ "ES256", "{\"alg\":\"ES256\",\"kid\":\"e\"}", p256, 1 },
		{ "EdDSA", "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", ed, 1 },
		{ "no kid", "{\"alg\":\"ES256\"}", p256, 1 },
		{ "none", "{\"alg\":\"none\",\"kid\":\"r\"}", NULL, -1 },
		{ "NONE", "{\"alg\":\"NONE\"}", NULL, -1 },
		{ "none, signed", "{\"alg\":\"none\",\"kid\":\"r\"}", rsa, -1 },
		{ "no alg", "{\"kid\":\"r\"}", rsa, -1 },
		{ "alg a number", "{\"alg\":256}", rsa, -1 },
		{ "no signature", "{\"alg\":\"RS256\",\"kid\":\"r\"}", NULL, -1 },
		{ "HS256", "{\"alg\":\"HS256\",\"kid\":\"h\"}", rsa, -1 },
		{ "RS384", "{\"alg\":\"RS384\",\"kid\":\"r\"}", rsa, -1 },
		{ "PS256", "{\"alg\":\"PS256\",\"kid\":\"r\"}", rsa, -1 },
		{ "another kind of key", "{\"alg\":\"RS256\",\"kid\":\"e\"}", rsa, 0 },
		{ "an unknown key", "{\"alg\":\"RS256\",\"kid\":\"new\"}", rsa, 0 },
		{ "a weak key", "{\"alg\":\"RS256\",\"kid\":\"weak\"}", weak, 0 },
		{ "a key to encrypt with", "{\"alg\":\"RS256\",\"kid\":\"enc\"}", rsa, 0 },
		{ "a key for something else", "{\"alg\":\"RS256\",\"kid\":\"ps\"}", rsa, 0 },
		{ "kid a number", "{\"alg\":\"RS256\",\"kid\":7}", rsa, -1 },
		{ "crit", "{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"exp\"]}", rsa, -1 },
		{ "a header that is a list", "[\"RS256\"]", rsa, -1 },
		{ "a key of its own", "{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":{\"kty\":\"RSA\"}}", weak,
		  -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (verify(token(cases[i].key, cases[i].header, payload)) != cases[i].want)
			fail_msg("%s", cases[i].name);
}

static void a_public_key_is_no_secret(void **state)
{
	(void)state;
	assert_int_equal(
	    verify(hmac_token("{\"alg\":\"HS256\",\"kid\":\"r\"}", number(rsa, OSSL_PKEY_PARAM_RSA_N, 0))),
	    -1);
	assert_int_equal(
	    verify(hmac_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", number(rsa, OSSL_PKEY_PARAM_RSA_N, 0))),
	    -1);
	assert_int_equal(verify(hmac_token("{\"alg\":\"EdDSA\",\"kid\":\"d\"}", "x")), -1);
}

static void every_character_counts(void **state)
{
	static const char *const headers[] = { "{\"alg\":\"RS256\",\"kid\":\"r\"}",
		                               "{\"alg\":\"ES256\",\"kid\":\"e\"}",
		                               "{\"alg\":\"EdDSA\",\"kid\":\"d\"}" };
	EVP_PKEY *const keys[] = { rsa, p256, ed };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		char *text = token(keys[k], headers[k], "{\"sub\":\"somebody\"}");

		for (size_t i = 0; text[i]; i += k ? 5 : 29) {
			char kept = text[i];

			text[i] = kept == 'A' ? 'B' : 'A';
			if (verify(text) == 1)
				fail_msg("%s altered at %zu", headers[k], i);
			text[i] = kept;
		}
		assert_int_equal(verify(text), 1);
		assert_int_equal(verify(arena_printf(&arena, "%sAA", text)), -1);
		assert_int_equal(verify(arena_printf(&arena, "%s.AA", text)), -1);
	}
}

static void keys_that_are_none(void **state)
{
	static const char *const sets[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[]}",
		"{\"keys\":[null,{},[],\"x\"]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}"
	};
	char *text = token(p256, "{\"alg\":\"ES256\"}", "{}");

	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		struct error err = { 0 };
		json_object *claims;

		if (jwt_verify(text, sets[i], &claims, &err) == 1)
			fail_msg("%s", sets[i]);
	}
}

static void garbage_is_no_token(void **state)
{
	static const char *const garbage[] = { "",      ".",        "..",         "...",
		                               "a.b.c", "e30.e30.", "e30.e30.AA", "\xff.\xff.\xff",
		                               "=.=.=" };
	char *huge = arena_alloc(&arena, 40000);

	(void)state;
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
		assert_int_equal(verify(garbage[i]), -1);
	memset(huge, 'A', 39999);
	huge[100] = huge[200] = '.';
	assert_int_equal(verify(huge), -1);
}

/* --- Claims ------------------------------------------------------------------------------------------------------ */

static void what_a_token_must_say(void **state)
{
#define SAYS(iss, aud, more) "{\"iss\":\"" iss "\",\"aud\":" aud "," more "}"
#define TIMES "\"iat\":1749999990,\"exp\":1750000060"
	static const struct {
		const char *name, *claims;
		bool fine;
	} cases[] = {
		{ "as it should be", SAYS("https://idp.example", "\"us\"", TIMES ",\"nonce\":\"n\""), true },
		{ "one of a list", SAYS("https://idp.example", "[\"us\"]", TIMES ",\"nonce\":\"n\""), true },
		{ "many, and we are meant",
		  SAYS("https://idp.example", "[\"us\",\"them\"]", TIMES ",\"azp\":\"us\",\"nonce\":\"n\""),
		  true },
		{ "many, and nobody is meant",
		  SAYS("https://idp.example", "[\"us\",\"them\"]", TIMES ",\"nonce\":\"n\""), false },
		{ "another is meant",
		  SAYS("https://idp.example", "\"us\"", TIMES ",\"azp\":\"them\",\"nonce\":\"n\""), false },
		{ "for another", SAYS("https://idp.example", "\"them\"", TIMES ",\"nonce\":\"n\""), false },
		{ "for nobody", SAYS("https://idp.example", "[]", TIMES ",\"nonce\":\"n\""), false },
		{ "for numbers", SAYS("https://idp.example", "[1]", TIMES ",\"nonce\":\"n\""), false },
		{ "by another", SAYS("https://evil.example", "\"us\"", TIMES ",\"nonce\":\"n\""), false },
		{ "by nearly the same", SAYS("https://idp.example/", "\"us\"", TIMES ",\"nonce\":\"n\""),
		  false },
		{ "another sign-in's", SAYS("https://idp.example", "\"us\"", TIMES ",\"nonce\":\"m\""),
		  false },
		{ "no nonce", SAYS("https://idp.example", "\"us\"", TIMES), false },
		{ "a nonce that is a list", SAYS("https://idp.example", "\"us\"", TIMES ",\"nonce\":[\"n\"]"),
		  false },
		{ "expired",
		  SAYS("https://idp.example", "\"us\"", "\"iat\":1,\"exp\":1749999880,\"nonce\":\"n\""),
		  false },
		{ "expired, by clocks that differ",
		  SAYS("https://idp.example", "\"us\"", "\"iat\":1,\"exp\":1749999881,\"nonce\":\"n\""),
		  true },
		{ "no end", SAYS("https://idp.example", "\"us\"", "\"iat\":1,\"nonce\":\"n\""), false },
		{ "an end in words",
		  SAYS("https://idp.example", "\"us\"", "\"iat\":1,\"exp\":\"1750000060\",\"nonce\":\"n\""),
		  false },
		{ "no beginning", SAYS("https://idp.example", "\"us\"", "\"exp\":1750000060,\"nonce\":\"n\""),
		  false },
		{ "from the future",
		  SAYS("https://idp.example", "\"us\"",
		       "\"iat\":1750000121,\"exp\":1750000600,\"nonce\":\"n\""),
		  false },
		{ "not good yet",
		  SAYS("https://idp.example", "\"us\"", TIMES ",\"nbf\":1750000121,\"nonce\":\"n\""), false },
		{ "nothing", "{}", false },
	};
	static const struct jwt_expectation e = { "https://idp.example", "us", "n", NOW, 0 },
	                                    none = { "https://idp.example", "us", NULL, NOW, 300 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OWN(json) json_object *claims = NULL;
		struct error err = { 0 };

		assert_int_equal(json_parse(cases[i].claims, strlen(cases[i].claims), &claims, &err), 0);
		if ((jwt_expect(claims, &e, &err) == 0) != cases[i].fine)
			fail_msg("%s", cases[i].name);
		error_clear(&err);
		if (i == 0)
			assert_int_equal(jwt_expect(claims, &none, &err),
			                 -1); /* a logout_token has no nonce */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_decides_how_it_signs), cmocka_unit_test(a_public_key_is_no_secret),
		cmocka_unit_test(every_character_counts),       cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(garbage_is_no_token),          cmocka_unit_test(what_a_token_must_say),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
