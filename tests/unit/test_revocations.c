/* links: gateway/revocations.c gateway/api_keys.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/api_keys.h"
#include "gateway/revocations.h"

#define ADA "01890a5d-ac96-774b-bcce-b302099a8057"
#define SESSION "01890a5d-ac96-774b-bcce-b302099a8058"
#define OTHER "01890a5d-ac96-774b-bcce-b302099a8059"

static struct token_claims token(const char *session)
{
	struct token_claims c = { .issued = 100, .expires = 100 + 86400 };

	strcpy(c.user_id, ADA);
	strcpy(c.session_id, session);
	return c;
}

static Auth__Revocation revocation(const char *session, int64_t until)
{
	Auth__Revocation r = AUTH__REVOCATION__INIT;

	r.session_id = (char *)session;
	r.has_until = 1;
	r.until = until;
	return r;
}

static void test_what_is_revoked(void **state)
{
	struct revocations *r = revocations_new();
	Auth__Revocation session = revocation(SESSION, 2000), rubbish = revocation("nonsense", 0),
	                 of_a_key = AUTH__REVOCATION__INIT;
	struct token_claims c;

	(void)state;
	revocations_add(r, &session, 500);
	revocations_add(r, &rubbish, 500);
	revocations_add(r, &of_a_key, 500);
	c = token(SESSION);
	assert_true(revocations_hit(r, &c));
	c = token(OTHER); /* another session of hers */
	assert_false(revocations_hit(r, &c));
	revocations_free(r);
}

static void test_many_are_kept_and_old_ones_forgotten(void **state)
{
	enum { MANY = 20000 };
	struct revocations *r = revocations_new();
	char id[37];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		Auth__Revocation one;

		snprintf(id, sizeof id, "01890a5d-ac96-774b-bcce-%012x", (unsigned)i);
		one = revocation(id, i % 2 ? 5000 : 100); /* every second one is over soon */
		revocations_add(r, &one, i < MANY / 2 ? 50 : 200);
	}
	for (int i = 1; i < MANY; i += 2) {
		struct token_claims c;

		snprintf(id, sizeof id, "01890a5d-ac96-774b-bcce-%012x", (unsigned)i);
		c = token(id);
		assert_true(revocations_hit(r, &c));
	}
	revocations_free(r);
}

static const char hash[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

static Auth__ResolvedKey resolved(int64_t id, char *user)
{
	Auth__ResolvedKey k = AUTH__RESOLVED_KEY__INIT;

	k.has_id = 1;
	k.id = id;
	k.user_id = user;
	return k;
}

static void test_a_key_is_known_until_it_is_dropped(void **state)
{
	char user[] = ADA, one[] = "documents", two[] = "chat", *scopes[] = { one, two };
	struct api_keys *k = api_keys_new();
	Auth__ResolvedKey answer = resolved(7, user);
	Auth__Revocation gone = AUTH__REVOCATION__INIT;
	struct api_key key;

	(void)state;
	answer.scopes = scopes;
	answer.n_scopes = 2;
	assert_int_equal(api_keys_find(k, hash, 1000, &key), 0);
	assert_int_equal(api_keys_put(k, api_keys_age(k), hash, &answer, 1000, &key), 0);
	assert_int_equal(api_keys_find(k, hash, 1001, &key), 1);
	assert_string_equal(key.scopes, "documents|chat");
	assert_int_equal(api_keys_find(k, hash, 1000 + 3600, &key), 0); /* to be asked again */

	gone.session_id = (char *)SESSION; /* of no key: costs nothing, touches nothing */
	api_keys_drop(k, &gone);
	gone.session_id = NULL;
	gone.has_api_key_id = 1;
	gone.api_key_id = 8;
	api_keys_drop(k, &gone);
	assert_int_equal(api_keys_find(k, hash, 1001, &key), 1);
	gone.api_key_id = 7;
	api_keys_drop(k, &gone);
	assert_int_equal(api_keys_find(k, hash, 1001, &key), 0);
	api_keys_free(k);
}

static void test_a_key_revoked_while_it_was_asked_for_is_not_kept(void **state)
{
	char user[] = ADA;
	struct api_keys *k = api_keys_new();
	Auth__ResolvedKey answer = resolved(7, user);
	Auth__Revocation gone = AUTH__REVOCATION__INIT;
	unsigned age = api_keys_age(k);
	struct api_key key;

	(void)state;
	gone.has_api_key_id = 1;
	gone.api_key_id = 7;
	api_keys_drop(k, &gone);
	assert_int_equal(api_keys_put(k, age, hash, &answer, 1000, &key), 0);
	assert_int_equal(api_keys_find(k, hash, 1000, &key), 0);
	api_keys_free(k);
}

/* A feed brings some thousand a minute, and at its start all that there are: each once went through all places. */
static void test_sessions_that_end_cost_keys_nothing(void **state)
{
	char user[] = ADA;
	struct api_keys *k = api_keys_new();
	Auth__ResolvedKey answer = resolved(7, user);
	Auth__Revocation ended = AUTH__REVOCATION__INIT, none = AUTH__REVOCATION__INIT;
	unsigned age = api_keys_age(k);
	struct api_key key;
	clock_t began;

	(void)state;
	ended.session_id = (char *)SESSION;
	api_keys_drop(k, &ended); /* while a key is asked for: it is kept all the same */
	assert_int_equal(api_keys_put(k, age, hash, &answer, 1000, &key), 0);
	assert_int_equal(api_keys_find(k, hash, 1000, &key), 1);
	began = clock();
	for (int i = 0; i < 200000; i++)
		api_keys_drop(k, &ended);
	api_keys_clear(k);
	none.has_api_key_id = 1;
	for (int i = 0; i < 200000; i++)
		api_keys_drop(k, &none);
	assert_true(clock() - began < CLOCKS_PER_SEC / 2); /* processor time; it were 1.6 billion steps */
	api_keys_free(k);
}

static void test_a_key_ends_when_it_expires(void **state)
{
	char user[] = ADA;
	struct api_keys *k = api_keys_new();
	Auth__ResolvedKey answer = resolved(7, user);
	struct api_key key;

	(void)state;
	answer.has_expires = 1;
	answer.expires = 1010;
	assert_int_equal(api_keys_put(k, api_keys_age(k), hash, &answer, 1000, &key), 0);
	assert_int_equal(api_keys_find(k, hash, 1009, &key), 1);
	assert_int_equal(api_keys_find(k, hash, 1010, &key), 0);
	answer.user_id = NULL; /* an answer that cannot be right */
	assert_int_equal(api_keys_put(k, api_keys_age(k), hash, &answer, 1000, &key), -1);
	api_keys_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_revoked),
		cmocka_unit_test(test_many_are_kept_and_old_ones_forgotten),
		cmocka_unit_test(test_a_key_is_known_until_it_is_dropped),
		cmocka_unit_test(test_a_key_revoked_while_it_was_asked_for_is_not_kept),
		cmocka_unit_test(test_sessions_that_end_cost_keys_nothing),
		cmocka_unit_test(test_a_key_ends_when_it_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
