/* links: tests/unit/pg.c */
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "common/job/job.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/unit/pg.h"

/* --- A service with nothing but a database: what job.c asks of one ----------------------------------------------- */

struct service {
	struct db_pool *pool;
	struct metrics *metrics;
};

struct metrics *service_metrics(struct service *s)
{
	return s->metrics;
}

struct db_pool *service_db(struct service *s)
{
	return s->pool;
}

const char *service_database_url(struct service *s)
{
	(void)s;
	return pg_url();
}

void service_call_init(struct call *call, struct service *s, struct arena *a, struct error *err,
                       struct db *db, const char *owner_id, const char *request_id, int64_t deadline_ms)
{
	*call = (struct call){ .arena = a,
		               .err = err,
		               .db = db,
		               .service = s,
		               .owner_id = owner_id,
		               .request_id = request_id,
		               .deadline = clock_unix_ms() + deadline_ms };
}

static const struct db_stmt seen_statements[] = {
	{ "seen", "INSERT INTO seen (what, job, attempt) VALUES ($1, $2, $3)" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { job_statements, seen_statements, NULL };
static struct service service;

static struct db_pool *new_pool(void)
{
	struct db_config config = { pg_url(), "test_job", 6, tables };
	struct error err = { 0 };
	struct db_pool *pool = NULL;

	if (db_pool_open(&config, 2000, &pool, &err) < 0)
		fail_msg("%s: %s", err.message, err.detail);
	return pool;
}

static int64_t number(const char *sql)
{
	PGconn *pg = PQconnectdb(pg_url());
	PGresult *res;
	int64_t n;

	PQclear(PQexec(pg, "SET search_path = test_job"));
	res = PQexec(pg, sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	PQfinish(pg);
	return n;
}

static int becomes(const char *sql, int64_t want)
{
	for (int i = 0; i < 1000; i++) {
		if (number(sql) == want)
			return 1;
		usleep(10 * 1000);
	}
	return 0;
}

static int fresh(void **state)
{
	static char sql[4096];
	FILE *file = fopen("common/job/001_job.sql", "r");
	size_t length;

	(void)state;
	assert_non_null(file);
	pg_schema("test_job");
	length =
	    (size_t)snprintf(sql, sizeof sql,
	                     "SET search_path = test_job; CREATE TABLE seen (id serial, what text, job uuid,"
	                     " attempt int, at timestamptz DEFAULT clock_timestamp());");
	length += fread(sql + length, 1, sizeof sql - length - 1, file);
	sql[length] = '\0';
	fclose(file);
	pg_sql(sql);
	service.pool = new_pool();
	return 0;
}

static int done(void **state)
{
	(void)state;
	db_pool_free(service.pool);
	pg_sql("DROP SCHEMA test_job CASCADE");
	return 0;
}

static void add(const char *kind, const char *key, const char *payload, int delay)
{
	struct error err = { 0 };
	struct db db;

	db_init(&db, service.pool);
	if (job_add(&db, kind, NULL, key, payload, delay, &err) < 0)
		fail_msg("%s", err.detail);
}

/* --- Kinds ------------------------------------------------------------------------------------------------------- */

static int note(struct call *call, const struct job *job, const char *what)
{
	return db_exec(call->db, "seen", DB_ARGS(what, job->id, job->attempt), NULL, call->err);
}

static int succeed(struct call *call, const struct job *job)
{
	return note(call, job, job->payload);
}

static int upset(struct call *call, const struct job *job)
{
	if (note(call, job, job->last ? "last" : "try") < 0)
		return -1;
	return error_set(call->err, ERROR_UPSTREAM, "the model does not answer");
}

static int refuse(struct call *call, const struct job *job)
{
	if (note(call, job, "try") < 0)
		return -1;
	return error_set(call->err, ERROR_INVALID, "the file has no text");
}

static void tell(struct call *call, const struct job *job, const struct error *why)
{
	if (note(call, job, why->message) < 0)
		abort();
}

static int hang(struct call *call, const struct job *job)
{
	if (note(call, job, "start") < 0)
		return -1;
	if (job->attempt == 1)
		while (!atomic_load(call->cancelled))
			usleep(10 * 1000);
	return atomic_load(call->cancelled) ? -1 : note(call, job, "end");
}

static int linger(struct call *call, const struct job *job)
{
	usleep(2500 * 1000); /* longer than its lease */
	return note(call, job, "lingered");
}

static int leave_open(struct call *call, const struct job *job)
{
	return db_begin(call->db, call->err) < 0 ? -1 : note(call, job, "in a transaction that nobody ended");
}

static const struct job_kind kinds[] = {
	{ "ok", succeed, NULL, 3, 1, 30 },      { "bad", upset, tell, 3, 1, 30 },
	{ "final", refuse, tell, 3, 1, 30 },    { "hang", hang, tell, 3, 1, 1 },
	{ "once", hang, tell, 1, 1, 1 },        { "linger", linger, tell, 1, 1, 1 },
	{ "open", leave_open, NULL, 1, 1, 30 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct job_runner *start(struct service *s, int threads)
{
	struct job_runner *r = NULL;
	struct error err = { 0 };

	assert_int_equal(job_runner_start(s, kinds, KINDS, threads, &r, &err), 0);
	return r;
}

/* --- Tests ------------------------------------------------------------------------------------------------------- */

static void a_job_runs_once_and_is_gone(void **state)
{
	struct job_runner *one = start(&service, 2), *two = start(&service, 2);

	(void)state;
	for (int i = 0; i < 50; i++)
		add("ok", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(number("SELECT count(*) FROM seen"), 50);
	assert_int_equal(number("SELECT count(DISTINCT job) FROM seen"), 50);
	job_runner_stop(one);
	job_runner_stop(two);
}

static void notify_wakes_an_idle_runner(void **state)
{
	struct job_runner *r = start(&service, 1);
	int64_t start_ms;

	(void)state;
	usleep(300 * 1000); /* it has seen that there is nothing */
	start_ms = clock_mono_ms();
	add("ok", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 1));
	assert_true(clock_mono_ms() - start_ms < 1000); /* without NOTIFY it would be IDLE_MS */
	job_runner_stop(r);
}

static void jobs_run_in_order_and_not_early(void **state)
{
	struct job_runner *r;

	(void)state;
	add("ok", NULL, "{\"n\": 3}", 2);
	add("ok", NULL, "{\"n\": 2}", 1);
	add("ok", NULL, "{\"n\": 1}", 0);
	r = start(&service, 1);
	assert_true(becomes("SELECT count(*) FROM seen", 3));
	assert_int_equal(number("SELECT string_agg(what::jsonb->>'n', '' ORDER BY id) FROM seen"), 123);
	assert_true(number("SELECT (extract(epoch FROM max(at) - min(at)) * 1000)::int FROM seen") > 1500);
	job_runner_stop(r);
}

static void one_waiting_job_per_key(void **state)
{
	struct job_runner *r;

	(void)state;
	add("ok", "doc-1", "{\"v\": 1}", 3600);
	add("ok", "doc-1", "{\"v\": 2}", 0); /* the newest payload, the earliest time */
	add("ok", "doc-1", "{\"v\": 3}", 3600);
	add("ok", "doc-2", "{\"v\": 4}", 0);
	add("bad", "doc-1", "{}", 3600);
	assert_int_equal(number("SELECT count(*) FROM job"), 3);
	r = start(&service, 2);
	assert_true(becomes("SELECT count(*) FROM seen", 2));
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what LIKE '%3%'"), 1);
	job_runner_stop(r);
}

static void a_job_is_added_with_its_transaction(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, service.pool);
	assert_int_equal(db_begin(&db, &err), 0);
	assert_int_equal(job_add(&db, "ok", NULL, NULL, "{}", 0, &err), 0);
	db_rollback(&db);
	assert_int_equal(number("SELECT count(*) FROM job"), 0);
	assert_int_equal(job_add(&db, "ok", NULL, NULL, "not json", 0, &err), -1);
}

static bool counted(const char *line)
{
	struct arena a;
	struct text all;
	bool found;

	arena_init(&a, 0);
	text_init(&all, &a);
	metrics_print(service.metrics, &all);
	found = strstr(all.at, line) != NULL;
	arena_done(&a);
	return found;
}

static void failures_are_tried_again_then_given_up(void **state)
{
	struct job_runner *r = start(&service, 1);

	(void)state;
	add("bad", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM job WHERE failed = 'the model does not answer'", 1));
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what IN ('try', 'last')"), 3);
	assert_int_equal(number("SELECT attempt FROM seen WHERE what = 'last'"), 3);
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what = 'the model does not answer'"), 1);
	/* pauses of 1 and 2 seconds, and up to a quarter more */
	assert_in_range(number("SELECT (extract(epoch FROM max(at) - min(at)) * 1000)::int FROM seen"), 2900,
	                4500);
	job_runner_stop(r);
	assert_true(counted("parley_jobs_total{kind=\"bad\",result=\"to be tried again\"} 2\n"));
	assert_true(counted("parley_jobs_total{kind=\"bad\",result=\"given up\"} 1\n"));
	assert_true(counted("parley_job_seconds_count{kind=\"bad\"} 3\n"));
}

static void what_cannot_succeed_is_given_up_at_once(void **state)
{
	struct job_runner *r = start(&service, 1);

	(void)state;
	add("final", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM job WHERE failed = 'the file has no text'", 1));
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what = 'try'"), 1);
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what = 'the file has no text'"), 1);
	job_runner_stop(r);
}

/* A process with a runner of its own that is killed at work. */
static void run_and_be_killed(const char *kind)
{
	pid_t child = fork();

	if (child == 0) {
		struct service other = { new_pool(), service.metrics };
		start(&other, 1);
		for (;;)
			pause();
	}
	add(kind, NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen WHERE what = 'start'", 1));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void another_takes_over_when_a_process_is_killed(void **state)
{
	struct job_runner *r;

	(void)state;
	run_and_be_killed("hang");
	r = start(&service, 1);
	assert_true(becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what = 'end' AND attempt = 2"), 1);
	job_runner_stop(r);
}

static void a_job_that_kills_its_process_does_not_do_so_for_ever(void **state)
{
	struct job_runner *r;

	(void)state;
	run_and_be_killed("once");
	r = start(&service, 1);
	assert_true(becomes("SELECT count(*) FROM job WHERE failed LIKE '%cut off%'", 1));
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what = 'start'"), 1);
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what LIKE '%cut off%'"), 1);
	job_runner_stop(r);
}

static void a_lease_is_renewed_while_the_job_runs(void **state)
{
	struct job_runner *one = start(&service, 1), *two = start(&service, 1);

	(void)state;
	add("linger", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(number("SELECT count(*) FROM seen"), 1);
	assert_int_equal(number("SELECT attempt FROM seen"), 1);
	job_runner_stop(one);
	job_runner_stop(two);
}

static void a_lost_lease_cancels_the_job(void **state)
{
	struct job_runner *r = start(&service, 1);

	(void)state;
	add("hang", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen WHERE what = 'start'", 1));
	pg_sql("UPDATE test_job.job SET lease_by = gen_random_uuid()"); /* as if another had it */
	assert_true(becomes("SELECT count(*) FROM seen WHERE what = 'end' AND attempt = 2", 1));
	job_runner_stop(r);
}

static void a_stopping_runner_hands_back(void **state)
{
	struct job_runner *r = start(&service, 1);

	(void)state;
	add("hang", "k", "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen WHERE what = 'start'", 1));
	add("hang", "k", "{}", 3600); /* its twin waits: that one will do */
	add("hang", NULL, "{}", 0);   /* not begun */
	job_runner_stop(r);
	assert_int_equal(number("SELECT count(*) FROM job WHERE attempt = 0 AND lease_until IS NULL"), 2);
	assert_int_equal(number("SELECT count(*) FROM job"), 2);
}

static void a_handler_that_leaves_a_transaction_open_changes_nothing(void **state)
{
	struct job_runner *r = start(&service, 1);

	(void)state;
	add("open", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(number("SELECT count(*) FROM seen"), 0);
	job_runner_stop(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_job_runs_once_and_is_gone, fresh, done),
		cmocka_unit_test_setup_teardown(notify_wakes_an_idle_runner, fresh, done),
		cmocka_unit_test_setup_teardown(jobs_run_in_order_and_not_early, fresh, done),
		cmocka_unit_test_setup_teardown(one_waiting_job_per_key, fresh, done),
		cmocka_unit_test_setup_teardown(a_job_is_added_with_its_transaction, fresh, done),
		cmocka_unit_test_setup_teardown(failures_are_tried_again_then_given_up, fresh, done),
		cmocka_unit_test_setup_teardown(what_cannot_succeed_is_given_up_at_once, fresh, done),
		cmocka_unit_test_setup_teardown(another_takes_over_when_a_process_is_killed, fresh, done),
		cmocka_unit_test_setup_teardown(a_job_that_kills_its_process_does_not_do_so_for_ever, fresh,
		                                done),
		cmocka_unit_test_setup_teardown(a_lease_is_renewed_while_the_job_runs, fresh, done),
		cmocka_unit_test_setup_teardown(a_lost_lease_cancels_the_job, fresh, done),
		cmocka_unit_test_setup_teardown(a_stopping_runner_hands_back, fresh, done),
		cmocka_unit_test_setup_teardown(a_handler_that_leaves_a_transaction_open_changes_nothing,
		                                fresh, done),
	};

	log_open("test", LOG_ERROR);
	service.metrics = metrics_new("parley");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
