/* links: tests/unit/db_rig.c tests/unit/pg.c */
#include "tests/unit/db_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

static void transactions_nest(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(1, "outer"), NULL, &err), 0);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(2, "inner, undone"), NULL, &err), 0);
	db_rollback(&db);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(1, "a clash"), NULL, &err), -1);
	error_clear(&err);
	db_rollback(&db); /* the outer one lives on */
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(3, "inner, kept"), NULL, &err), 0);
	assert_int_equal(db_commit(&db, &err), 0);
	assert_int_equal(db_rig_count(&db), 2);
	assert_int_equal(db_commit(&db, &err), 0);
	assert_int_equal(db_rig_count(&db), 2);

	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(4, "left open"), NULL, &err), 0);
	db_done(&db);
	assert_int_equal(db_rig_count(&db), 2);
	db_rollback(&db); /* of nothing: harmless */
}

static void a_failed_transaction_does_not_commit(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(1, "one"), NULL, &err), 0);
	assert_int_equal(db_exec(&db, "divide", DB_ARGS(0), NULL, &err), -1);
	error_clear(&err);
	assert_int_equal(db_commit(&db, &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
	db_rollback(&db);
	assert_int_equal(db_rig_count(&db), 0);
}

static void a_commit_can_be_refused(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "pair", DB_ARGS(404), NULL, &err), 0);
	assert_int_equal(db_commit(&db, &err), -1);
	assert_true(db_failed_with(&err, DB_FOREIGN, "pair_item"));
	db_rollback(&db);
	error_clear(&err);
	assert_int_equal(db_begin(&db, &err), 0); /* and the pool is as before */
	assert_int_equal(db_commit(&db, &err), 0);
}

/* pg_terminate_backend on oneself: the answer is FATAL 57P01, and nothing was done. */
static void a_broken_connection_is_replaced(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	assert_int_equal(db_exec(&db, "kill_me_writing", DB_ARGS(), NULL, &err),
	                 -1); /* twice: retried once */
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_true(err.retry_after > 0);
	assert_int_equal(db_rig_count(&db), 0);

	/* killed while idle, all of them: nobody notices */
	for (int i = 0; i < 3; i++) {
		pg_sql(
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley-test_db'");
		error_clear(&err);
		if (db_exec(&db, "add", DB_ARGS(i, i ? i == 1 ? "b" : "c" : "a"), NULL, &err) < 0)
			fail_msg("%s: %s", err.message, err.detail);
	}
	assert_int_equal(db_rig_count(&db), 3);
	assert_true(db_pool_ready(pool));
}

static void a_broken_transaction_is_unavailable(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(1, "one"), NULL, &err), 0);
	assert_int_equal(db_exec(&db, "kill_me", DB_ARGS(), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	db_rollback(&db);
	error_clear(&err);
	assert_int_equal(db_rig_count(&db), 0);

	/* lost at the very end: who knows */
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(1, "one"), NULL, &err), 0);
	pg_sql(
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley-test_db'");
	assert_int_equal(db_commit(&db, &err), -1);
	assert_int_equal(err.code, ERROR_UNKNOWN_OUTCOME);
	db_rollback(&db);
}

/* A cluster that loses a worker while it commits says XX000, and may have written. */
static void a_commit_that_confuses_the_database_is_of_unknown_outcome(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "odd", DB_ARGS(), NULL, &err), 0);
	assert_int_equal(db_commit(&db, &err), -1);
	assert_int_equal(err.code, ERROR_UNKNOWN_OUTCOME);
	db_rollback(&db);
}

static char said[64];

static void say(void *arg)
{
	strcat(said, arg);
}

static void what_waits_for_the_commit_is_never_said_after_a_rollback(void **state)
{
	struct db_after a, b, c, d;
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	said[0] = '\0';
	assert_int_equal(db_begin(&db, &err), 0);
	db_after_commit(&db, &a, say, (char *)"a");
	assert_int_equal(db_begin(&db, &err), 0);
	db_after_commit(&db, &b, say, (char *)"b");
	db_rollback(&db); /* of the inner one */
	assert_int_equal(db_begin(&db, &err), 0);
	db_after_commit(&db, &c, say, (char *)"c");
	assert_int_equal(db_commit(&db, &err), 0);
	assert_string_equal(said, "");
	assert_int_equal(db_commit(&db, &err), 0);
	assert_string_equal(said, "ac");
	assert_int_equal(db_begin(&db, &err), 0);
	db_after_commit(&db, &a, say, (char *)"A");
	assert_int_equal(db_begin(&db, &err), 0);
	db_after_commit(&db, &b, say, (char *)"B");
	assert_int_equal(db_commit(&db, &err), 0);
	db_done(&db); /* all of it */
	assert_string_equal(said, "ac");
	db_after_commit(&db, &d, say, (char *)"d"); /* outside of a transaction */
	assert_string_equal(said, "acd");
}

static int64_t pid_of(struct db *db)
{
	struct error err = { 0 };
	int64_t pid = 0;

	assert_int_equal(db_number(db, "backend", DB_ARGS(), &pid, &err), 0);
	return pid;
}

/* A coordinator whose worker is down says 08006 on a connection that is sound: nobody else's is closed for that. */
static void a_lost_worker_does_not_empty_the_pool(void **state)
{
	struct error err = { 0 };
	struct db db;
	int64_t pid;

	(void)state;
	db_init(&db, pool);
	pid = pid_of(&db);
	assert_int_equal(db_exec(&db, "worker_lost", DB_ARGS(), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_int_equal(pid_of(&db), pid);
}

struct crowd {
	atomic_int failed;
};

static void *add_and_read(void *arg)
{
	struct crowd *crowd = arg;
	static atomic_int next = 1000;

	for (int i = 0; i < 100; i++) {
		struct error err = { 0 };
		char name[32];
		int id = atomic_fetch_add(&next, 1);
		PGresult *res = NULL;
		struct db db;
		db_init(&db, pool);
		snprintf(name, sizeof name, "n%d", id);
		if (i % 2 && db_begin(&db, &err) < 0)
			atomic_fetch_add(&crowd->failed, 1);
		if (db_exec(&db, "add", DB_ARGS(id, (const char *)name), NULL, &err) < 0 ||
		    db_exec(&db, "get", DB_ARGS(id), &res, &err) < 0 ||
		    strcmp(db_text(res, 0, "name"), name) != 0)
			atomic_fetch_add(&crowd->failed, 1);
		PQclear(res);
		if (i % 2 && db_commit(&db, &err) < 0)
			atomic_fetch_add(&crowd->failed, 1);
		db_done(&db);
	}
	return NULL;
}

static void many_threads_share_few_connections(void **state)
{
	struct crowd crowd = { 0 };
	pthread_t threads[12];
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	for (int i = 0; i < 12; i++)
		pthread_create(&threads[i], NULL, add_and_read, &crowd);
	for (int i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.failed, 0);
	assert_int_equal(db_rig_count(&db), 1200);
}

static void bad_statements_stop_the_start(void **state)
{
	static const struct db_stmt typo[] = { { "fine", "SELECT 1" }, { "typo", "SELEC 1" }, { 0 } };
	static const struct db_stmt twice[] = { { "same", "SELECT 1" }, { "same", "SELECT 2" }, { 0 } };
	const struct db_stmt *const lists[][2] = { { typo, NULL }, { twice, NULL } };
	static const char *const want[] = { "typo", "same" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct db_config config = { pg_url(), "test_db", 2, lists[i] };
		struct error err = { 0 };
		struct db_pool *none = NULL;
		assert_int_equal(db_pool_open(&config, 0, &none, &err), -1);
		assert_non_null(strstr(err.detail, want[i]));
		assert_null(none);
	}
}

static void no_database_is_told_at_once(void **state)
{
	struct db_config config = { "host=/nonexistent", "test_db", 2, db_rig_tables };
	struct error err = { 0 };
	struct db_pool *none = NULL;
	int64_t start = clock_mono_ms();

	(void)state;
	assert_int_equal(db_pool_open(&config, 0, &none, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_true(clock_mono_ms() - start < 5000);
	error_clear(&err);
	assert_int_equal(db_pool_open(&config, 300, &none, &err), -1);
	assert_true(clock_mono_ms() - start >= 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions_nest),
		cmocka_unit_test(a_failed_transaction_does_not_commit),
		cmocka_unit_test(a_commit_can_be_refused),
		cmocka_unit_test(a_broken_connection_is_replaced),
		cmocka_unit_test(a_broken_transaction_is_unavailable),
		cmocka_unit_test(a_commit_that_confuses_the_database_is_of_unknown_outcome),
		cmocka_unit_test(what_waits_for_the_commit_is_never_said_after_a_rollback),
		cmocka_unit_test(a_lost_worker_does_not_empty_the_pool),
		cmocka_unit_test(many_threads_share_few_connections),
		cmocka_unit_test(bad_statements_stop_the_start),
		cmocka_unit_test(no_database_is_told_at_once),
	};

	return cmocka_run_group_tests_name("db fate", tests, db_rig_open, db_rig_close);
}
