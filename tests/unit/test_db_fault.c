/* links: tests/unit/pg.c */
#include "common/db/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
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
	{ "backend", "SELECT pg_backend_pid() AS pid" },
	{ "large", "SELECT octet_length($1::text) AS n" },
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

/* The process behind the connection that is borrowed next. */
static pid_t backend(struct db *db)
{
	struct error err = { 0 };
	int64_t pid = 0;

	if (db_number(db, "backend", DB_ARGS(), &pid, &err) < 0)
		fail_msg("%s", err.detail);
	return (pid_t)pid;
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

/* The longest pause between two attempts to connect is 1.25 s. */
static int becomes_ready(void)
{
	for (int i = 0; i < 500; i++) {
		if (db_pool_ready(pool))
			return 1;
		usleep(10 * 1000);
	}
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

/* Until `more` rows more are written. */
static int goes_on(int more)
{
	int from = atomic_load(&load.done);

	for (int i = 0; i < 1000; i++) {
		if (atomic_load(&load.done) >= from + more)
			return 1;
		usleep(5 * 1000);
	}
	return 0;
}

/* A pool whose connections are all in somebody's hands has to be believed for a moment. */
static int says_that_it_is_away(void)
{
	for (int i = 0; i < 400; i++) {
		if (!db_pool_ready(pool))
			return 1;
		usleep(5 * 1000);
	}
	return 0;
}

static void restart_under_load(int in_order)
{
	int counts[4] = { 0 };

	memset(&load, 0, sizeof load);
	pg_sql("TRUNCATE test_fault.row");
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&load.threads[i], NULL, write_and_read, NULL);
	for (int round = 0; round < 3; round++) {
		assert_true(goes_on(100));
		pg_stop(in_order);
		assert_true(says_that_it_is_away());
		usleep(100 * 1000); /* away for a while */
		pg_start();
		assert_true(goes_on(1));
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
	assert_true(counts[DONE] >= 300 && counts[NOT_DONE] > 0);
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
		assert_null(strstr(err.message, "socket"));    /* no path, no address for the caller */
		assert_non_null(strstr(err.detail, "socket")); /* but for the log, each time */
		took = clock_mono_ms() - start;
		worst = took > worst ? took : worst;
		usleep(10 * 1000);
	}
	assert_true(worst < 200);
	pg_start();
	assert_true(becomes_ready());
}

/* A backend that is stopped says nothing for ever: nobody waits for it past their time. */
static void a_stopped_backend_holds_nobody_up(void **state)
{
	struct error err = { 0 };
	PGresult *res = NULL;
	int64_t start;
	pid_t stopped;
	struct db db;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700000), NULL, &err), 0); /* prepared */
	stopped = backend(&db);
	kill(stopped, SIGSTOP);
	start = clock_mono_ms();
	db.until = start + 200;
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700001), NULL, &err), -1);
	assert_in_range(clock_mono_ms() - start, 190, 3000);
	assert_int_equal(err.code, ERROR_UNKNOWN_OUTCOME); /* it may write it once it goes on */
	error_clear(&err);
	db.until = 0;
	assert_int_not_equal(backend(&db), stopped); /* and the next one has another */
	kill(stopped, SIGCONT);

	stopped = backend(&db);
	kill(stopped, SIGSTOP); /* a read has nothing to lose, but its time is up, too */
	db.until = clock_mono_ms() + 200;
	assert_int_equal(db_exec(&db, "get", DB_ARGS(1), &res, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	error_clear(&err);
	assert_true(db_pool_ready(pool)); /* the others are well */
	kill(stopped, SIGCONT);
}

/* What does not fit the socket's buffers waits for the backend to read. */
static void a_stopped_backend_holds_no_sender_up(void **state)
{
	enum { SIZE = 8 * 1024 * 1024 };
	char *large = malloc(SIZE);
	struct error err = { 0 };
	PGresult *res = NULL;
	pid_t stopped;
	struct db db;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', SIZE - 1);
	large[SIZE - 1] = '\0';
	db_init(&db, pool);
	assert_int_equal(db_exec(&db, "large", DB_ARGS((const char *)large), &res, &err), 0);
	assert_int_equal(db_int(res, 0, "n"), SIZE - 1); /* all of it travels, when it does */
	PQclear(res);
	stopped = backend(&db);
	kill(stopped, SIGSTOP);
	db.until = clock_mono_ms() + 200;
	assert_int_equal(db_exec(&db, "large", DB_ARGS((const char *)large), &res, &err), -1);
	assert_true(clock_mono_ms() < db.until + 5000);
	kill(stopped, SIGCONT);
	free(large);
}

static void a_stopped_backend_ends_the_transaction_on_it(void **state)
{
	struct error err = { 0 };
	pid_t stopped;
	struct db db;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700002), NULL, &err), 0);
	stopped = backend(&db);
	kill(stopped, SIGSTOP);
	db.until = clock_mono_ms() + 200;
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700003), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE); /* without its commit nothing has happened */
	db_rollback(&db);
	error_clear(&err);
	kill(stopped, SIGCONT);

	db.until = 0;
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700004), NULL, &err), 0);
	stopped = backend(&db);
	kill(stopped, SIGSTOP);
	db.until = clock_mono_ms() + 200;
	assert_int_equal(db_commit(&db, &err), -1);
	assert_int_equal(err.code, ERROR_UNKNOWN_OUTCOME);
	db_rollback(&db);
	kill(stopped, SIGCONT);
}

/* Without a time of its own a caller whose time is up sends nothing: then it is certain that nothing was done. */
static void whose_time_is_up_sends_nothing(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700005), NULL, &err), 0);
	db.until = clock_mono_ms() - 1;
	assert_int_equal(db_commit(&db, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	db_rollback(&db);
	error_clear(&err);
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700005), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	error_clear(&err);
	db.until = 0;
	assert_int_equal(db_exec(&db, "add", DB_ARGS(700005), NULL, &err), 0);
}

static void *wait_for_ever(void *arg)
{
	struct error err = { 0 };
	struct db db;

	(void)arg;
	db_init(&db, pool);
	db.until = clock_mono_ms() + 8000;
	if (db_begin(&db, &err) == 0 && db_exec(&db, "backend", DB_ARGS(), NULL, &err) == 0)
		fprintf(stderr, "a stopped server answered\n");
	db_done(&db);
	return NULL;
}

/* The whole server: asked or not, busy or idle, /readyz says so within seconds. */
static void a_stopped_server_is_not_ready(void **state)
{
	enum { BUSY = 4 };
	pthread_t threads[BUSY];
	int64_t start;
	int ready;

	(void)state;
	assert_true(db_pool_ready(pool));
	pg_freeze(1);
	start = clock_mono_ms();
	assert_false(db_pool_ready(pool));
	assert_true(clock_mono_ms() - start < 15000); /* a ping, and libpq's own 3 s to connect */
	for (int i = 0; i < BUSY; i++)
		pthread_create(&threads[i], NULL, wait_for_ever, NULL);
	for (int i = 0; (ready = db_pool_ready(pool)) && i < 700; i++)
		usleep(10 * 1000);
	assert_false(ready);
	pg_freeze(0);
	for (int i = 0; i < BUSY; i++)
		pthread_join(threads[i], NULL);
	assert_true(becomes_ready());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_is_restarted),
		cmocka_unit_test(the_database_crashes),
		cmocka_unit_test(calls_fail_fast_while_it_is_away),
		cmocka_unit_test(a_stopped_backend_holds_nobody_up),
		cmocka_unit_test(a_stopped_backend_holds_no_sender_up),
		cmocka_unit_test(a_stopped_backend_ends_the_transaction_on_it),
		cmocka_unit_test(whose_time_is_up_sends_nothing),
		cmocka_unit_test(a_stopped_server_is_not_ready),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
