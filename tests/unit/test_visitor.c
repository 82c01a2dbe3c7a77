/* links: svc-chat/visitor.c */
#include "svc-chat/visitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BOT "00000000-0000-7000-8000-0000000000b1"

static void test_secret(void **state)
{
	static const unsigned char key[KEY_SIZE] = { 1, 2, 3 }, other[KEY_SIZE] = { 1, 2, 4 };
	struct arena a;
	const char *secret;

	(void)state;
	arena_init(&a, 0);
	secret = visitor_secret(key, BOT, 0, &a);
	assert_int_equal(strlen(secret), 64);
	assert_string_equal(secret, visitor_secret(key, BOT, 0, &a));
	assert_string_not_equal(secret, visitor_secret(key, BOT, 1, &a));
	assert_string_not_equal(secret, visitor_secret(other, BOT, 0, &a));
	arena_done(&a);
}

static void test_told(void **state)
{
	static const struct {
		const char *told, *signature, *name, *email;
		enum error_code want;
	} cases[] = {
		{ "{\"name\":\"Ada\"}", "ca73edbb7f9341aed58f2aef3fbe7d9a6a5ed9fa7b9eb8b6f6f4a8b6ed3b4b1e",
		  NULL, NULL, ERROR_FORBIDDEN },
		{ "{\"name\":\"Ada\"}", "", NULL, NULL, ERROR_FORBIDDEN },
		{ "{\"name\":\"Ada\"}", "@", "Ada", NULL, ERROR_NONE },
		{ "{\"email\":\"a@example.com\",\"exp\":101}", "@", NULL, "a@example.com", ERROR_NONE },
		{ "{\"email\":\"a@example.com\",\"exp\":100}", "@", NULL, NULL, ERROR_FORBIDDEN },
		{ "{\"email\":\"a@example.com\",\"exp\":\"x\"}", "@", NULL, NULL, ERROR_FORBIDDEN },
		{ "{\"name\":\"\"}", "@", NULL, NULL, ERROR_NONE },
		{ "{\"name\":[]}", "@", NULL, NULL, ERROR_INVALID },
		{ "[]", "@", NULL, NULL, ERROR_INVALID },
		{ "x", "@", NULL, NULL, ERROR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct visitor got = { 0 };
		struct error err = { 0 };
		struct arena a;
		char signature[65];
		int rc;

		arena_init(&a, 0);
		snprintf(signature, sizeof signature, "%s", cases[i].signature);
		if (*signature == '@')
			visitor_sign("secret", cases[i].told, signature);
		print_message("%s\n", cases[i].told);
		rc = visitor_read("secret", cases[i].told, signature, 100, &got, &a, &err);
		assert_int_equal(err.code, cases[i].want);
		assert_int_equal(rc, cases[i].want == ERROR_NONE ? 0 : -1);
		if (rc == 0 && cases[i].name)
			assert_string_equal(got.name, cases[i].name);
		if (rc == 0 && cases[i].email)
			assert_string_equal(got.email, cases[i].email);
		if (rc == 0 && !cases[i].name)
			assert_null(got.name);
		arena_done(&a);
	}
}

static void test_signature_is_hmac_sha256(void **state)
{
	char signature[65];

	(void)state;
	/* RFC 4231, test case 2 */
	visitor_sign("Jefe", "what do ya want for nothing?", signature);
	assert_string_equal(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_signature_is_hmac_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
