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

#include "common/base/fiber.h"
#include "tests/unit/pg.h"

static const struct db_stmt statements[] = {
	{ "square", "SELECT $1::bigint * $1::bigint AS n" },
	{ "name", "SELECT 'name ' || $1::bigint AS name" },
	{ "divide", "SELECT 1 / ($1::bigint - $1::bigint) AS n" }, /* fails when run, not when prepared */
	{ "large", "SELECT repeat($1, 100000) AS t" },
	{ "note", "INSERT INTO notes (n) VALUES ($1::bigint) RETURNING n" },
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
	pg_sql("CREATE TABLE test_batch.notes (n bigint)");
	return db_pool_open(&config, 0, &pool, &err);
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	pg_sql("DROP SCHEMA test_batch CASCADE");
	return 0;
}

/* A thread with fibers, as service_crew.c has. */
enum { THREADS = 3, FIBERS = 12 };

struct crowd {
	pthread_t threads[THREADS];
	atomic_int next, wrong, away, other;
	int rounds;
};

static int is_wrong(const char *stmt, int64_t n, const PGresult *res)
{
	char want[64];

	if (strcmp(stmt, "square") == 0)
		return db_int(res, 0, "n") != n * n;
	if (strcmp(stmt, "note") == 0)
		return db_int(res, 0, "n") != n;
	if (strcmp(stmt, "large") == 0)
		return strlen(db_text(res, 0, "t")) != 300000;
	snprintf(want, sizeof want, "name %lld", (long long)n);
	return strcmp(db_text(res, 0, "name"), want) != 0;
}

/* Outside a transaction, in one, or a write: only the first kind waits for others. */
static int run(struct db *db, const char *stmt, int64_t n, PGresult **res, struct error *err)
{
	bool in_transaction = n % 11 == 0;
	int got;

	if (in_transaction && db_begin(db, err) < 0)
		return -1;
	got = strcmp(stmt, "large") == 0 ? db_exec(db, stmt, DB_ARGS("abc"), res, err)
	                                 : db_exec(db, stmt, DB_ARGS(n), res, err);
	if (in_transaction && got == 0)
		got = db_commit(db, err);
	if (in_transaction && got < 0)
		db_rollback(db);
	return got;
}

static void read_once(void *arg)
{
	static const char *const mix[] = { "square", "name", "square", "divide",
		                           "name",   "note", "large",  "square" };
	struct crowd *crowd = arg;
	int64_t n = atomic_fetch_add(&crowd->next, 1);
	const char *stmt = mix[n % 8];
	struct error err = { 0 };
	PGresult *res = NULL;
	struct db db;
	int got;

	db_init(&db, pool);
	got = run(&db, stmt, n, &res, &err);
	if (strcmp(stmt, "divide") == 0 && got < 0 && strncmp(err.detail, "22012", 5) == 0)
		got = 0;
	else if (got == 0 && is_wrong(stmt, n, res))
		atomic_fetch_add(&crowd->wrong, 1);
	if (got < 0)
		atomic_fetch_add(err.code == ERROR_UNAVAILABLE ? &crowd->away : &crowd->other, 1);
	PQclear(res);
}

static void *read_all(void *arg)
{
	struct fiber *fibers[FIBERS];
	bool paused[FIBERS] = { 0 };
	struct db_batch batch = { .count = 0 };
	struct crowd *crowd = arg;

	db_batch_gather(&batch);
	for (int i = 0; i < FIBERS; i++)
		fibers[i] = fiber_new();
	for (int round = 0; round < crowd->rounds; round++) {
		for (int i = 0; i < FIBERS; i++)
			paused[i] = fiber_start(fibers[i], read_once, crowd);
		db_batch_run(&batch);
		for (int i = 0; i < FIBERS; i++)
			if (paused[i] && fiber_resume(fibers[i])) /* one read each */
				atomic_fetch_add(&crowd->wrong, 1);
	}
	for (int i = 0; i < FIBERS; i++)
		fiber_free(fibers[i]);
	db_batch_gather(NULL);
	return NULL;
}

static void crowd_start(struct crowd *crowd, int rounds)
{
	*crowd = (struct crowd){ .rounds = rounds };
	for (int i = 0; i < THREADS; i++)
		pthread_create(&crowd->threads[i], NULL, read_all, crowd);
}

static void crowd_join(struct crowd *crowd)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(crowd->threads[i], NULL);
}

/* One that fails takes down with it what was sent after it in the same batch; nobody may notice. */
static void everybody_gets_their_own_answer(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_start(&crowd, 100);
	crowd_join(&crowd);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(crowd.away, 0);
	assert_int_equal(crowd.other, 0);
}

/* Reads do not notice; of a write or a transaction that was under way nobody can tell. */
static void reads_survive_broken_connections(void **state)
{
	enum { BLOWS = 10 };
	struct crowd crowd;

	(void)state;
	crowd_start(&crowd, 100);
	for (int i = 0; i < BLOWS; i++) {
		pg_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		       " WHERE application_name = 'parley-test_batch'");
		usleep(50 * 1000);
	}
	crowd_join(&crowd);
	assert_int_equal(crowd.wrong, 0);
	assert_in_range(crowd.other, 0, BLOWS * THREADS);
	assert_in_range(crowd.away, 0, BLOWS * THREADS);
}

/* A thread without fibers, or a fiber of a thread that gathers nothing, reads at once. */
static void nobody_waits_for_a_batch_that_never_goes(void **state)
{
	struct crowd crowd = { .rounds = 0 };
	struct fiber *f = fiber_new();

	(void)state;
	read_once(&crowd);
	assert_false(fiber_start(f, read_once, &crowd));
	assert_int_equal(crowd.wrong + crowd.away + crowd.other, 0);
	assert_int_equal(crowd.next, 2);
	fiber_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_their_own_answer),
		cmocka_unit_test(reads_survive_broken_connections),
		cmocka_unit_test(nobody_waits_for_a_batch_that_never_goes),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
