/* links: tests/unit/pg.c */
#include "common/db/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "integrations.pb-c.h"
#include "rpc.pb-c.h"
#include "tests/unit/pg.h"

static const struct db_stmt statements[] = {
	{ "add", "INSERT INTO item (id, name) VALUES ($1, $2)" },
	{ "add_returning", "INSERT INTO item (id, name) VALUES ($1, $2) RETURNING id" },
	{ "pair", "INSERT INTO pair (item) VALUES ($1)" },
	{ "odd", "INSERT INTO odd (n) VALUES (1)" },
	{ "worker_lost", "SELECT fail('08006')" },
	{ "pair_now", "INSERT INTO pair_now (item) VALUES ($1)" },
	{ "refuse", "SELECT refuse($1)" },
	{ "message", "SELECT name AS message FROM item WHERE id = $1" },
	{ "five", "SELECT n::text AS id FROM generate_series(1, 5) AS n WHERE n > coalesce($1::int, 0)"
	          " ORDER BY n LIMIT $2" },
	{ "get", "SELECT name FROM item WHERE id = $1" },
	{ "rename", "UPDATE item SET name = $2 WHERE id = $1" },
	{ "count", "SELECT count(*) AS n FROM item" },
	{ "echo", "SELECT $1::text AS t, $2::bigint AS i, $3::float8 AS d, $4::bool AS b, $5::bytea AS raw" },
	{ "any", "SELECT count(*) AS n FROM unnest($1::text[]) AS x(v) WHERE v = ANY($2)" },
	{ "session",
	  "SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone,"
	  " current_setting('statement_timeout') AS patience, current_setting('application_name') AS name" },
	{ "nap", "SELECT pg_sleep($1)" },
	{ "kill_me", "SELECT pg_terminate_backend(pg_backend_pid())" },
	{ "kill_me_writing",
	  "INSERT INTO item (id, name) SELECT 77, pg_terminate_backend(pg_backend_pid())::text" },
	{ "divide", "SELECT 1 / $1::int" },
	{ "backend", "SELECT pg_backend_pid() AS pid" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, NULL };

static struct db_pool *pool;

static int open_pool(void **state)
{
	struct db_config config = {
		.url = pg_url(), .schema = "test_db", .connections = 4, .statements = tables
	};
	struct error err = { 0 };

	(void)state;
	pg_schema("test_db");
	pg_sql("CREATE TABLE test_db.item (id bigint PRIMARY KEY, name text NOT NULL,"
	       " CONSTRAINT item_name UNIQUE (name));"
	       "CREATE TABLE test_db.pair (item bigint CONSTRAINT pair_item REFERENCES test_db.item"
	       " DEFERRABLE INITIALLY DEFERRED);"
	       "CREATE TABLE test_db.pair_now (item bigint CONSTRAINT now_item REFERENCES test_db.item);"
	       "CREATE FUNCTION test_db.refuse(words text) RETURNS void LANGUAGE plpgsql AS"
	       " $$ BEGIN RAISE EXCEPTION '%', words USING ERRCODE = '23503'; END $$;"
	       "CREATE FUNCTION test_db.fail(state text) RETURNS void LANGUAGE plpgsql AS"
	       " $$ BEGIN RAISE EXCEPTION 'worker lost' USING ERRCODE = state; END $$;"
	       "CREATE FUNCTION test_db.fail_late() RETURNS trigger LANGUAGE plpgsql AS"
	       " $$ BEGIN PERFORM test_db.fail('XX000'); RETURN NULL; END $$;"
	       "CREATE TABLE test_db.odd (n int);"
	       "CREATE CONSTRAINT TRIGGER odd AFTER INSERT ON test_db.odd DEFERRABLE INITIALLY DEFERRED"
	       " FOR EACH ROW EXECUTE FUNCTION test_db.fail_late()");
	if (db_pool_open(&config, 0, &pool, &err) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", err.message, err.detail);
	return -1;
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	pg_sql("DROP SCHEMA test_db CASCADE");
	return 0;
}

static int64_t count(struct db *db)
{
	struct error err = { 0 };
	PGresult *res;
	int64_t n;

	if (db_exec(db, "count", DB_ARGS(), &res, &err) < 0)
		fail_msg("%s", err.detail);
	n = db_int(res, 0, "n");
	PQclear(res);
	return n;
}

static void values_come_back_as_they_went(void **state)
{
	static const unsigned char raw[] = { 0, 1, 0xff, '\\', '\'' };
	ProtobufCBinaryData bytes = { sizeof raw, (uint8_t *)raw }, none = { 0 }, got;
	struct error err = { 0 };
	struct arena a;
	struct db db;
	PGresult *res;
	const char *text = "it's \"quoted\" \\ \xc3\xa9";
	bool yes = true;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	assert_int_equal(db_exec(&db, "echo", DB_ARGS(text, INT64_MIN, 0.1, yes, bytes), &res, &err), 0);
	assert_string_equal(db_text(res, 0, "t"), text);
	assert_true(db_int(res, 0, "i") == INT64_MIN);
	assert_string_equal(db_text(res, 0, "d"), "0.1");
	assert_string_equal(db_text(res, 0, "b"), "t");
	got = db_bytes(res, 0, "raw", &a);
	assert_int_equal(got.len, sizeof raw);
	assert_memory_equal(got.data, raw, sizeof raw);
	PQclear(res);

	text = NULL;
	assert_int_equal(db_exec(&db, "echo", DB_ARGS(text, 7, 1e300, !yes, none), &res, &err), 0);
	assert_null(db_text(res, 0, "t"));
	assert_true(db_int(res, 0, "t") == 0);
	assert_string_equal(db_text(res, 0, "raw"), "\\x"); /* no bytes are not NULL */
	PQclear(res);
	arena_done(&a);
}

static void text_arrays(void **state)
{
	char *odd[] = { (char *)"a", (char *)"", (char *)"NULL", (char *)"b,\"c\"\\{}" };
	char *second[] = { odd[1], odd[3] };
	struct error err = { 0 };
	struct arena a;
	struct db db;
	PGresult *res;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	assert_string_equal(db_text_array(NULL, 0, &a), "{}");
	assert_int_equal(
	    db_exec(&db, "any", DB_ARGS(db_text_array(odd, 4, &a), db_text_array(second, 2, &a)), &res, &err),
	    0);
	assert_true(db_int(res, 0, "n") == 2);
	PQclear(res);
	arena_done(&a);
}

static void sessions_are_set_up(void **state)
{
	struct error err = { 0 };
	struct db db;
	PGresult *res;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_exec(&db, "session", DB_ARGS(), &res, &err), 0);
	assert_string_equal(db_text(res, 0, "path"), "test_db, public");
	assert_string_equal(db_text(res, 0, "zone"), "UTC");
	assert_string_equal(db_text(res, 0, "patience"), "30s");
	assert_string_equal(db_text(res, 0, "name"), "parley-test_db");
	PQclear(res);
}

static void rows_changed_are_counted(void **state)
{
	struct error err = { 0 };
	struct db db;
	int64_t rows;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	assert_int_equal(db_change(&db, "add", DB_ARGS(1, "one"), &rows, &err), 0);
	assert_true(rows == 1);
	assert_int_equal(db_change(&db, "add_returning", DB_ARGS(2, "two"), &rows, &err), 0);
	assert_true(rows == 1);
	assert_int_equal(db_change(&db, "rename", DB_ARGS(3, "three"), &rows, &err), 0);
	assert_true(rows == 0);
	assert_int_equal(db_exec(&db, "rename", DB_ARGS(2, "zwei"), NULL, &err), 0);
}

static void refusals_can_be_told_apart(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE; INSERT INTO test_db.item VALUES (1, 'one')");
	assert_int_equal(db_exec(&db, "add", DB_ARGS(2, "one"), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_true(db_failed_with(&err, DB_UNIQUE, NULL));
	assert_true(db_failed_with(&err, DB_UNIQUE, "item_name"));
	assert_false(db_failed_with(&err, DB_UNIQUE, "item_nam"));
	assert_false(db_failed_with(&err, DB_UNIQUE, "item_pkey"));
	assert_false(db_failed_with(&err, DB_FOREIGN, NULL));
	assert_null(strstr(err.message, "item")); /* the caller learns nothing of tables */
	error_clear(&err);
	assert_false(db_failed_with(&err, DB_UNIQUE, NULL));
	assert_int_equal(db_exec(&db, "pair_now", DB_ARGS(404), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND); /* what it is to belong to is not there */
	assert_true(db_failed_with(&err, DB_FOREIGN, "now_item"));
	error_clear(&err);
	assert_int_equal(db_exec(&db, "divide", DB_ARGS(0), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
	error_clear(&err);
	assert_int_equal(db_exec(&db, "no_such_statement", DB_ARGS(), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
}

/* A worker of a cluster names the constraint in its words alone, with the number of its shard. */
static void a_constraint_is_known_by_the_name_in_the_message(void **state)
{
	static const struct {
		const char *words, *name;
	} cases[] = {
		{ "violates foreign key constraint \"pair_item_102071\"", "pair_item" },
		{ "violates unique constraint \"item_name\"", "item_name" },
		{ "violates unique constraint \"item_v2_17\"", "item_v2" },
		{ "violates unique constraint \"102071\"", "102071" },
		{ "violates unique constraint \"", "" },
		{ "no name at all", "" },
	};
	struct db db;

	(void)state;
	db_init(&db, pool);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };

		assert_int_equal(db_exec(&db, "refuse", DB_ARGS(cases[i].words), NULL, &err), -1);
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_true(db_failed_with(&err, DB_FOREIGN, cases[i].name));
	}
}

static void one_row_or_none(void **state)
{
	Rpc__Message out = RPC__MESSAGE__INIT;
	struct error err = { 0 };
	struct arena a;
	int64_t n = -1;
	struct db db;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE; INSERT INTO test_db.item VALUES (1, 'one')");
	assert_int_equal(db_one(&db, "message", DB_ARGS(1), &out.base, &a, &err), 1);
	assert_string_equal(out.message, "one");
	assert_int_equal(db_one(&db, "message", DB_ARGS(2), &out.base, &a, &err), 0);
	assert_int_equal(err.code, ERROR_NONE);
	assert_int_equal(db_must_find(1, "item", &err), 0);
	assert_int_equal(db_must_find(0, "item", &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(err.message, "no such item");
	error_clear(&err);
	assert_int_equal(db_one(&db, "divide", DB_ARGS(0), &out.base, &a, &err), -1);
	error_clear(&err);
	assert_int_equal(db_number(&db, "count", DB_ARGS(), &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_number(&db, "get", DB_ARGS(2), &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_changed(&db, "rename", DB_ARGS(1, "uno"), &err), 1);
	assert_int_equal(db_changed(&db, "rename", DB_ARGS(2, "due"), &err), 0);
	arena_done(&a);
}

/* Pages one after another: each item once, none left out, no `next` on the last. */
static void pages_join_without_a_gap(void **state)
{
	static const struct {
		int limit, most, pages;
	} cases[] = { { 0, 100, 1 }, { 2, 100, 3 }, { 5, 100, 1 }, { 4, 3, 2 }, { 1, 100, 5 } };
	struct error err = { 0 };
	struct arena a;
	struct db db;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t seen = 0, pages = 0;
		char *cursor = NULL;

		do {
			Integrations__IntegrationList list = INTEGRATIONS__INTEGRATION_LIST__INIT;

			assert_int_equal(db_page(&db, "five", DB_ARGS(cursor), cases[i].limit, cases[i].most,
			                         &list.base, &a, &err),
			                 0);
			for (size_t k = 0; k < list.n_integrations; k++)
				assert_int_equal(strtol(list.integrations[k]->id, NULL, 10), ++seen);
			cursor = list.next;
		} while (pages++, cursor);
		assert_int_equal(seen, 5);
		assert_int_equal(pages, cases[i].pages);
	}
	arena_done(&a);
}

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
	assert_int_equal(count(&db), 2);
	assert_int_equal(db_commit(&db, &err), 0);
	assert_int_equal(count(&db), 2);

	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(4, "left open"), NULL, &err), 0);
	db_done(&db);
	assert_int_equal(count(&db), 2);
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
	assert_int_equal(count(&db), 0);
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
	assert_int_equal(count(&db), 0);

	/* killed while idle, all of them: nobody notices */
	for (int i = 0; i < 3; i++) {
		pg_sql(
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley-test_db'");
		error_clear(&err);
		if (db_exec(&db, "add", DB_ARGS(i, i ? i == 1 ? "b" : "c" : "a"), NULL, &err) < 0)
			fail_msg("%s: %s", err.message, err.detail);
	}
	assert_int_equal(count(&db), 3);
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
	assert_int_equal(count(&db), 0);

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
	assert_int_equal(count(&db), 1200);
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
	struct db_config config = { "host=/nonexistent", "test_db", 2, tables };
	struct error err = { 0 };
	struct db_pool *none = NULL;
	int64_t start = clock_mono_ms();

	(void)state;
	assert_int_equal(db_pool_open(&config, 0, &none, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_true(clock_mono_ms() - start < 1000);
	error_clear(&err);
	assert_int_equal(db_pool_open(&config, 300, &none, &err), -1);
	assert_true(clock_mono_ms() - start >= 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_as_they_went),
		cmocka_unit_test(text_arrays),
		cmocka_unit_test(sessions_are_set_up),
		cmocka_unit_test(rows_changed_are_counted),
		cmocka_unit_test(refusals_can_be_told_apart),
		cmocka_unit_test(a_constraint_is_known_by_the_name_in_the_message),
		cmocka_unit_test(one_row_or_none),
		cmocka_unit_test(pages_join_without_a_gap),
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

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
