/* links: tests/unit/auth_db.c svc-auth/store.c svc-auth/store_keys.c svc-auth/store_proofs.c svc-auth/store_programs.c svc-auth/store_providers.c svc-auth/init.c build/gen/auth.migrations.c tests/unit/pg.c svc-auth/keystore.c */
#include "tests/unit/auth_db.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/db/throttle.h"
#include "svc-auth/keystore.h"
#include "tests/unit/pg.h"

/* --- Codes, links ------------------------------------------------------------------------------------------------ */

static const char job_a[] = "01900000-0000-7000-8000-00000000000a",
                  job_b[] = "01900000-0000-7000-8000-00000000000b";

static void test_codes(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
	int64_t soon = clock_unix_ms() / 1000 + 600;
	struct stored_code code;

	(void)state;
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 0);
	assert_int_equal(store_put_code(&db, uid, job_a, "one", soon, &err), 1);
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 1);
	assert_string_equal(code.hash, "one");
	assert_string_equal(code.account.uid, uid);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 1);
		OK(store_miss_code(&db, "ada@example.com", &err));
	}
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err),
	                 0); /* guessed at too often */
	assert_int_equal(store_put_code(&db, uid, job_a, "one", soon, &err),
	                 0); /* the same job does not revive it */
	assert_int_equal(store_put_code(&db, uid, job_b, "two", soon + 60, &err), 1);
	assert_int_equal(store_put_code(&db, uid, job_a, "one", soon, &err),
	                 0); /* nor does a late one come back */
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 1);
	assert_string_equal(code.hash, "two");
	OK(store_drop_code(&db, uid, &err));
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 0);
	assert_int_equal(store_put_code(&db, uid, job_b, "two", soon + 60, &err), 0); /* used */
}

static void test_codes_expire(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
	struct stored_code code;

	(void)state;
	assert_int_equal(store_put_code(&db, uid, job_a, "one", clock_unix_ms() / 1000 - 1, &err), 0);
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 0);
}

static void test_links(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
	int64_t now = clock_unix_ms() / 1000;
	struct account who;

	(void)state;
	OK(store_put_link(&db, uid, "one", now + 3600, &err));
	OK(store_put_link(&db, uid, "one", now + 3600, &err));
	OK(store_put_link(&db, uid, "two", now + 3600, &err));
	OK(store_put_link(&db, uid, "old", now - 1, &err));
	assert_int_equal(store_find_link(&db, "one", &who, &arena, &err), 1);
	assert_string_equal(who.uid, uid);
	assert_int_equal(store_find_link(&db, "old", &who, &arena, &err), 0);
	OK(store_drop_links(&db, uid, &err));
	assert_int_equal(store_lock_link(&db, "two", &who, &arena, &err), 0);
}

/* --- Throttles --------------------------------------------------------------------------------------------------- */

/* Let time pass for a key. */
static void age(const char *key, int seconds)
{
	char *sql = arena_printf(&arena,
	                         "UPDATE auth.tries SET times = ARRAY(SELECT t - %d * interval '1 second'"
	                         " FROM unnest(times) t) WHERE key = '%s'",
	                         seconds, key);
	/* now() stands still within a transaction: the test commits what it does. */
	pg_sql(sql);
}

static void test_failures_are_counted(void **state)
{
	static const struct throttle five = { "test-a", 5, 900, 0 };
	struct db plain;

	(void)state;
	db_init(&plain, pool);
	for (int i = 0; i < 5; i++) {
		OK(throttle_check(&plain, &five, "x", &arena, &err));
		OK(throttle_note(&plain, &five, "x", &arena, &err));
	}
	assert_int_equal(throttle_check(&plain, &five, "x", &arena, &err), -1);
	assert_int_equal(err.code, ERROR_TOO_MANY);
	assert_in_range(err.retry_after, 890, 900);
	error_clear(&err);
	OK(throttle_check(&plain, &five, "y", &arena, &err)); /* somebody else */
	OK(throttle_check(&plain, &five, NULL, &arena, &err));
	age("test-a/x", 899);
	assert_int_equal(throttle_check(&plain, &five, "x", &arena, &err), -1);
	error_clear(&err);
	age("test-a/x", 2);
	OK(throttle_check(&plain, &five, "x", &arena, &err));
	for (int i = 0; i < 4; i++)
		OK(throttle_note(&plain, &five, "x", &arena, &err));
	OK(throttle_check(&plain, &five, "x", &arena,
	                  &err)); /* four fresh ones, and old ones that count no more */
	OK(throttle_note(&plain, &five, "x", &arena, &err));
	assert_int_equal(throttle_check(&plain, &five, "x", &arena, &err), -1);
	error_clear(&err);
	OK(throttle_forget(&plain, &five, "x", &arena, &err));
	OK(throttle_check(&plain, &five, "x", &arena, &err));
	db_done(&plain);
}

/* Let time pass for what flows. */
static void flow_off(const char *key, int seconds)
{
	pg_sql(arena_printf(&arena,
	                    "UPDATE auth.tries SET until = until - %d * interval '1 second' WHERE key = '%s'",
	                    seconds, key));
}

static void test_what_flows(void **state)
{
	static const struct throttle_flow one[] = { { "test-c", 3 } };
	static const struct throttle_flow both[] = { { "test-c", 3 }, { "test-d", 60 } };
	struct db plain;
	int wait = 0;

	(void)state;
	db_init(&plain, pool);
	for (int i = 0; i < 3; i++)
		assert_int_equal(throttle_flow(&plain, one, 1, &wait, &arena, &err), 1);
	assert_int_equal(throttle_flow(&plain, one, 1, &wait, &arena, &err), 0);
	assert_in_range(wait, 15, 20);
	/* Refused by one, it does not count for the other. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(throttle_flow(&plain, both, 2, &wait, &arena, &err), 0);
	assert_int_equal(throttle_flow(&plain, both + 1, 1, &wait, &arena, &err), 1);
	flow_off("test-c", 20);
	assert_int_equal(throttle_flow(&plain, both, 2, &wait, &arena, &err), 1); /* its share of a minute */
	assert_int_equal(throttle_flow(&plain, both, 2, &wait, &arena, &err), 0);
	flow_off("test-c", 86400); /* long ago: as many as at first, and no more */
	for (int i = 0; i < 3; i++)
		assert_int_equal(throttle_flow(&plain, one, 1, &wait, &arena, &err), 1);
	assert_int_equal(throttle_flow(&plain, one, 1, &wait, &arena, &err), 0);
	OK(throttle_sweep(&plain, &err));
	assert_int_equal(throttle_flow(&plain, one, 1, &wait, &arena, &err), 0);
	db_done(&plain);
}

static void test_attempts_are_taken(void **state)
{
	static const struct throttle three = { "test-b", 3, 86400, 60 };
	struct db plain;

	(void)state;
	db_init(&plain, pool);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(throttle_take(&plain, &three, "x", &arena, &err), 1);
		assert_int_equal(throttle_take(&plain, &three, "x", &arena, &err), 0); /* within the minute */
		age("test-b/x", 61);
	}
	assert_int_equal(throttle_take(&plain, &three, "x", &arena, &err), 0); /* enough for a day */
	age("test-b/x", 86400 - 2 * 61);
	assert_int_equal(throttle_take(&plain, &three, "x", &arena, &err), 1);
	OK(throttle_forget(&plain, &three, "x", &arena, &err));
	db_done(&plain);
}

/* --- The keyring ------------------------------------------------------------------------------------------------- */

static void test_a_fresh_key_waits(void **state)
{
	int64_t now = clock_unix_ms() / 1000;
	struct keyring before, after, later;
	struct keystore *ks, *other;
	struct secret wrong = { { 1 } };

	(void)state;
	OK(keystore_open(pool, &secret, &ks, &err));
	OK(keystore_open(pool, &secret, &other, &err));
	assert_int_equal(keystore_ring(ks, "token", now, &before), 1);
	assert_int_equal(keystore_ring(other, "token", now, &after), 1);
	assert_int_equal(before.count, 1);
	assert_memory_equal(&before, &after, sizeof before);
	assert_int_equal(keystore_ring(ks, "lock", now, &after), 0);

	OK(keystore_rotate(other, &err));
	OK(keystore_reload(ks, &err));
	keystore_ring(ks, "token", now + 1, &after);
	assert_int_equal(after.count, 2);
	assert_string_equal(after.keys[0].id, before.keys[0].id); /* still signs */
	keystore_ring(ks, "token", now + KEYSTORE_TOKEN_DELAY + 5, &later);
	assert_string_equal(later.keys[0].id, after.keys[1].id); /* now the fresh one does */
	assert_string_equal(later.keys[1].id, before.keys[0].id);

	assert_int_equal(keystore_open(pool, &wrong, &other, &err), -1);
	error_clear(&err);
	keystore_close(other);
	keystore_close(ks);
	pg_sql("DELETE FROM auth.keyring");
}

static void test_old_token_keys_are_retired(void **state)
{
	int64_t now = clock_unix_ms() / 1000;
	struct keystore *ks;
	struct keyring ring;

	(void)state;
	OK(keystore_open(pool, &secret, &ks, &err));
	for (int i = 0; i < 20; i++)
		OK(keystore_rotate(ks, &err));
	OK(keystore_reload(ks, &err));
	keystore_ring(ks, "token", now + 1000, &ring);
	assert_int_equal(ring.count, 16); /* no more than a ring holds */
	pg_sql("UPDATE auth.keyring SET signs_from = signs_from - interval '32 days'");
	OK(keystore_rotate(ks, &err));
	OK(keystore_reload(ks, &err));
	keystore_ring(ks, "token", now + 1000, &ring);
	assert_int_equal(ring.count, 2); /* the newest of the old, and the fresh one */
	keystore_ring(ks, "storage", now + 1000, &ring);
	assert_int_equal(ring.count, 16);
	keystore_close(ks);
	pg_sql("DELETE FROM auth.keyring");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(test_codes),
		AUTH_TEST(test_codes_expire),
		AUTH_TEST(test_links),
		AUTH_TEST(test_failures_are_counted),
		AUTH_TEST(test_what_flows),
		AUTH_TEST(test_attempts_are_taken),
		AUTH_TEST(test_a_fresh_key_waits),
		AUTH_TEST(test_old_token_keys_are_retired),
	};

	return cmocka_run_group_tests_name("auth_proofs", tests, auth_db_open, auth_db_close);
}
