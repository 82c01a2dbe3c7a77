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
#include "common/db/internal.h"
#include "tests/unit/pg.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define THING                                                                                          \
	{                                                                                              \
		1, "thing",                                                                            \
		    "-- a comment\nCREATE TABLE thing (id int);\nINSERT INTO thing VALUES (1), (2);\n" \
	}

static const struct db_migration older[] = { THING, { 0 } };
static const struct db_migration first[] = {
	THING,
	{ 2, "more", "ALTER TABLE thing ADD name text DEFAULT 'it''s; new';\n" },
	{ 0 },
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
		if (db_migrate(pg_url(), "test_migrate", round ? first : older, 1000, &err) < 0)
			fail_msg("%s", err.message);
	}
	assert_int_equal(number("SELECT count(*) FROM test_migrate.thing WHERE name = 'it''s; new'"), 2);
	assert_int_equal(number("SELECT count(*) FROM test_migrate.schema_migration"), 2);
}

static void a_changed_text_is_refused(void **state)
{
	struct db_migration changed[] = { THING, { 2, "more", "ALTER TABLE thing ADD name int;\n" }, { 0 } };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 1000, &err), 0);
	assert_int_equal(db_migrate(pg_url(), "test_migrate", changed, 1000, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_non_null(strstr(err.message, "migration 2 (more)"));
}

static void a_broken_one_leaves_nothing_behind(void **state)
{
	struct db_migration broken[] = {
		THING,
		{ 2, "oops", "CREATE TABLE half (id int); INSERT INTO half VALUES ('x');" },
		{ 0 },
	};
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_migrate", broken, 1000, &err), -1);
	assert_non_null(strstr(err.message, "migration 2 (oops)"));
	assert_int_equal(number("SELECT count(*) FROM test_migrate.schema_migration"), 1);
	assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
	error_clear(&err);
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 1000, &err), 0); /* mended */
}

static void what_a_newer_version_applied_is_no_trouble(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_migrate", first, 1000, &err), 0);
	assert_int_equal(db_migrate(pg_url(), "test_migrate", older, 1000, &err), 0);
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
		{ 0 },
	};
	struct error err = { 0 };
	int64_t start = clock_mono_ms();
	pthread_t other;

	(void)state;
	pg_sql("DROP SCHEMA IF EXISTS test_other CASCADE");
	assert_int_equal(db_migrate(pg_url(), "test_migrate", needs, 150, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err.message, "test_other.users"));
	assert_true(clock_mono_ms() - start >= 150);
	error_clear(&err);
	pthread_create(&other, NULL, make_the_table, NULL);
	if (db_migrate(pg_url(), "test_migrate", needs, 10000, &err) < 0)
		fail_msg("%s", err.message);
	pthread_join(other, NULL);
	pg_sql("DROP SCHEMA test_other CASCADE");
}

static void waits_for_the_schema(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(db_migrate(pg_url(), "test_no_such_schema", first, 100, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err.message, "test_no_such_schema"));
	error_clear(&err);
	assert_int_equal(db_migrate("host=/nonexistent", "test_migrate", first, 100, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

static void *migrate_too(void *arg)
{
	static const struct db_migration slow[] = {
		{ 1, "slow", "CREATE TABLE slow (id int); SELECT pg_sleep(0.2);\n" },
		{ 0 },
	};
	struct error err = { 0 };

	(void)arg;
	return db_migrate(pg_url(), "test_migrate", slow, 10000, &err) < 0 ? (void *)1 : NULL;
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

/* Each of two services locks a table of its own and then one of the other's: one after the other they are no trouble. */
static void *migrate_across(void *arg)
{
	static const struct db_migration one[] = {
		{ 1, "one",
		  "ALTER TABLE thing ADD a int; SELECT pg_sleep(0.1);"
		  " ALTER TABLE test_migrate_b.thing ADD a int" },
		{ 0 },
	};
	static const struct db_migration two[] = {
		{ 1, "two",
		  "ALTER TABLE thing ADD b int; SELECT pg_sleep(0.1);"
		  " ALTER TABLE test_migrate.thing ADD b int" },
		{ 0 },
	};
	struct error err = { 0 };
	int failed =
	    db_migrate(pg_url(), arg ? "test_migrate_b" : "test_migrate", arg ? two : one, 10000, &err);

	if (failed)
		fprintf(stderr, "%s\n", err.message);
	return failed ? (void *)1 : NULL;
}

static void two_services_that_start_at_once_do_not_deadlock(void **state)
{
	pthread_t threads[2];
	void *failed;

	(void)state;
	pg_schema("test_migrate_b");
	pg_sql("CREATE TABLE test_migrate.thing (); CREATE TABLE test_migrate_b.thing ()");
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, migrate_across, i ? "b" : NULL);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	pg_sql("DROP SCHEMA test_migrate_b CASCADE");
}

static void sql_is_split_where_statements_end(void **state)
{
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{ "", "" },
		{ " ;; -- nothing\n/* at ; all */ ", "" },
		{ "A; B", "A|B" },
		{ "-- a; comment\nA;\n\nB ;", "A|B " },
		{ "A ';' ; B", "A ';' |B" },
		{ "A 'it''s; x'; B", "A 'it''s; x'|B" },
		{ "A '\\'; B", "A '\\'|B" },
		{ "A E'\\';'; B", "A E'\\';'|B" },
		{ "A typE'\\'; B", "A typE'\\'|B" },
		{ "A \"odd;name\"; B", "A \"odd;name\"|B" },
		{ "A $$ x; 'y $$; B", "A $$ x; 'y $$|B" },
		{ "A $f$ x; $$ ; $$ $f$; B", "A $f$ x; $$ ; $$ $f$|B" },
		{ "A $1; B $2 c$d$e; C", "A $1|B $2 c$d$e|C" },
		{ "A /* ; /* ; */ ; */ x; B", "A /* ; /* ; */ ; */ x|B" },
		{ "A - 1; B -- ;", "A - 1|B -- ;" },
		{ "A 'no end; B", "A 'no end; B" },
		{ "A $$ no end; B", "A $$ no end; B" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *sql = cases[i].sql, *stmt;
		char got[200] = "";
		size_t length;

		while ((length = db_next_statement(&sql, &stmt)) > 0) {
			if (*got)
				strcat(got, "|");
			strncat(got, stmt, length);
		}
		assert_string_equal(got, cases[i].want);
	}
}

/* What the build says of migrations with such names. */
static void numbers_below_100_are_not_a_services(void **state)
{
	static const struct {
		const char *files, *want;
	} cases[] = {
		{ "svc-x/migrations/100_a.sql svc-x/migrations/101_b.sql common/a/001_c.sql", "" },
		{ "svc-x/migrations/099_a.sql", "begin at 100" },
		{ "common/a/100_a.sql", "numbered below 100" },
		{ "svc-x/migrations/100_a.sql svc-x/migrations/100_b.sql", "is taken by" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char command[600], said[400] = "";
		FILE *out;
		int status;

		snprintf(
		    command, sizeof command,
		    "root=$PWD; dir=$(mktemp -d); cd $dir && mkdir -p svc-x/migrations common/a && touch %s &&"
		    " bash $root/common/build/migrations.sh x 2>&1 >/dev/null; rc=$?; rm -r $dir; exit $rc",
		    cases[i].files);
		out = popen(command, "r");
		assert_non_null(out);
		said[fread(said, 1, sizeof said - 1, out)] = '\0';
		status = pclose(out);
		assert_int_equal(status != 0, *cases[i].want != '\0');
		assert_non_null(strstr(said, cases[i].want));
	}
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
		cmocka_unit_test_setup(two_services_that_start_at_once_do_not_deadlock, fresh),
		cmocka_unit_test(sql_is_split_where_statements_end),
		cmocka_unit_test(numbers_below_100_are_not_a_services),
		cmocka_unit_test(notifications_are_heard_also_after_a_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
