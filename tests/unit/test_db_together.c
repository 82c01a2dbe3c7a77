/* links: tests/unit/pg.c */
#include "common/db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/pg.h"

static const struct db_stmt statements[] = {
	{ "add", "INSERT INTO notes (n) VALUES ($1::bigint)" },
	{ "count", "SELECT count(*) AS n FROM notes" },
	{ "divide", "SELECT 1 / $1::bigint AS n" },
	{ "end_session", "SELECT pg_terminate_backend(pg_backend_pid()) AS n" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, NULL };
static struct db_pool *pool;
static struct db db;
static struct error err;

static int open_pool(void **state)
{
	struct db_config config = {
		.url = pg_url(), .schema = "test_together", .connections = 2, .statements = tables
	};

	(void)state;
	pg_schema("test_together");
	pg_sql("CREATE TABLE test_together.notes (n bigint UNIQUE)");
	return db_pool_open(&config, 0, &pool, &err);
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	pg_sql("DROP SCHEMA test_together CASCADE");
	return 0;
}

static int begin(void **state)
{
	(void)state;
	error_clear(&err);
	db_init(&db, pool);
	pg_sql("TRUNCATE test_together.notes");
	return 0;
}

static int64_t count(void)
{
	int64_t n = -1;

	assert_int_equal(db_number(&db, "count", DB_ARGS(), &n, &err), 0);
	return n;
}

static void test_each_sees_what_came_before(void **state)
{
	struct db_step steps[] = { { "add", DB_ARGS(1) }, { "count", DB_ARGS() }, { "add", DB_ARGS(2) } };

	(void)state;
	for (int i = 0; i < 3; i++) { /* prepared on the way, and then */
		begin(NULL);
		assert_int_equal(db_together(&db, steps, 3, &err), 0);
		assert_int_equal(db_int(steps[1].res, 0, "n"), 1);
		db_steps_done(steps, 3);
		assert_int_equal(count(), 2);
	}
}

static void test_what_fails_undoes_all(void **state)
{
	struct db_step steps[] = { { "add", DB_ARGS(1) }, { "divide", DB_ARGS(0) }, { "add", DB_ARGS(2) } };
	struct db_step twice[] = { { "add", DB_ARGS(1) }, { "add", DB_ARGS(1) } };

	(void)state;
	assert_int_equal(db_together(&db, steps, 3, &err), -1);
	assert_true(db_failed_with(&err, "22012", NULL));
	assert_null(steps[0].res);
	assert_int_equal(count(), 0);
	error_clear(&err);
	assert_int_equal(db_together(&db, twice, 2, &err), -1);
	assert_true(db_failed_with(&err, DB_UNIQUE, NULL));
	assert_int_equal(count(), 0);
}

/* A new connection prepares as it goes: what a failure before it kept from being prepared is prepared the next time. */
static void test_what_fails_on_a_new_connection(void **state)
{
	struct db_step steps[] = { { "divide", DB_ARGS(0) }, { "add", DB_ARGS(1) }, { "add", DB_ARGS(2) } };
	struct db first;

	(void)state;
	db_init(&first, pool);
	assert_int_equal(db_begin(&first, &err), 0); /* so the other one is new */
	assert_int_equal(db_together(&db, steps, 3, &err), -1);
	assert_true(db_failed_with(&err, "22012", NULL));
	error_clear(&err);
	assert_int_equal(db_together(&db, &steps[1], 2, &err), 0);
	db_steps_done(&steps[1], 2);
	assert_int_equal(count(), 2);
	db_rollback(&first);
	db_done(&first);
}

static void test_within_a_transaction(void **state)
{
	struct db_step steps[] = { { "add", DB_ARGS(1) }, { "divide", DB_ARGS(0) } };

	(void)state;
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(7), NULL, &err), 0);
	assert_int_equal(db_together(&db, steps, 2, &err), -1);
	error_clear(&err);
	assert_int_equal(db_together(&db, steps, 1, &err), 0);
	db_steps_done(steps, 1);
	assert_int_equal(db_commit(&db, &err), 0);
	assert_int_equal(count(), 2);
}

/* The connection ends in the middle: certainly nothing was done, and another connection is tried, which ends too. */
static void test_a_connection_that_ends(void **state)
{
	struct db_step steps[] = { { "add", DB_ARGS(1) },
		                   { "end_session", DB_ARGS() },
		                   { "add", DB_ARGS(2) } };

	(void)state;
	assert_int_equal(db_together(&db, steps, 3, &err), -1);
	assert_true(err.code == ERROR_UNAVAILABLE || err.code == ERROR_UNKNOWN_OUTCOME);
	error_clear(&err);
	assert_int_equal(count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_fails_on_a_new_connection, begin),
		cmocka_unit_test_setup(test_each_sees_what_came_before, begin),
		cmocka_unit_test_setup(test_what_fails_undoes_all, begin),
		cmocka_unit_test_setup(test_within_a_transaction, begin),
		cmocka_unit_test_setup(test_a_connection_that_ends, begin),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
