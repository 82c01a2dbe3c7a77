/* links: svc-auth/store.c svc-auth/store_keys.c svc-auth/store_proofs.c svc-auth/throttle.c svc-auth/keystore.c svc-auth/init.c build/gen/auth.migrations.c tests/unit/pg.c */
#include "svc-auth/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/log.h"
#include "svc-auth/init.h"
#include "svc-auth/keystore.h"
#include "svc-auth/throttle.h"
#include "tests/unit/pg.h"

extern const struct db_migration auth_migrations[];
extern const size_t auth_migration_count;

static struct db_pool *pool;
static struct secret secret;
static struct arena arena;
static struct error err;
static struct db db;

/* Fails with the words of the error. */
#define OK(expression)                                                                 \
	do {                                                                           \
		if ((expression) < 0)                                                  \
			fail_msg("%s: %s (%s)", #expression, err.message, err.detail); \
	} while (0)

static int open_pool(void **state)
{
	static const struct db_stmt *const tables[] = { store_statements, store_keys_statements,
		                                        store_proofs_statements, NULL };
	struct db_config config = {
		.url = pg_url(), .schema = "auth", .connections = 2, .statements = tables
	};

	(void)state;
	log_open("test", LOG_ERROR);
	memset(secret.master, 7, sizeof secret.master);
	pg_schema("auth");
	if (init_database(pg_url(), &secret, 0, &err) == 0 &&
	    db_migrate(pg_url(), "auth", auth_migrations, auth_migration_count, 0, &err) == 0 &&
	    db_pool_open(&config, 0, &pool, &err) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", err.message, err.detail);
	return -1;
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

/* Each test in a transaction that is rolled back. */
static int begin(void **state)
{
	(void)state;
	error_clear(&err);
	arena_init(&arena, 0);
	db_init(&db, pool);
	return db_begin(&db, &err);
}

static int end(void **state)
{
	(void)state;
	db_rollback(&db);
	db_done(&db);
	arena_done(&arena);
	return 0;
}

static char *new_user(const char *email, const char *password)
{
	char *uid = arena_alloc(&arena, UUID_TEXT);
	int64_t id = 0;

	uuid_make(uid);
	assert_int_equal(store_add_account(&db, uid, email, "Ada", password, &id, &err), 1);
	assert_true(id > 0);
	return uid;
}

static char *new_session(const char *uid, const char *password)
{
	char *id = arena_alloc(&arena, UUID_TEXT);

	uuid_make(id);
	assert_int_equal(store_open_session(&db, uid, id, 24, "192.0.2.1", "curl", password, &err), 1);
	return id;
}

static size_t revoked(void)
{
	Auth__Revocations all = AUTH__REVOCATIONS__INIT;

	OK(store_list_revocations(&db, 0, 1000, &all, &arena, &err));
	return all.n_revoked;
}

static void test_init_again_changes_nothing(void **state)
{
	int64_t start = clock_mono_ms();

	(void)state;
	OK(init_database(pg_url(), &secret, 0, &err));
	assert_true(clock_mono_ms() - start < 300);
}

static void test_accounts(void **state)
{
	struct account who;
	char *uid = new_user("ada@example.com", "phc");
	int64_t id;

	(void)state;
	assert_int_equal(store_add_account(&db, uid, "ada@example.com", "Eve", NULL, &id, &err), 0);
	assert_int_equal(store_find_account(&db, "ada@example.com", &who, &arena, &err), 1);
	assert_string_equal(who.uid, uid);
	assert_string_equal(who.password, "phc");
	assert_false(who.admin || who.disabled || who.proven);
	assert_string_equal(who.preferences, "{}");
	assert_int_equal(strlen(who.created_at), strlen("2025-01-15T10:30:00.123Z"));
	assert_int_equal(store_find_account(&db, "ADA@example.com", &who, &arena, &err), 0);
	assert_int_equal(store_find_account(&db, "", &who, &arena, &err), 0);
}

static void test_a_password_changes_only_from_what_it_was(void **state)
{
	char *uid = new_user("ada@example.com", "one");
	struct account who;

	(void)state;
	assert_int_equal(store_change_password(&db, uid, "other", "two", &err), 0);
	assert_int_equal(store_change_password(&db, uid, NULL, "two", &err), 0);
	assert_int_equal(store_change_password(&db, uid, "one", "two", &err), 1);
	assert_int_equal(store_get_account(&db, uid, &who, &arena, &err), 1);
	assert_string_equal(who.password, "two");
}

static void test_admin_is_who_has_proven_the_address(void **state)
{
	char *uid = new_user("boss@example.com", NULL), *session = new_session(uid, NULL);
	struct account who;

	(void)state;
	(void)session;
	OK(store_settle_admin(&db, "boss@example.com", &err)); /* not proven: nothing */
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_false(who.admin);
	assert_int_equal(revoked(), 0);
	OK(store_set_proven(&db, uid, "boss@example.com", &err));
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_true(who.admin && who.proven);
	/* another one is named: who is it no more must sign in again */
	OK(store_settle_admin(&db, "other@example.com", &err));
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_false(who.admin);
	assert_int_equal(revoked(), 1);
	OK(store_settle_admin(&db, "boss@example.com", &err));
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_true(who.admin);
}

static void test_sessions_open_only_with_the_password_that_was_checked(void **state)
{
	char *uid = new_user("ada@example.com", "one");
	char id[UUID_TEXT];

	(void)state;
	uuid_make(id);
	assert_int_equal(store_open_session(&db, uid, id, 24, NULL, NULL, "other", &err), 0);
	assert_int_equal(store_open_session(&db, uid, id, 24, NULL, NULL, NULL, &err), 0);
	assert_int_equal(store_open_session(&db, uid, id, 24, NULL, NULL, "one", &err), 1);
	OK(store_set_disabled(&db, uid, true, &err));
	uuid_make(id);
	assert_int_equal(store_open_session(&db, uid, id, 24, NULL, NULL, "one", &err), 0);
}

/* However a session ends, it is revoked: nobody can forget to. */
static void test_ended_sessions_are_revoked(void **state)
{
	char *uid = new_user("ada@example.com", NULL), *other = new_user("bob@example.com", NULL);
	char *one = new_session(uid, NULL), *two = new_session(uid, NULL), *three = new_session(uid, NULL);
	Auth__Revocations all = AUTH__REVOCATIONS__INIT;

	(void)state;
	new_session(other, NULL);
	assert_int_equal(store_end_session(&db, other, one, &err), 0); /* not theirs */
	assert_int_equal(revoked(), 0);
	assert_int_equal(store_end_session(&db, uid, one, &err), 1);
	assert_int_equal(store_end_session(&db, uid, one, &err), 0);
	assert_int_equal(revoked(), 1);
	OK(store_end_sessions(&db, uid, two, &err));
	OK(store_list_revocations(&db, 0, 1000, &all, &arena, &err));
	assert_int_equal(all.n_revoked, 2);
	assert_string_equal(all.revoked[0]->session_id, one);
	assert_string_equal(all.revoked[1]->session_id, three);
	assert_true(all.revoked[0]->until > clock_unix_ms() / 1000 + 86000);
	assert_false(all.has_next);
	OK(store_delete_account(&db, other, &err));
	assert_int_equal(revoked(), 3);
}

static void test_revocations_come_in_pages(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
	int64_t after = 0;
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 25; i++)
		new_session(uid, NULL);
	OK(store_end_sessions(&db, uid, NULL, &err));
	for (int pages = 0; pages < 10; pages++) {
		Auth__Revocations page = AUTH__REVOCATIONS__INIT;

		OK(store_list_revocations(&db, after, 10, &page, &arena, &err));
		seen += page.n_revoked;
		after = page.next;
		if (!page.has_next)
			break;
	}
	assert_int_equal(seen, 25);
}

static void test_session_list(void **state)
{
	char *uid = new_user("ada@example.com", NULL), *other = new_user("bob@example.com", NULL);
	char *one = new_session(uid, NULL), *two = new_session(uid, NULL);
	Auth__SessionList list = AUTH__SESSION_LIST__INIT, rest = AUTH__SESSION_LIST__INIT;

	(void)state;
	new_session(other, NULL);
	OK(store_list_sessions(&db, uid, one, NULL, 1, &list, &arena, &err));
	assert_int_equal(list.n_sessions, 1);
	assert_string_equal(list.sessions[0]->id, two);
	assert_false(list.sessions[0]->current);
	assert_string_equal(list.next, two);
	OK(store_list_sessions(&db, uid, one, list.next, 1, &rest, &arena, &err));
	assert_int_equal(rest.n_sessions, 1);
	assert_true(rest.sessions[0]->current);
	assert_string_equal(rest.sessions[0]->user_agent, "curl");
	assert_null(rest.next);
}

/* --- Keys -------------------------------------------------------------------------------------------------------- */

static void add_key(const char *uid, const char *name, const char *hash, const char *expires_at, int want)
{
	char *scopes[] = { (char *)"chat", (char *)"documents" };
	struct new_key key = { .name = name,
		               .masked = "pk_…",
		               .hash = hash,
		               .prefix = "pk_",
		               .scopes = scopes,
		               .scope_count = 2,
		               .expires_at = expires_at };
	Auth__ApiKey made = AUTH__API_KEY__INIT;

	assert_int_equal(store_add_key(&db, uid, &key, &made, &arena, &err), want);
}

static void test_keys_resolve_while_they_live(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
	Auth__ResolvedKey key = AUTH__RESOLVED_KEY__INIT;
	Auth__ApiKeyList list = AUTH__API_KEY_LIST__INIT;

	(void)state;
	add_key(uid, "mine", "hash", NULL, 1);
	assert_int_equal(store_resolve_key(&db, "hash", &key, &arena, &err), 1);
	assert_string_equal(key.user_id, uid);
	assert_int_equal(key.n_scopes, 2);
	assert_string_equal(key.scopes[1], "documents");
	assert_false(key.has_expires);
	OK(store_list_keys(&db, uid, NULL, 10, &list, &arena, &err));
	assert_non_null(list.keys[0]->last_used_at);
	assert_null(list.keys[0]->value);
	assert_int_equal(store_resolve_key(&db, "other", &key, &arena, &err), 0);
	OK(store_set_disabled(&db, uid, true, &err));
	assert_int_equal(store_resolve_key(&db, "hash", &key, &arena, &err), 0);
	OK(store_set_disabled(&db, uid, false, &err));
	assert_int_equal(store_resolve_key(&db, "hash", &key, &arena, &err), 1);
	assert_int_equal(revoked(), 0);
	assert_int_equal(store_delete_key(&db, uid, key.id + 1, &err), 0);
	assert_int_equal(store_delete_key(&db, uid, key.id, &err), 1);
	assert_int_equal(revoked(), 1);
	assert_int_equal(store_resolve_key(&db, "hash", &key, &arena, &err), 0);
}

static void test_keys_expire(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
	Auth__ResolvedKey key = AUTH__RESOLVED_KEY__INIT;

	(void)state;
	add_key(uid, "past", "past", "2020-01-01T00:00:00Z", 0);
	add_key(uid, "future", "future", "2100-01-01T00:00:00Z", 1);
	assert_int_equal(store_resolve_key(&db, "future", &key, &arena, &err), 1);
	assert_int_equal(key.expires, 4102444800);
	assert_int_equal(store_resolve_key(&db, "past", &key, &arena, &err), 0);
}

static void test_provider_keys(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
	struct new_key key = { .name = "a", .masked = "sk-…1", .provider = "openai", .sealed = "one" };
	Auth__ApiKey made = AUTH__API_KEY__INIT;
	Auth__ProviderKey found = AUTH__PROVIDER_KEY__INIT;

	(void)state;
	assert_int_equal(store_add_key(&db, uid, &key, &made, &arena, &err), 1);
	assert_string_equal(made.value, "sk-…1");
	key.provider = "deepseek";
	key.sealed = "two";
	key.base_url = "https://api.deepseek.com";
	assert_int_equal(store_add_key(&db, uid, &key, &made, &arena, &err), 1);
	assert_int_equal(store_provider_key(&db, uid, "openai", &found, &arena, &err), 1);
	assert_string_equal(found.key, "one");
	assert_int_equal(store_provider_key(&db, uid, NULL, &found, &arena, &err), 1);
	assert_string_equal(found.key, "two");
	assert_string_equal(found.base_url, "https://api.deepseek.com");
	assert_int_equal(store_provider_key(&db, uid, "mistral", &found, &arena, &err), 0);
}

static void test_the_key_named_settings(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
	const char *masked = NULL;

	(void)state;
	assert_int_equal(store_masked_key(&db, uid, "settings", &masked, &arena, &err), 0);
	add_key(uid, "settings", "one", NULL, 1);
	assert_int_equal(store_masked_key(&db, uid, "settings", &masked, &arena, &err), 1);
	assert_string_equal(masked, "pk_…");
	OK(store_delete_keys_named(&db, uid, "settings", &err));
	assert_int_equal(store_masked_key(&db, uid, "settings", &masked, &arena, &err), 0);
}

/* --- Codes, links ------------------------------------------------------------------------------------------------ */

static const char job_a[] = "01900000-0000-7000-8000-00000000000a",
                  job_b[] = "01900000-0000-7000-8000-00000000000b";

static void test_codes(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
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
	char *uid = new_user("ada@example.com", NULL);
	struct stored_code code;

	(void)state;
	assert_int_equal(store_put_code(&db, uid, job_a, "one", clock_unix_ms() / 1000 - 1, &err), 0);
	assert_int_equal(store_lock_code(&db, "ada@example.com", &code, &arena, &err), 0);
}

static void test_links(void **state)
{
	char *uid = new_user("ada@example.com", NULL);
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
	                         "UPDATE auth.throttle SET times = ARRAY(SELECT t - %d * interval '1 second'"
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

static const struct {
	const char *ip, *want;
} clients[] = {
	{ "192.0.2.7", "192.0.2.7" },
	{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
	{ "2001:db8:1:2::1", "2001:db8:1:2::/64" },
	{ "::1", "::/64" },
	{ "::ffff:192.0.2.7", "192.0.2.7" },
	{ "nonsense", "nonsense" },
	{ NULL, NULL },
};

static void test_what_counts_as_one_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
		char *got = throttle_client(clients[i].ip, &arena);

		if (clients[i].want)
			assert_string_equal(got, clients[i].want);
		else
			assert_null(got);
	}
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

static void test_sweep(void **state)
{
	char *uid = new_user("ada@example.com", NULL);

	(void)state;
	new_session(uid, NULL);
	OK(store_put_link(&db, uid, "old", clock_unix_ms() / 1000 - 1, &err));
	OK(store_audit(&db, &(struct audit_row){ .event = "test", .owner = uid }, &err));
	OK(store_sweep(&db, &err));
	assert_int_equal(revoked(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_init_again_changes_nothing),
		TEST(test_accounts),
		TEST(test_a_password_changes_only_from_what_it_was),
		TEST(test_admin_is_who_has_proven_the_address),
		TEST(test_sessions_open_only_with_the_password_that_was_checked),
		TEST(test_ended_sessions_are_revoked),
		TEST(test_revocations_come_in_pages),
		TEST(test_session_list),
		TEST(test_keys_resolve_while_they_live),
		TEST(test_keys_expire),
		TEST(test_provider_keys),
		TEST(test_the_key_named_settings),
		TEST(test_codes),
		TEST(test_codes_expire),
		TEST(test_links),
		TEST(test_failures_are_counted),
		TEST(test_attempts_are_taken),
		TEST(test_what_counts_as_one_client),
		TEST(test_a_fresh_key_waits),
		TEST(test_old_token_keys_are_retired),
		TEST(test_sweep),
	};

	return cmocka_run_group_tests_name("auth_store", tests, open_pool, close_pool);
}
