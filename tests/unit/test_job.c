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
#include "common/job/internal.h"
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

static struct {
	void (*fn)(void *arg);
	void *arg;
} drains; /* of the last runner */

/* What a test has not stopped: it failed before it came to that. */
enum { RUNNERS = 4 };
static struct job_runner *running[RUNNERS];

static void replace_runner(const struct job_runner *old, struct job_runner *with)
{
	int i = 0;

	while (running[i] != old)
		assert_true(++i < RUNNERS);
	running[i] = with;
}

void service_on_drain(struct service *s, void (*fn)(void *arg), void *arg)
{
	(void)s;
	drains.fn = fn;
	drains.arg = arg;
	replace_runner(NULL, arg);
}

void service_off_drain(struct service *s, const void *arg)
{
	(void)s;
	replace_runner(arg, NULL);
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
	static PGconn *pg;
	PGresult *res;
	int64_t n;

	if (!pg) {
		pg = PQconnectdb(pg_url());
		PQclear(PQexec(pg, "SET search_path = test_job"));
	}
	res = PQexec(pg, sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

static int becomes(const char *sql, int64_t want)
{
	for (int i = 0; i < 4000; i++) {
		if (number(sql) == want)
			return 1;
		usleep(2500);
	}
	return 0;
}

static int fresh(void **state)
{
	static const char *const files[] = { "common/job/001_job.sql", "common/job/003_fair_jobs.sql" };
	static char sql[8192];
	size_t length;

	(void)state;
	pg_schema("test_job");
	length =
	    (size_t)snprintf(sql, sizeof sql,
	                     "SET search_path = test_job; CREATE TABLE seen (id serial, what text, job uuid,"
	                     " attempt int, at timestamptz DEFAULT clock_timestamp());");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		FILE *file = fopen(files[i], "r");

		assert_non_null(file);
		length += fread(sql + length, 1, sizeof sql - length - 1, file);
		fclose(file);
	}
	sql[length] = '\0';
	pg_sql(sql);
	service.pool = new_pool();
	return 0;
}

static int done(void **state)
{
	(void)state;
	for (int i = 0; i < RUNNERS; i++)
		job_runner_stop(running[i]);
	db_pool_free(service.pool);
	pg_sql("DROP SCHEMA test_job CASCADE");
	return 0;
}

static void add_for(const char *owner, const char *kind, const char *key, const char *payload, int delay)
{
	struct error err = { 0 };
	struct db db;

	db_init(&db, service.pool);
	if (job_add(&db, kind, owner, key, payload, delay, &err) < 0)
		fail_msg("%s", err.detail);
}

static void add(const char *kind, const char *key, const char *payload, int delay)
{
	add_for(NULL, kind, key, payload, delay);
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
			usleep(2000);
	return atomic_load(call->cancelled) ? -1 : note(call, job, "end");
}

static int linger(struct call *call, const struct job *job)
{
	usleep(500 * 1000); /* longer than its lease */
	return note(call, job, "lingered");
}

static int leave_open(struct call *call, const struct job *job)
{
	return db_begin(call->db, call->err) < 0 ? -1 : note(call, job, "in a transaction that nobody ended");
}

/* Until the test lets it go. */
static atomic_bool let_go;

static int hold(struct call *call, const struct job *job)
{
	if (note(call, job, job->owner_id) < 0)
		return -1;
	while (!atomic_load(&let_go) && !atomic_load(call->cancelled))
		usleep(2000);
	return atomic_load(call->cancelled) ? note(call, job, "cancelled") - 1 : 0;
}

static const struct job_kind kinds[] = {
	{ "ok", succeed, NULL, 3, 50, 30000 },      { "bad", upset, tell, 3, 100, 30000 },
	{ "final", refuse, tell, 3, 50, 30000 },    { "hang", hang, tell, 3, 50, 200 },
	{ "once", hang, tell, 1, 50, 200 },         { "linger", linger, tell, 1, 50, 200 },
	{ "open", leave_open, NULL, 1, 50, 30000 }, { "hold", hold, NULL, 3, 50, 30000 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct job_runner *start(struct service *s, int threads)
{
	struct job_runner *r = NULL;
	struct error err = { 0 };

	assert_int_equal(job_runner_start(s, kinds, KINDS, threads, &r, &err), 0);
	r->patience_ms = 200;
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
	add("ok", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM job", 0)); /* it has seen that there is nothing more */
	start_ms = clock_mono_ms();
	add("ok", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 2));
	assert_true(clock_mono_ms() - start_ms < 1000); /* without NOTIFY it would be IDLE_MS */
	job_runner_stop(r);
}

static void jobs_run_in_order_and_not_early(void **state)
{
	struct job_runner *r;

	(void)state;
	add("ok", NULL, "{\"n\": 3}", 0);
	add("ok", NULL, "{\"n\": 2}", 0);
	add("ok", NULL, "{\"n\": 1}", 0);
	pg_sql(
	    "UPDATE test_job.job SET run_at = now() + interval '100 milliseconds' * ((payload->>'n')::int - 1);"
	    "CREATE TABLE test_job.due AS SELECT id, run_at FROM test_job.job");
	r = start(&service, 1);
	assert_true(becomes("SELECT count(*) FROM seen", 3));
	assert_int_equal(number("SELECT string_agg(what::jsonb->>'n', '' ORDER BY id) FROM seen"), 123);
	assert_int_equal(number("SELECT count(*) FROM seen JOIN due ON due.id = job WHERE at >= run_at"), 3);
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
	/* pauses of 100 and 200 ms, and up to a quarter more */
	assert_in_range(number("SELECT (extract(epoch FROM max(at) - min(at)) * 1000)::int FROM seen"), 290,
	                1000);
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

#define ADA "00000000-0000-7000-8000-0000000000a1"
#define GRACE "00000000-0000-7000-8000-0000000000a2"

static int held_by(const char *owner)
{
	char sql[200];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM seen WHERE what = '%s'", owner);
	return (int)number(sql);
}

static void one_owners_many_jobs_do_not_stop_anothers(void **state)
{
	struct job_runner *r;

	(void)state;
	for (int i = 0; i < 10; i++)
		add_for(ADA, "ok", NULL, "{\"owner\": \"a\"}", 0);
	add_for(GRACE, "ok", NULL, "{\"owner\": \"g\"}", 0);
	pg_sql("UPDATE test_job.job SET run_at = now() - interval '1 hour' WHERE payload->>'owner' = 'a'");
	/* one of Ada's runs, somewhere else */
	pg_sql("UPDATE test_job.job SET lease_until = now() + interval '1 hour', attempt = 1 WHERE id ="
	       " (SELECT id FROM test_job.job WHERE payload->>'owner' = 'a' LIMIT 1)");
	r = start(&service, 1);
	assert_true(becomes("SELECT count(*) FROM seen", 10));
	assert_int_equal(number("SELECT count(*) FROM seen WHERE what LIKE '%g%' AND id ="
	                        " (SELECT min(id) FROM seen)"),
	                 1);
	job_runner_stop(r);
}

static void the_last_thread_is_kept_for_who_has_none(void **state)
{
	struct job_runner *r = start(&service, 3);

	(void)state;
	atomic_store(&let_go, false);
	for (int i = 0; i < 6; i++)
		add_for(ADA, "hold", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 2));
	add_for(GRACE, "hold", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 3)); /* at once, though all of Ada's wait */
	assert_int_equal(held_by(ADA), 2);
	assert_int_equal(held_by(GRACE), 1);
	atomic_store(&let_go, true);
	assert_true(becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(held_by(ADA), 6);
	job_runner_stop(r);
}

static void of_one_key_one_runs_at_a_time(void **state)
{
	struct job_runner *r = start(&service, 3);

	(void)state;
	atomic_store(&let_go, false);
	add_for(ADA, "hold", "doc", "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 1));
	add_for(ADA, "hold", "doc", "{}", 0); /* reindexed while it is processed */
	add_for(GRACE, "hold", "another", "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 2));
	assert_int_equal(held_by(ADA), 1);
	atomic_store(&let_go, true);
	assert_true(becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(held_by(ADA), 2);
	assert_int_equal(number("SELECT count(DISTINCT job) FROM seen"), 3);
	job_runner_stop(r);
}

static void a_cancelled_job_is_told_at_once(void **state)
{
	struct job_runner *r = start(&service, 3);
	struct error err = { 0 };
	struct db db;

	(void)state;
	atomic_store(&let_go, false);
	add_for(ADA, "hold", "doc", "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 1));
	add_for(ADA, "hold", "doc", "{}", 0);
	db_init(&db, service.pool);
	assert_int_equal(job_cancel(&db, "hold", GRACE, "doc", &err), 0); /* nothing of hers */
	assert_int_equal(number("SELECT count(*) FROM job"), 2);
	assert_int_equal(job_cancel(&db, "hold", ADA, "doc", &err), 0);
	assert_true(becomes("SELECT count(*) FROM seen WHERE what = 'cancelled'", 1)); /* its lease is 30 s */
	assert_int_equal(number("SELECT count(*) FROM job"), 0);
	job_runner_stop(r);
	assert_int_equal(number("SELECT count(*) FROM job"), 0); /* and nothing of it comes back */
}

static void a_draining_runner_takes_nothing_new(void **state)
{
	struct job_runner *r = start(&service, 3);

	(void)state;
	atomic_store(&let_go, false);
	add_for(ADA, "hold", NULL, "{}", 0);
	assert_true(becomes("SELECT count(*) FROM seen", 1));
	drains.fn(drains.arg); /* as the service does at the beginning of its drain */
	add_for(GRACE, "hold", NULL, "{}", 0);
	atomic_store(&let_go, true);
	assert_true(becomes("SELECT count(*) FROM job", 1)); /* what ran is finished */
	job_runner_stop(r);
	assert_int_equal(number("SELECT count(*) FROM job WHERE attempt = 0"), 1);
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
		cmocka_unit_test_setup_teardown(one_owners_many_jobs_do_not_stop_anothers, fresh, done),
		cmocka_unit_test_setup_teardown(the_last_thread_is_kept_for_who_has_none, fresh, done),
		cmocka_unit_test_setup_teardown(of_one_key_one_runs_at_a_time, fresh, done),
		cmocka_unit_test_setup_teardown(a_cancelled_job_is_told_at_once, fresh, done),
		cmocka_unit_test_setup_teardown(a_draining_runner_takes_nothing_new, fresh, done),
		cmocka_unit_test_setup_teardown(a_handler_that_leaves_a_transaction_open_changes_nothing,
		                                fresh, done),
	};

	log_open("test", LOG_ERROR);
	service.metrics = metrics_new("parley");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
