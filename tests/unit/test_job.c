/* links: tests/unit/job_rig.c tests/unit/pg.c */
#include "tests/unit/job_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "common/base/text.h"

static void a_job_runs_once_and_is_gone(void **state)
{
	struct job_runner *one = job_rig_start(&service, 2), *two = job_rig_start(&service, 2);

	(void)state;
	for (int i = 0; i < 50; i++)
		job_rig_add("ok", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen"), 50);
	assert_int_equal(job_rig_number("SELECT count(DISTINCT job) FROM seen"), 50);
	job_runner_stop(one);
	job_runner_stop(two);
}

static void notify_wakes_an_idle_runner(void **state)
{
	struct job_runner *r = job_rig_start(&service, 1);
	int64_t start_ms;

	(void)state;
	job_rig_add("ok", NULL, "{}", 0);
	assert_true(
	    job_rig_becomes("SELECT count(*) FROM job", 0)); /* it has seen that there is nothing more */
	start_ms = clock_mono_ms();
	job_rig_add("ok", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 2));
	assert_true(clock_mono_ms() - start_ms < 15000); /* without NOTIFY it would be IDLE_MS */
	job_runner_stop(r);
}

static void jobs_run_in_order_and_not_early(void **state)
{
	struct job_runner *r;

	(void)state;
	job_rig_add("ok", NULL, "{\"n\": 3}", 0);
	job_rig_add("ok", NULL, "{\"n\": 2}", 0);
	job_rig_add("ok", NULL, "{\"n\": 1}", 0);
	pg_sql(
	    "UPDATE test_job.job SET run_at = now() + interval '100 milliseconds' * ((payload->>'n')::int - 1);"
	    "CREATE TABLE test_job.due AS SELECT id, run_at FROM test_job.job");
	r = job_rig_start(&service, 1);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 3));
	assert_int_equal(job_rig_number("SELECT string_agg(what::jsonb->>'n', '' ORDER BY id) FROM seen"),
	                 123);
	assert_int_equal(
	    job_rig_number("SELECT count(*) FROM seen JOIN due ON due.id = job WHERE at >= run_at"), 3);
	job_runner_stop(r);
}

static void one_waiting_job_per_key(void **state)
{
	struct job_runner *r;

	(void)state;
	job_rig_add("ok", "doc-1", "{\"v\": 1}", 3600);
	job_rig_add("ok", "doc-1", "{\"v\": 2}", 0); /* the newest payload, the earliest time */
	job_rig_add("ok", "doc-1", "{\"v\": 3}", 3600);
	job_rig_add("ok", "doc-2", "{\"v\": 4}", 0);
	job_rig_add("bad", "doc-1", "{}", 3600);
	assert_int_equal(job_rig_number("SELECT count(*) FROM job"), 3);
	r = job_rig_start(&service, 2);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 2));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what LIKE '%3%'"), 1);
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
	assert_int_equal(job_rig_number("SELECT count(*) FROM job"), 0);
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
	struct job_runner *r = job_rig_start(&service, 1);

	(void)state;
	job_rig_add("bad", NULL, "{}", 0);
	assert_true(
	    job_rig_becomes("SELECT count(*) FROM job WHERE failed = 'the model does not answer'", 1));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what IN ('try', 'last')"), 3);
	assert_int_equal(job_rig_number("SELECT attempt FROM seen WHERE what = 'last'"), 3);
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what = 'the model does not answer'"),
	                 1);
	/* pauses of 100 and 200 ms, and up to a quarter more */
	assert_in_range(
	    job_rig_number("SELECT (extract(epoch FROM max(at) - min(at)) * 1000)::int FROM seen"), 290,
	    5000);
	job_runner_stop(r);
	assert_true(counted("parley_jobs_total{kind=\"bad\",result=\"to be tried again\"} 2\n"));
	assert_true(counted("parley_jobs_total{kind=\"bad\",result=\"given up\"} 1\n"));
	assert_true(counted("parley_job_seconds_count{kind=\"bad\"} 3\n"));
}

static void what_cannot_succeed_is_given_up_at_once(void **state)
{
	struct job_runner *r = job_rig_start(&service, 1);

	(void)state;
	job_rig_add("final", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM job WHERE failed = 'the file has no text'", 1));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what = 'try'"), 1);
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what = 'the file has no text'"), 1);
	job_runner_stop(r);
}

/* A process with a runner of its own that is killed at work. */
static void run_and_be_killed(const char *kind)
{
	pid_t child = fork();

	if (child == 0) {
		struct service other = { job_rig_pool(), service.metrics };
		job_rig_start(&other, 1);
		for (;;)
			pause();
	}
	job_rig_add(kind, NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen WHERE what = 'start'", 1));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void another_takes_over_when_a_process_is_killed(void **state)
{
	struct job_runner *r;

	(void)state;
	run_and_be_killed("hang");
	r = job_rig_start(&service, 1);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what = 'end' AND attempt = 2"), 1);
	job_runner_stop(r);
}

static void a_job_that_kills_its_process_does_not_do_so_for_ever(void **state)
{
	struct job_runner *r;

	(void)state;
	run_and_be_killed("once");
	r = job_rig_start(&service, 1);
	assert_true(job_rig_becomes("SELECT count(*) FROM job WHERE failed LIKE '%cut off%'", 1));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what = 'start'"), 1);
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what LIKE '%cut off%'"), 1);
	job_runner_stop(r);
}

static void a_lease_is_renewed_while_the_job_runs(void **state)
{
	struct job_runner *one = job_rig_start(&service, 1), *two = job_rig_start(&service, 1);

	(void)state;
	job_rig_add("linger", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen"), 1);
	assert_int_equal(job_rig_number("SELECT attempt FROM seen"), 1);
	job_runner_stop(one);
	job_runner_stop(two);
}

static void a_lost_lease_cancels_the_job(void **state)
{
	struct job_runner *r = job_rig_start(&service, 1);

	(void)state;
	job_rig_add("hang", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen WHERE what = 'start'", 1));
	pg_sql("UPDATE test_job.job SET lease_by = gen_random_uuid()"); /* as if another had it */
	assert_true(job_rig_becomes("SELECT count(*) FROM seen WHERE what = 'end' AND attempt = 2", 1));
	job_runner_stop(r);
}

static void a_stopping_runner_hands_back(void **state)
{
	struct job_runner *r = job_rig_start(&service, 1);

	(void)state;
	job_rig_add("hang", "k", "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen WHERE what = 'start'", 1));
	job_rig_add("hang", "k", "{}", 3600); /* its twin waits: that one will do */
	job_rig_add("hang", NULL, "{}", 0);   /* not begun */
	job_runner_stop(r);
	assert_int_equal(job_rig_number("SELECT count(*) FROM job WHERE attempt = 0 AND lease_until IS NULL"),
	                 2);
	assert_int_equal(job_rig_number("SELECT count(*) FROM job"), 2);
}

static void a_handler_that_leaves_a_transaction_open_changes_nothing(void **state)
{
	struct job_runner *r = job_rig_start(&service, 1);

	(void)state;
	job_rig_add("open", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen"), 0);
	job_runner_stop(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(a_job_runs_once_and_is_gone),
		JOB_TEST(notify_wakes_an_idle_runner),
		JOB_TEST(jobs_run_in_order_and_not_early),
		JOB_TEST(one_waiting_job_per_key),
		JOB_TEST(a_job_is_added_with_its_transaction),
		JOB_TEST(failures_are_tried_again_then_given_up),
		JOB_TEST(what_cannot_succeed_is_given_up_at_once),
		JOB_TEST(another_takes_over_when_a_process_is_killed),
		JOB_TEST(a_job_that_kills_its_process_does_not_do_so_for_ever),
		JOB_TEST(a_lease_is_renewed_while_the_job_runs),
		JOB_TEST(a_lost_lease_cancels_the_job),
		JOB_TEST(a_stopping_runner_hands_back),
		JOB_TEST(a_handler_that_leaves_a_transaction_open_changes_nothing),
	};

	return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
