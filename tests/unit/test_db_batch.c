/* links: tests/unit/pg.c */
#include "common/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/pg.h"

static const struct db_stmt statements[] = {
	{ "square", "SELECT $1::bigint * $1::bigint AS n" },
	{ "name", "SELECT 'name ' || $1::bigint AS name" },
	{ "divide", "SELECT 1 / ($1::bigint - $1::bigint) AS n" }, /* fails when run, not when prepared */
	{ "large", "SELECT repeat($1, 100000) AS t" },
	{ "nap", "SELECT pg_sleep(4)" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, NULL };
static struct db_pool *pool;

static int open_pool(void **state)
{
	struct db_config config = { pg_url(), "test_batch", 6, tables };
	struct error err = { 0 };

	(void)state;
	pg_schema("test_batch");
	return db_pool_open(&config, 0, &pool, &err);
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	pg_sql("DROP SCHEMA test_batch CASCADE");
	return 0;
}

struct crowd {
	pthread_t threads[16];
	atomic_int next, wrong, away, other;
	atomic_bool over;
	int rounds;
};

static int is_wrong(const char *stmt, int64_t n, const PGresult *res)
{
	char want[64];

	if (strcmp(stmt, "square") == 0)
		return db_int(res, 0, "n") != n * n;
	if (strcmp(stmt, "large") == 0)
		return strlen(db_text(res, 0, "t")) != 300000;
	snprintf(want, sizeof want, "name %lld", (long long)n);
	return strcmp(db_text(res, 0, "name"), want) != 0;
}

static void *read_all(void *arg)
{
	static const char *const mix[] = { "square", "name", "square", "divide",
		                           "name",   "name", "large",  "square" };
	struct crowd *crowd = arg;
	struct db db;

	db_init(&db, pool);
	for (int i = 0; i < crowd->rounds; i++) {
		int64_t n = atomic_fetch_add(&crowd->next, 1);
		const char *stmt = mix[n % 8];
		struct error err = { 0 };
		PGresult *res = NULL;
		int got = strcmp(stmt, "large") == 0 ? db_exec(&db, stmt, DB_ARGS("abc"), &res, &err)
		                                     : db_exec(&db, stmt, DB_ARGS(n), &res, &err);
		if (strcmp(stmt, "divide") == 0)
			got = got == -1 && strncmp(err.detail, "22012", 5) == 0 ? 0 : -1;
		else if (got == 0 && is_wrong(stmt, n, res))
			atomic_fetch_add(&crowd->wrong, 1);
		if (got < 0)
			atomic_fetch_add(err.code == ERROR_UNAVAILABLE ? &crowd->away : &crowd->other, 1);
		PQclear(res);
	}
	return NULL;
}

static void crowd_start(struct crowd *crowd, int rounds)
{
	*crowd = (struct crowd){ .rounds = rounds };
	for (int i = 0; i < 16; i++)
		pthread_create(&crowd->threads[i], NULL, read_all, crowd);
}

static void crowd_join(struct crowd *crowd)
{
	for (int i = 0; i < 16; i++)
		pthread_join(crowd->threads[i], NULL);
}

/* One that fails takes down with it what was sent after it in the same batch; nobody may notice. */
static void everybody_gets_their_own_answer(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_start(&crowd, 300);
	crowd_join(&crowd);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(crowd.away, 0);
	assert_int_equal(crowd.other, 0);
}

static void reads_survive_broken_connections(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_start(&crowd, 300);
	for (int i = 0; i < 10; i++) {
		pg_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		       " WHERE application_name = 'parley-test_batch'");
		usleep(50 * 1000);
	}
	crowd_join(&crowd);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(crowd.other, 0);
	assert_true(crowd.away < 16); /* hit twice in a row */
}

struct naps {
	atomic_int failed, over;
};

static void *nap(void *arg)
{
	struct naps *naps = arg;
	struct error err = { 0 };
	struct db db;

	db_init(&db, pool);
	if (db_exec(&db, "nap", DB_ARGS(), NULL, &err) < 0)
		atomic_fetch_add(&naps->failed, 1);
	atomic_fetch_add(&naps->over, 1);
	return NULL;
}

/* Two leaders asleep: who queues behind them does not wait for them to wake. */
static void a_slow_read_does_not_hold_up_the_others(void **state)
{
	struct naps naps = { 0 };
	pthread_t threads[3];
	struct db db;

	(void)state;
	db_init(&db, pool);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, nap, &naps);
	usleep(50 * 1000);
	for (int i = 0; i < 10; i++) {
		struct error err = { 0 };

		assert_int_equal(db_exec(&db, "square", DB_ARGS(i), NULL, &err), 0);
	}
	assert_int_equal(naps.over, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(naps.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_their_own_answer),
		cmocka_unit_test(reads_survive_broken_connections),
		cmocka_unit_test(a_slow_read_does_not_hold_up_the_others),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
