/* links: svc-chat/sealed.c */
#include "svc-chat/sealed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char key[KEY_SIZE] = { 1, 2, 3 }, other_key[KEY_SIZE] = { 3, 2, 1 };
static const char owner[] = "01890a5d-ac96-774b-bcce-b302099a8057";
static const char session[] = "01890a5d-ac96-774b-bcce-b302099a8058";
static const char bot[] = "01890a5d-ac96-774b-bcce-b302099a8059";

static void test_owner(void **state)
{
	char tail[SEALED_OWNER_TEXT], again[SEALED_OWNER_TEXT], got[UUID_TEXT];

	(void)state;
	sealed_owner(key, owner, tail);
	sealed_owner(key, owner, again);
	assert_string_not_equal(tail, again);
	assert_int_equal(strlen(tail), SEALED_OWNER_TEXT - 1);
	assert_int_equal(sealed_owner_of(key, tail, got), 0);
	assert_string_equal(got, owner);
	assert_int_equal(sealed_owner_of(other_key, tail, got), 0);
	assert_string_not_equal(got, owner);
	assert_int_equal(sealed_owner_of(key, "", got), -1);
	assert_int_equal(sealed_owner_of(key, "not base64url!", got), -1);
	tail[42] = '\0';
	assert_int_equal(sealed_owner_of(key, tail, got), -1);
}

static void test_visit(void **state)
{
	struct sealed_visit visit = { .expires = INT64_C(1765000000123) }, got;
	struct arena a;
	char *text;

	(void)state;
	arena_init(&a, 0);
	strcpy(visit.owner, owner);
	strcpy(visit.session, session);
	sealed_origin("https://Shop.example.com", visit.origin);
	text = sealed_visit(key, bot, &visit, &a);
	assert_true(strlen(text) < 200);
	assert_int_equal(sealed_visit_of(key, bot, text, &got), 0);
	assert_memory_equal(&got.origin, &visit.origin, 16);
	assert_string_equal(got.owner, owner);
	assert_string_equal(got.session, session);
	assert_true(got.expires == visit.expires);
	assert_int_equal(sealed_visit_of(other_key, bot, text, &got), -1);
	assert_int_equal(sealed_visit_of(key, owner, text, &got), -1); /* another chatbot's */
	assert_int_equal(sealed_visit_of(key, bot, "", &got), -1);
	for (size_t i = 0; i < strlen(text); i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(sealed_visit_of(key, bot, text, &got), -1);
		text[i] = was;
	}
	arena_done(&a);
}

static void test_origins(void **state)
{
	unsigned char a[16], b[16], none[16] = { 0 };

	(void)state;
	sealed_origin("https://shop.example.com", a);
	sealed_origin("HTTPS://SHOP.example.com", b);
	assert_memory_equal(a, b, 16);
	sealed_origin("https://shop.example.org", b);
	assert_memory_not_equal(a, b, 16);
	sealed_origin(NULL, b);
	assert_memory_equal(b, none, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_visit),
		cmocka_unit_test(test_origins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
