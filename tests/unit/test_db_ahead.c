/* links: tests/unit/pg.c */
#include "common/db/ahead.h"

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

static const struct db_stmt statements[] = {
	{ "square", "SELECT $1::bigint * $1::bigint AS n" },
	{ "name", "SELECT 'name ' || $1::bigint AS name" },
	{ "divide", "SELECT 1 / ($1::bigint - $1::bigint) AS n" }, /* fails when run, not when prepared */
	{ "large", "SELECT repeat($1, 100000) AS t" },
	{ "killed", "SELECT sum(connections) AS n FROM blows" },
	{ "note", "INSERT INTO notes (n) VALUES ($1::bigint) RETURNING n" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, NULL };
static struct db_pool *pool;

static int open_pool(void **state)
{
	struct db_config config = { pg_url(), "test_ahead", 6, tables };
	struct error err = { 0 };

	(void)state;
	pg_schema("test_ahead");
	pg_sql("CREATE TABLE test_ahead.notes (n bigint)");
	pg_sql("CREATE TABLE test_ahead.blows (connections bigint)");
	return db_pool_open(&config, 0, &pool, &err);
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	pg_sql("DROP SCHEMA test_ahead CASCADE");
	return 0;
}

/* Threads that each work for many at a time, as common/service/brief.c does. */
enum { THREADS = 3, WORKS = 12 };

struct crowd {
	pthread_t threads[THREADS];
	atomic_int next, wrong, lost, away, other; /* away: refused; lost: reads that failed otherwise */
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

/* In a transaction, or a write: those are not read ahead. */
static int run_at_once(const char *stmt, int64_t n, PGresult **res, struct error *err)
{
	struct db db;
	int got;

	db_init(&db, pool);
	if (db_begin(&db, err) < 0)
		return -1;
	got = strcmp(stmt, "large") == 0 ? db_exec(&db, stmt, DB_ARGS("abc"), res, err)
	                                 : db_exec(&db, stmt, DB_ARGS(n), res, err);
	if (got == 0)
		got = db_commit(&db, err);
	if (got < 0)
		db_rollback(&db);
	return got;
}

/* What one does in each of its runs. */
struct work {
	struct crowd *crowd;
	int64_t n;
	struct arena arena;
	struct db_ahead ahead;
	int runs;
};

static void judge(struct work *w, const char *stmt, bool at_once, int got, const PGresult *res,
                  const struct error *err)
{
	struct crowd *crowd = w->crowd;

	if (strcmp(stmt, "divide") == 0 && got < 0 && strncmp(err->detail, "22012", 5) == 0)
		got = 0;
	else if (got == 0 && is_wrong(stmt, w->n, res))
		atomic_fetch_add(&crowd->wrong, 1);
	if (got < 0)
		atomic_fetch_add(err->code == ERROR_UNAVAILABLE ? &crowd->away
		                 : at_once                      ? &crowd->other
		                                                : &crowd->lost,
		                 1);
}

static const char *stmt_of(int64_t n)
{
	static const char *const mix[] = { "square", "name", "square", "divide",
		                           "name",   "note", "large",  "square" };
	return mix[n % 8];
}

/* True when it is to be run again. */
static bool read_once(struct work *w)
{
	const char *stmt = stmt_of(w->n);
	bool at_once = w->n % 11 == 0 || strcmp(stmt, "note") == 0;
	struct error err = { 0 };
	PGresult *res = NULL;
	struct db db;
	int got;

	db_init(&db, pool);
	db.ahead = &w->ahead;
	db_ahead_again(&w->ahead);
	w->runs++;
	got = at_once                      ? run_at_once(stmt, w->n, &res, &err)
	      : strcmp(stmt, "large") == 0 ? db_exec(&db, stmt, DB_ARGS("abc"), &res, &err)
	                                   : db_exec(&db, stmt, DB_ARGS(w->n), &res, &err);
	if (!w->ahead.waits)
		judge(w, stmt, at_once, got, res, &err);
	PQclear(res);
	return w->ahead.waits;
}

static void read_together(struct work *works)
{
	struct db_ahead *waiting[WORKS];
	int count = 0;

	for (int i = 0; i < WORKS; i++) {
		if (read_once(&works[i]))
			waiting[count++] = &works[i].ahead;
	}
	db_batch_run(waiting, count);
	for (int i = 0; i < WORKS; i++) {
		if (works[i].ahead.waits && (read_once(&works[i]) || works[i].runs != 2))
			atomic_fetch_add(&works[i].crowd->wrong, 1); /* one read each */
		db_ahead_done(&works[i].ahead);
		arena_reset(&works[i].arena);
	}
}

static void *read_all(void *arg)
{
	struct work works[WORKS];
	struct crowd *crowd = arg;

	for (int i = 0; i < WORKS; i++)
		arena_init(&works[i].arena, 0);
	for (int round = 0; round < crowd->rounds; round++) {
		int away = atomic_load(&crowd->away);

		for (int i = 0; i < WORKS; i++) {
			works[i] = (struct work){ .crowd = crowd,
				                  .n = atomic_fetch_add(&crowd->next, 1),
				                  .arena = works[i].arena };
			db_ahead_init(&works[i].ahead, &works[i].arena);
		}
		read_together(works);
		if (atomic_load(&crowd->away) > away)
			usleep(20000); /* who is refused does not ask again at once */
	}
	for (int i = 0; i < WORKS; i++)
		arena_done(&works[i].arena);
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
	assert_int_equal(crowd.lost, 0);
	assert_int_equal(crowd.away, 0);
	assert_int_equal(crowd.other, 0);
}

static int64_t killed(void)
{
	struct error err = { 0 };
	struct db db;
	int64_t n;

	db_init(&db, pool);
	assert_int_equal(db_number(&db, "killed", DB_ARGS(), &n, &err), 0);
	db_done(&db);
	return n;
}

/* Of a write or a transaction that was under way nobody can tell; there is one on a connection. A read is done again on
 * another. Refused is who comes while the pool cannot connect: where a connection was killed as it was made, for a moment. */
static void reads_survive_broken_connections(void **state)
{
	enum { BLOWS = 10, ROUNDS = 100 };
	struct crowd crowd;

	(void)state;
	crowd_start(&crowd, ROUNDS);
	for (int i = 0; i < BLOWS; i++) {
		while (atomic_load(&crowd.next) < i * ROUNDS * THREADS * WORKS / BLOWS)
			usleep(1000);
		pg_sql("INSERT INTO test_ahead.blows SELECT count(pg_terminate_backend(pid))"
		       " FROM pg_stat_activity WHERE application_name = 'parley-test_ahead'");
	}
	crowd_join(&crowd);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(crowd.lost, 0);
	assert_in_range(crowd.other, 0, killed());
	assert_in_range(crowd.away, 0, ROUNDS * THREADS * WORKS / 4);
	crowd_start(&crowd, 5);
	crowd_join(&crowd);
	assert_int_equal(crowd.wrong + crowd.lost + crowd.away + crowd.other, 0);
}

/* --- What work that is run again may and may not ------------------------------------------------------------------- */

struct asked {
	struct arena arena;
	struct db_ahead ahead;
	struct db db;
	struct error err;
	int runs;
};

static void ask_first(struct asked *q)
{
	*q = (struct asked){ .runs = 0 };
	arena_init(&q->arena, 0);
	db_ahead_init(&q->ahead, &q->arena);
	db_init(&q->db, pool);
	q->db.ahead = &q->ahead;
}

static void ask_again(struct asked *q)
{
	struct db_ahead *one = &q->ahead;

	if (q->ahead.waits)
		db_batch_run(&one, 1);
	db_ahead_again(&q->ahead);
	error_clear(&q->err);
	q->runs++;
}

static void ask_done(struct asked *q)
{
	db_ahead_done(&q->ahead);
	arena_done(&q->arena);
}

static int64_t square(struct asked *q, int64_t n)
{
	OWN(pgresult) PGresult *res = NULL;

	return db_exec(&q->db, "square", DB_ARGS(n), &res, &q->err) < 0 ? -1 : db_int(res, 0, "n");
}

/* The second asks for what the first found; the argument of the first is gone from its stack by then. */
static void two_reads_in_a_row(void **state)
{
	struct asked q;
	int64_t n;

	(void)state;
	ask_first(&q);
	do {
		ask_again(&q);
		n = square(&q, 3);
		if (n >= 0)
			n = square(&q, n);
	} while (q.ahead.waits);
	assert_int_equal(n, 81);
	assert_int_equal(q.runs, 3);
	assert_null(q.ahead.mistake);
	ask_done(&q);
}

static void a_statement_that_fails_is_told_in_its_own_words(void **state)
{
	struct asked q;
	int failed;

	(void)state;
	ask_first(&q);
	do {
		ask_again(&q);
		failed = db_exec(&q.db, "divide", DB_ARGS(1), NULL, &q.err);
	} while (q.ahead.waits);
	assert_int_equal(failed, -1);
	assert_memory_equal(q.err.detail, "22012", 5);
	ask_done(&q);
}

static void write_a_note(struct asked *q)
{
	(void)!db_exec(&q->db, "note", DB_ARGS(99), NULL, &q->err);
}

static void begin(struct asked *q)
{
	(void)!db_begin(&q->db, &q->err);
}

static void ask_by_run(struct asked *q)
{
	(void)square(q, q->runs);
}

static void ask_another(struct asked *q)
{
	if (q->runs == 1)
		(void)square(q, 1);
	else
		(void)!db_exec(&q->db, "name", DB_ARGS(1), NULL, &q->err);
}

static void ask_all_day(struct asked *q)
{
	for (int64_t i = 0; square(q, i) >= 0; i++)
		;
}

/* Whoever may be run as often as one likes must keep to it: else something would be done twice, or to the wrong row. */
static void mistakes_are_internal_errors(void **state)
{
	static const struct {
		void (*work)(struct asked *q);
		const char *want;
	} cases[] = { { write_a_note, "writes" },
		      { begin, "begins a transaction" },
		      { ask_by_run, "asked for something else the second time" },
		      { ask_another, "asked for something else the second time" },
		      { ask_all_day, "reads too often" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct asked q;

		ask_first(&q);
		do {
			ask_again(&q);
			cases[i].work(&q);
		} while (q.ahead.waits);
		assert_int_equal(q.err.code, ERROR_INTERNAL);
		assert_string_equal(q.ahead.mistake, cases[i].want);
		ask_done(&q);
	}
}

/* They waited once together, and then once more each, one after the other: for longer than anybody cares. */
static void a_full_pool_is_waited_for_once_by_all(void **state)
{
	enum { WAITING = 4, PATIENCE_MS = 500 };
	struct db_config config = { pg_url(), "test_ahead", 1, tables };
	struct db_ahead *waiting[WAITING];
	struct asked q[WAITING];
	struct error err = { 0 };
	struct db_pool *small;
	int64_t began;
	struct db held;

	(void)state;
	assert_int_equal(db_pool_open(&config, 0, &small, &err), 0);
	db_init(&held, small);
	assert_int_equal(db_begin(&held, &err), 0);
	began = clock_mono_ms();
	for (int i = 0; i < WAITING; i++) {
		ask_first(&q[i]);
		q[i].db.pool = small;
		q[i].db.until = began + PATIENCE_MS;
		db_ahead_again(&q[i].ahead);
		assert_int_equal(square(&q[i], i), -1);
		waiting[i] = &q[i].ahead;
	}
	db_batch_run(waiting, WAITING);
	for (int i = 0; i < WAITING; i++) {
		q[i].db.until = clock_mono_ms() + PATIENCE_MS; /* whoever waits anew is found out */
		db_ahead_again(&q[i].ahead);
		error_clear(&q[i].err);
		assert_int_equal(square(&q[i], i), -1);
		assert_false(q[i].ahead.waits);
		assert_int_equal(q[i].err.code, ERROR_UNAVAILABLE);
		ask_done(&q[i]);
	}
	assert_in_range(clock_mono_ms() - began, PATIENCE_MS, 2 * PATIENCE_MS - 1);
	db_rollback(&held);
	db_pool_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_their_own_answer),
		cmocka_unit_test(reads_survive_broken_connections),
		cmocka_unit_test(a_full_pool_is_waited_for_once_by_all),
		cmocka_unit_test(two_reads_in_a_row),
		cmocka_unit_test(a_statement_that_fails_is_told_in_its_own_words),
		cmocka_unit_test(mistakes_are_internal_errors),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
