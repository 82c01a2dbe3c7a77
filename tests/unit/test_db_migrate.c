/* links: tests/unit/pg.c */
#include "common/db/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/pg.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct db_migration first[] = {
	{ 1, "thing", "-- a comment\nCREATE TABLE thing (id int);\nINSERT INTO thing VALUES (1), (2);\n" },
	{ 2, "more", "ALTER TABLE thing ADD name text DEFAULT 'it''s; new';\n" },
};

static int64_t number(const char *sql)
{
	PGconn *pg = PQconnectdb(pg_url());
	PGresult *res = PQexec(pg, sql);
	int64_t n;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	PQfinish(pg);
	return n;
}

static int fresh(void **state)
{
	(void)state;
	pg_schema("test_migrate");
	return 0;
}

static void applied_once_and_in_order(void **state)
{
	struct error err = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		if (db_migrate(pg_url(), "test_migrate", first, round ? 2 : 1, 1000, &err) < 0)
			fail_msg("%s", err.message);
	}
	assert_int_equal(number("SELECT count(*) FROM test_migrate.thing WHERE name = 'it''s; new'"), 2);
	assert_int_equal(number("SELECT count(*) FROM test_migrate.schema_migration"), 2);
}

static void a_changed_text_is_refused(void **state)
{
	struct db_migration changed[] = { first[0], { 2, "more", "ALTER TABLE thing ADD name int;\n" } };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 2, 1000, &err), 0);
	assert_int_equal(db_migrate(pg_url(), "test_migrate", changed, 2, 1000, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_non_null(strstr(err.message, "migration 2 (more)"));
}

static void a_broken_one_leaves_nothing_behind(void **state)
{
	struct db_migration broken[] = {
		first[0], { 2, "oops", "CREATE TABLE half (id int); INSERT INTO half VALUES ('x');" }
	};
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_migrate", broken, 2, 1000, &err), -1);
	assert_non_null(strstr(err.message, "migration 2 (oops)"));
	assert_int_equal(number("SELECT count(*) FROM test_migrate.schema_migration"), 1);
	assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
	error_clear(&err);
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 2, 1000, &err), 0); /* mended */
}

static void what_a_newer_version_applied_is_no_trouble(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 2, 1000, &err), 0);
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 1, 1000, &err), 0);
}

static void *make_the_table(void *arg)
{
	(void)arg;
	usleep(300 * 1000);
	pg_sql("CREATE SCHEMA test_other; CREATE TABLE test_other.users (id int PRIMARY KEY)");
	return NULL;
}

static void waits_for_the_tables_of_others(void **state)
{
	static const struct db_migration needs[] = {
		{ 1, "ref",
		  "-- requires: test_other.users\nCREATE TABLE ref (u int REFERENCES test_other.users);\n" },
	};
	struct error err = { 0 };
	int64_t start = clock_mono_ms();
	pthread_t other;

	(void)state;
	pg_sql("DROP SCHEMA IF EXISTS test_other CASCADE");
	assert_int_equal(db_migrate(pg_url(), "test_migrate", needs, 1, 150, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err.message, "test_other.users"));
	assert_true(clock_mono_ms() - start >= 150);
	error_clear(&err);
	pthread_create(&other, NULL, make_the_table, NULL);
	if (db_migrate(pg_url(), "test_migrate", needs, 1, 10000, &err) < 0)
		fail_msg("%s", err.message);
	pthread_join(other, NULL);
	pg_sql("DROP SCHEMA test_other CASCADE");
}

static void waits_for_the_schema(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_no_such_schema", first, 2, 100, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err.message, "test_no_such_schema"));
	error_clear(&err);
	assert_int_equal(db_migrate("host=/nonexistent", "test_migrate", first, 2, 100, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

static void *migrate_too(void *arg)
{
	static const struct db_migration slow[] = {
		{ 1, "slow", "CREATE TABLE slow (id int); SELECT pg_sleep(0.2);\n" },
	};
	struct error err = { 0 };

	(void)arg;
	return db_migrate(pg_url(), "test_migrate", slow, 1, 10000, &err) < 0 ? (void *)1 : NULL;
}

static void several_replicas_start_at_once(void **state)
{
	pthread_t threads[4];
	void *failed;

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, migrate_too, NULL);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(number("SELECT count(*) FROM test_migrate.schema_migration"), 1);
}

/* --- Listening --------------------------------------------------------------------------------------------------- */

struct heard {
	pthread_mutex_t lock;
	int connects, notes;
	char last[64];
};

static void hear(void *arg, const char *channel, const char *payload)
{
	struct heard *heard = arg;

	pthread_mutex_lock(&heard->lock);
	if (!payload)
		heard->connects++;
	else
		heard->notes++;
	snprintf(heard->last, sizeof heard->last, "%s=%s", channel, payload ? payload : "NULL");
	pthread_mutex_unlock(&heard->lock);
}

static int wait_heard(struct heard *heard, int connects, int notes)
{
	for (int i = 0; i < 300; i++) {
		pthread_mutex_lock(&heard->lock);
		int done = heard->connects >= connects && heard->notes >= notes;
		pthread_mutex_unlock(&heard->lock);
		if (done)
			return 1;
		usleep(10 * 1000);
	}
	return 0;
}

static void notifications_are_heard_also_after_a_break(void **state)
{
	static const char *const channels[] = { "test.one", "test_two", NULL };
	struct heard heard = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct error err = { 0 };
	struct db_listener *l;

	(void)state;
	assert_int_equal(db_listen(pg_url(), channels, hear, &heard, &l, &err), 0);
	assert_true(wait_heard(&heard, 2, 0)); /* once a channel */
	pg_sql("NOTIFY \"test.one\", 'hello'");
	assert_true(wait_heard(&heard, 2, 1));
	assert_string_equal(heard.last, "test.one=hello");
	pg_sql(
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley-listen'");
	assert_true(wait_heard(&heard, 4, 1));
	pg_sql("NOTIFY test_two, 'again'");
	assert_true(wait_heard(&heard, 4, 2));
	assert_string_equal(heard.last, "test_two=again");
	db_listener_free(l);
	pthread_mutex_destroy(&heard.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(applied_once_and_in_order, fresh),
		cmocka_unit_test_setup(a_changed_text_is_refused, fresh),
		cmocka_unit_test_setup(a_broken_one_leaves_nothing_behind, fresh),
		cmocka_unit_test_setup(what_a_newer_version_applied_is_no_trouble, fresh),
		cmocka_unit_test_setup(waits_for_the_tables_of_others, fresh),
		cmocka_unit_test_setup(waits_for_the_schema, fresh),
		cmocka_unit_test_setup(several_replicas_start_at_once, fresh),
		cmocka_unit_test(notifications_are_heard_also_after_a_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
