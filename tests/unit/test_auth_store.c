/* links: tests/unit/auth_db.c svc-auth/store.c svc-auth/store_keys.c svc-auth/store_proofs.c svc-auth/store_programs.c svc-auth/store_providers.c svc-auth/init.c build/gen/auth.migrations.c tests/unit/pg.c */
#include "tests/unit/auth_db.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "svc-auth/init.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/store_providers.h"
#include "tests/unit/pg.h"

static void test_init_again_changes_nothing(void **state)
{
	int64_t best = INT64_MAX;

	(void)state;
	for (int i = 0; i < 5 && best >= 300; i++) { /* on a busy machine one may take longer */
		int64_t start = clock_mono_ms();

		OK(init_database(pg_url(), &secret, "", 0, &err));
		best = clock_mono_ms() - start < best ? clock_mono_ms() - start : best;
	}
	assert_true(best < 300);
}

/* A dump restored before the roles were there: the services then waited for ever for a schema "that is not ours". */
static void test_init_says_what_a_restore_left_to_others(void **state)
{
	static const struct {
		const char *take, *give, *want;
	} cases[] = {
		{ "ALTER SCHEMA chat OWNER TO CURRENT_USER", "ALTER SCHEMA chat OWNER TO parley_chat",
		  "schema chat belongs to" },
		{ "CREATE TABLE chat.session ()", "DROP TABLE chat.session",
		  "table chat.session belongs to" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pg_sql(cases[i].take);
		assert_int_equal(init_database(pg_url(), &secret, "", 0, &err), -1);
		assert_int_equal(err.code, ERROR_CONFLICT);
		assert_non_null(strstr(err.message, cases[i].want));
		assert_non_null(strstr(err.message, "then restore"));
		error_clear(&err);
		pg_sql(cases[i].give);
		OK(init_database(pg_url(), &secret, "", 0, &err));
	}
}

static void test_accounts(void **state)
{
	struct account who;
	char *uid = auth_db_user("ada@example.com", "phc");
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
	char *uid = auth_db_user("ada@example.com", "one");
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
	char *uid = auth_db_user("boss@example.com", NULL), *session = auth_db_session(uid, NULL);
	struct account who;

	(void)state;
	(void)session;
	OK(store_settle_admin(&db, "boss@example.com", false, &err)); /* not proven: nothing */
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_false(who.admin);
	assert_int_equal(auth_db_revoked(), 0);
	OK(store_set_proven(&db, uid, "boss@example.com", &err));
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_true(who.admin && who.proven);
	/* another one is named: who is it no more must sign in again */
	OK(store_settle_admin(&db, "other@example.com", false, &err));
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_false(who.admin);
	assert_int_equal(auth_db_revoked(), 1);
	OK(store_settle_admin(&db, "boss@example.com", false, &err));
	OK(store_get_account(&db, uid, &who, &arena, &err));
	assert_true(who.admin);
}

static int open_as(const char *uid, const char *password, bool admin)
{
	struct new_session how = { .kind = "token", .hours = 24, .password = password, .admin = admin };
	char id[UUID_TEXT];

	uuid_make(id);
	how.id = id;
	return store_open_session(&db, uid, &how, &err);
}

/* Between looking at an account and opening its session it may change: its token would say what was so before. */
static void test_sessions_open_only_for_the_account_that_was_seen(void **state)
{
	char *uid = auth_db_user("ada@example.com", "one");

	(void)state;
	assert_int_equal(open_as(uid, "other", false), 0);
	assert_int_equal(open_as(uid, NULL, false), 0);
	assert_int_equal(open_as(uid, "one", true), 0);
	assert_int_equal(open_as(uid, "one", false), 1);
	OK(store_set_admin_by_claim(&db, uid, true, "", &err));
	assert_int_equal(open_as(uid, "one", false), 0);
	assert_int_equal(open_as(uid, "one", true), 1);
	OK(store_set_disabled(&db, uid, true, &err));
	assert_int_equal(open_as(uid, "one", true), 0);
}

/* However a session ends, it is revoked: nobody can forget to. */
static void test_ended_sessions_are_revoked(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL), *other = auth_db_user("bob@example.com", NULL);
	char *one = auth_db_session(uid, NULL), *two = auth_db_session(uid, NULL),
	     *three = auth_db_session(uid, NULL);
	Auth__Revocations all = AUTH__REVOCATIONS__INIT;

	(void)state;
	auth_db_session(other, NULL);
	assert_int_equal(store_end_session(&db, other, one, &err), 0); /* not theirs */
	assert_int_equal(auth_db_revoked(), 0);
	assert_int_equal(store_end_session(&db, uid, one, &err), 1);
	assert_int_equal(store_end_session(&db, uid, one, &err), 0);
	assert_int_equal(auth_db_revoked(), 1);
	OK(store_end_sessions(&db, uid, two, &err));
	OK(store_list_revocations(&db, 0, 1000, &all, &arena, &err));
	assert_int_equal(all.n_revoked, 2);
	assert_string_equal(all.revoked[0]->session_id, one);
	assert_string_equal(all.revoked[1]->session_id, three);
	assert_true(all.revoked[0]->until > clock_unix_ms() / 1000 + 86000);
	assert_false(all.has_next);
	OK(store_delete_account(&db, other, &err));
	assert_int_equal(auth_db_revoked(), 3);
}

/* A code that a program, or a thief, had just got would have become a session all the same. */
static void test_with_the_sessions_end_the_codes_that_become_one(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL), *other = auth_db_user("bob@example.com", NULL);
	struct sign_in_code code = { .kind = "program" }, taken;
	char id[UUID_TEXT];

	(void)state;
	uuid_make(id);
	code.id = id;
	OK(store_put_sign_in_code(&db, uid, &code, 60, &err));
	OK(store_put_sign_in_code(&db, other, &code, 60, &err));
	OK(store_end_sessions(&db, uid, NULL, &err));
	assert_int_equal(store_take_sign_in_code(&db, uid, id, &taken, &arena, &err), 0);
	assert_int_equal(store_take_sign_in_code(&db, other, id, &taken, &arena, &err), 1);
}

/* Signed out at the provider within the minute before the frontend exchanged its code: it was signed in all the same. */
static void test_a_provider_ends_codes_too(void **state)
{
	static const struct {
		const char *issuer, *session;
		bool of_other, ends;
	} cases[] = {
		{ "https://a.example", "s1", false, true },  { "https://a.example", "s1", true, false },
		{ "https://a.example", "s2", false, false }, { "https://a.example", NULL, false, true },
		{ "https://b.example", NULL, false, false },
	};
	char *uid = auth_db_user("ada@example.com", NULL), *other = auth_db_user("bob@example.com", NULL);
	struct sign_in_code code = { .kind = "token", .issuer = "https://a.example", .issuer_session = "s1" },
	                    taken;
	int64_t ended;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char id[UUID_TEXT];

		uuid_make(id);
		code.id = id;
		OK(store_put_sign_in_code(&db, uid, &code, 60, &err));
		OK(store_end_provider_sessions(&db, cases[i].of_other ? other : uid, cases[i].issuer,
		                               cases[i].session, &ended, &err));
		assert_int_equal(store_take_sign_in_code(&db, uid, id, &taken, &arena, &err), !cases[i].ends);
	}
}

static void test_revocations_come_in_pages(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
	int64_t after = 0;
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 25; i++)
		auth_db_session(uid, NULL);
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
	char *uid = auth_db_user("ada@example.com", NULL), *other = auth_db_user("bob@example.com", NULL);
	char *one = auth_db_session(uid, NULL), *two = auth_db_session(uid, NULL);
	Auth__SessionList list = AUTH__SESSION_LIST__INIT, rest = AUTH__SESSION_LIST__INIT;

	(void)state;
	auth_db_session(other, NULL);
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

	assert_int_equal(store_add_key(&db, uid, &key, 100, &made, &arena, &err), want);
}

static void test_keys_resolve_while_they_live(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
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
	assert_int_equal(auth_db_revoked(), 0);
	assert_int_equal(store_delete_key(&db, uid, key.id + 1, &err), 0);
	assert_int_equal(store_delete_key(&db, uid, key.id, &err), 1);
	assert_int_equal(auth_db_revoked(), 1);
	assert_int_equal(store_resolve_key(&db, "hash", &key, &arena, &err), 0);
}

static void test_keys_expire(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
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
	char *uid = auth_db_user("ada@example.com", NULL);
	struct new_key key = { .name = "a", .masked = "sk-…1", .provider = "openai", .sealed = "one" };
	Auth__ApiKey made = AUTH__API_KEY__INIT;
	Auth__ProviderKey found = AUTH__PROVIDER_KEY__INIT;

	(void)state;
	assert_int_equal(store_add_key(&db, uid, &key, 100, &made, &arena, &err), 1);
	assert_string_equal(made.value, "sk-…1");
	key.provider = "deepseek";
	key.sealed = "two";
	key.base_url = "https://api.deepseek.com";
	assert_int_equal(store_add_key(&db, uid, &key, 100, &made, &arena, &err), 1);
	assert_int_equal(store_provider_key(&db, uid, "openai", &found, &arena, &err), 1);
	assert_string_equal(found.key, "one");
	assert_int_equal(store_provider_key(&db, uid, NULL, &found, &arena, &err), 1);
	assert_string_equal(found.key, "two");
	assert_string_equal(found.base_url, "https://api.deepseek.com");
	assert_int_equal(store_provider_key(&db, uid, "mistral", &found, &arena, &err), 0);
}

static void test_the_key_named_settings(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);
	const char *masked = NULL;

	(void)state;
	assert_int_equal(store_masked_key(&db, uid, "settings", &masked, &arena, &err), 0);
	add_key(uid, "settings", "one", NULL, 1);
	assert_int_equal(store_masked_key(&db, uid, "settings", &masked, &arena, &err), 1);
	assert_string_equal(masked, "pk_…");
	OK(store_delete_keys_named(&db, uid, "settings", &err));
	assert_int_equal(store_masked_key(&db, uid, "settings", &masked, &arena, &err), 0);
}

static void test_sweep(void **state)
{
	char *uid = auth_db_user("ada@example.com", NULL);

	(void)state;
	auth_db_session(uid, NULL);
	OK(store_put_link(&db, uid, "old", clock_unix_ms() / 1000 - 1, &err));
	OK(store_audit(&db, &(struct audit_row){ .event = "test", .owner = uid }, &err));
	OK(store_sweep(&db, &err));
	assert_int_equal(auth_db_revoked(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(test_init_again_changes_nothing),
		AUTH_TEST(test_init_says_what_a_restore_left_to_others),
		AUTH_TEST(test_accounts),
		AUTH_TEST(test_a_password_changes_only_from_what_it_was),
		AUTH_TEST(test_admin_is_who_has_proven_the_address),
		AUTH_TEST(test_sessions_open_only_for_the_account_that_was_seen),
		AUTH_TEST(test_ended_sessions_are_revoked),
		AUTH_TEST(test_with_the_sessions_end_the_codes_that_become_one),
		AUTH_TEST(test_a_provider_ends_codes_too),
		AUTH_TEST(test_revocations_come_in_pages),
		AUTH_TEST(test_session_list),
		AUTH_TEST(test_keys_resolve_while_they_live),
		AUTH_TEST(test_keys_expire),
		AUTH_TEST(test_provider_keys),
		AUTH_TEST(test_the_key_named_settings),
		AUTH_TEST(test_sweep),
	};

	return cmocka_run_group_tests_name("auth_store", tests, auth_db_open, auth_db_close);
}
