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
#include "tests/unit/pg.h"

/* A PostgreSQL of our own is stopped under writers and readers, in order and by a crash. */

static const struct db_stmt statements[] = {
	{ "add", "INSERT INTO row (id) VALUES ($1)" },
	{ "get", "SELECT id FROM row WHERE id = $1" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, NULL };
static struct db_pool *pool;

static int open_pool(void **state)
{
	struct db_config config = { .schema = "test_fault", .connections = 4, .statements = tables };
	struct error err = { 0 };

	(void)state;
	pg_private();
	config.url = pg_url();
	pg_schema("test_fault");
	pg_sql("CREATE TABLE test_fault.row (id bigint PRIMARY KEY)");
	return db_pool_open(&config, 0, &pool, &err);
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

enum { WRITERS = 6, MOST = 100000 };

/* What a writer was told of each row. */
enum told { NOT_TRIED, DONE, NOT_DONE, UNKNOWN };

struct load {
	pthread_t threads[WRITERS];
	unsigned char told[MOST];
	atomic_int next, wrong_errors, done, slowest_ms, unread;
	atomic_bool over;
};
static struct load load;

static int write_row(struct db *db, int id, struct error *err)
{
	if (id % 2)
		return db_exec(db, "add", DB_ARGS(id), NULL, err);
	if (db_begin(db, err) == 0 && db_exec(db, "add", DB_ARGS(id), NULL, err) == 0 &&
	    db_commit(db, err) == 0)
		return 0;
	db_rollback(db);
	return -1;
}

static void *write_and_read(void *arg)
{
	int id;

	(void)arg;
	while (!atomic_load(&load.over) && (id = atomic_fetch_add(&load.next, 1)) < MOST) {
		int64_t start = clock_mono_ms();
		struct error err = { 0 };
		PGresult *res = NULL;
		struct db db;
		int took;
		db_init(&db, pool);
		if (write_row(&db, id, &err) == 0)
			load.told[id] = DONE;
		else if (err.code == ERROR_UNKNOWN_OUTCOME)
			load.told[id] = UNKNOWN;
		else
			load.told[id] = NOT_DONE;
		if (load.told[id] == NOT_DONE && err.code != ERROR_UNAVAILABLE) {
			fprintf(stderr, "%s: %s\n", error_name(err.code), err.detail);
			atomic_fetch_add(&load.wrong_errors, 1);
		}
		atomic_fetch_add(&load.done, load.told[id] == DONE);
		error_clear(&err);
		if (db_exec(&db, "get", DB_ARGS(id), &res, &err) < 0 && err.code != ERROR_UNAVAILABLE)
			atomic_fetch_add(&load.wrong_errors, 1);
		if (res && load.told[id] == DONE && PQntuples(res) != 1)
			atomic_fetch_add(&load.unread, 1);
		PQclear(res);
		took = (int)(clock_mono_ms() - start);
		if (took > atomic_load(&load.slowest_ms))
			atomic_store(&load.slowest_ms, took);
		usleep(2000);
	}
	return NULL;
}

static int is_there(int id)
{
	struct error err = { 0 };
	PGresult *res;
	struct db db;
	int there;

	db_init(&db, pool);
	if (db_exec(&db, "get", DB_ARGS(id), &res, &err) < 0)
		fail_msg("%s", err.detail);
	there = PQntuples(res);
	PQclear(res);
	return there;
}

static void restart_under_load(int in_order)
{
	int done, counts[4] = { 0 };

	memset(&load, 0, sizeof load);
	pg_sql("TRUNCATE test_fault.row");
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&load.threads[i], NULL, write_and_read, NULL);
	for (int round = 0; round < 3; round++) {
		usleep(300 * 1000);
		pg_stop(in_order);
		assert_false(db_pool_ready(pool));
		usleep(300 * 1000);
		pg_start();
		done = atomic_load(&load.done);
		usleep(1500 * 1000); /* the longest pause between two attempts to connect is 1.25 s */
		assert_true(atomic_load(&load.done) > done);
		assert_true(db_pool_ready(pool));
	}
	atomic_store(&load.over, true);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(load.threads[i], NULL);
	for (int id = 0; id < load.next && id < MOST; id++) {
		counts[load.told[id]]++;
		if (load.told[id] != UNKNOWN && is_there(id) != (load.told[id] == DONE))
			fail_msg("row %d: told %d, there %d", id, load.told[id], is_there(id));
	}
	print_message("%d done, %d not done, %d unknown, slowest %d ms\n", counts[DONE], counts[NOT_DONE],
	              counts[UNKNOWN], load.slowest_ms);
	assert_true(counts[DONE] > 100 && counts[NOT_DONE] > 0);
	assert_true(counts[UNKNOWN] <= 3 * WRITERS); /* at most what was under way at that moment */
	assert_int_equal(load.wrong_errors, 0);
	assert_int_equal(load.unread, 0);
	assert_true(load.slowest_ms < 3000); /* nobody hangs while it is away */
}

static void the_database_is_restarted(void **state)
{
	(void)state;
	restart_under_load(1);
}

static void the_database_crashes(void **state)
{
	(void)state;
	restart_under_load(0);
}

static void calls_fail_fast_while_it_is_away(void **state)
{
	int64_t start, took, worst = 0;
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_stop(1);
	for (int i = 0; i < 50; i++) {
		struct error err = { 0 };
		start = clock_mono_ms();
		assert_int_equal(db_exec(&db, "get", DB_ARGS(1), NULL, &err), -1);
		assert_int_equal(err.code, ERROR_UNAVAILABLE);
		assert_true(err.retry_after >= 1);
		assert_null(strstr(err.message, "socket")); /* no path, no address for the caller */
		took = clock_mono_ms() - start;
		worst = took > worst ? took : worst;
		usleep(10 * 1000);
	}
	assert_true(worst < 200);
	pg_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_is_restarted),
		cmocka_unit_test(the_database_crashes),
		cmocka_unit_test(calls_fail_fast_while_it_is_away),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
