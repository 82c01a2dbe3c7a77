/* links: tests/unit/job_rig.c tests/unit/pg.c */
#include "tests/unit/job_rig.h"

#include <stdio.h>

#define ADA "00000000-0000-7000-8000-0000000000a1"
#define GRACE "00000000-0000-7000-8000-0000000000a2"
#define HEDY "00000000-0000-7000-8000-0000000000a3"

static int held_by(const char *owner)
{
	char sql[200];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM seen WHERE what = '%s'", owner);
	return (int)job_rig_number(sql);
}

static void one_owners_many_jobs_do_not_stop_anothers(void **state)
{
	struct job_runner *r;

	(void)state;
	for (int i = 0; i < 10; i++)
		job_rig_add_for(ADA, "ok", NULL, "{\"owner\": \"a\"}", 0);
	job_rig_add_for(GRACE, "ok", NULL, "{\"owner\": \"g\"}", 0);
	pg_sql("UPDATE test_job.job SET run_at = now() - interval '1 hour' WHERE payload->>'owner' = 'a'");
	/* one of Ada's runs, somewhere else */
	pg_sql("UPDATE test_job.job SET lease_until = now() + interval '1 hour', attempt = 1 WHERE id ="
	       " (SELECT id FROM test_job.job WHERE payload->>'owner' = 'a' LIMIT 1)");
	r = job_rig_start(&service, 1);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 10));
	assert_int_equal(job_rig_number("SELECT count(*) FROM seen WHERE what LIKE '%g%' AND id ="
	                                " (SELECT min(id) FROM seen)"),
	                 1);
	job_runner_stop(r);
}

static void the_last_thread_is_kept_for_who_has_none(void **state)
{
	struct job_runner *r = job_rig_start(&service, 3);

	(void)state;
	atomic_store(&job_rig_let_go, false);
	for (int i = 0; i < 6; i++)
		job_rig_add_for(ADA, "hold", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 2));
	job_rig_add_for(GRACE, "hold", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 3)); /* at once, though all of Ada's wait */
	assert_int_equal(held_by(ADA), 2);
	assert_int_equal(held_by(GRACE), 1);
	atomic_store(&job_rig_let_go, true);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(held_by(ADA), 6);
	job_runner_stop(r);
}

/* Two owners whose jobs hang leave room for a third, and for the next of his. */
static void of_a_runner_that_halves_nobody_takes_all(void **state)
{
	struct job_runner *r = job_rig_start(&service, 8);

	(void)state;
	job_runner_halve(r);
	atomic_store(&job_rig_let_go, false);
	for (int i = 0; i < 8; i++)
		job_rig_add_for(ADA, "hold", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 4));
	for (int i = 0; i < 8; i++)
		job_rig_add_for(GRACE, "hold", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 6));
	job_rig_add_for(HEDY, "hold", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 7));
	assert_int_equal(held_by(ADA), 4);
	assert_int_equal(held_by(GRACE), 2);
	assert_int_equal(held_by(HEDY), 1);
	atomic_store(&job_rig_let_go, true);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(held_by(ADA), 8);
	job_runner_stop(r);
}

static void of_one_key_one_runs_at_a_time(void **state)
{
	struct job_runner *r = job_rig_start(&service, 3);

	(void)state;
	atomic_store(&job_rig_let_go, false);
	job_rig_add_for(ADA, "hold", "doc", "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 1));
	job_rig_add_for(ADA, "hold", "doc", "{}", 0); /* reindexed while it is processed */
	job_rig_add_for(GRACE, "hold", "another", "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 2));
	assert_int_equal(held_by(ADA), 1);
	atomic_store(&job_rig_let_go, true);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 0));
	assert_int_equal(held_by(ADA), 2);
	assert_int_equal(job_rig_number("SELECT count(DISTINCT job) FROM seen"), 3);
	job_runner_stop(r);
}

static void a_cancelled_job_is_told_at_once(void **state)
{
	struct job_runner *r = job_rig_start(&service, 3);
	struct error err = { 0 };
	struct db db;

	(void)state;
	atomic_store(&job_rig_let_go, false);
	job_rig_add_for(ADA, "hold", "doc", "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 1));
	job_rig_add_for(ADA, "hold", "doc", "{}", 0);
	db_init(&db, service.pool);
	assert_int_equal(job_cancel(&db, "hold", GRACE, "doc", &err), 0); /* nothing of hers */
	assert_int_equal(job_rig_number("SELECT count(*) FROM job"), 2);
	assert_int_equal(job_cancel(&db, "hold", ADA, "doc", &err), 0);
	assert_true(
	    job_rig_becomes("SELECT count(*) FROM seen WHERE what = 'cancelled'", 1)); /* its lease is 30 s */
	assert_int_equal(job_rig_number("SELECT count(*) FROM job"), 0);
	job_runner_stop(r);
	assert_int_equal(job_rig_number("SELECT count(*) FROM job"), 0); /* and nothing of it comes back */
}

static void a_draining_runner_takes_nothing_new(void **state)
{
	struct job_runner *r = job_rig_start(&service, 3);

	(void)state;
	atomic_store(&job_rig_let_go, false);
	job_rig_add_for(ADA, "hold", NULL, "{}", 0);
	assert_true(job_rig_becomes("SELECT count(*) FROM seen", 1));
	job_rig_drains.fn(job_rig_drains.arg); /* as the service does at the beginning of its drain */
	job_rig_add_for(GRACE, "hold", NULL, "{}", 0);
	atomic_store(&job_rig_let_go, true);
	assert_true(job_rig_becomes("SELECT count(*) FROM job", 1)); /* what ran is finished */
	job_runner_stop(r);
	assert_int_equal(job_rig_number("SELECT count(*) FROM job WHERE attempt = 0"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(one_owners_many_jobs_do_not_stop_anothers),
		JOB_TEST(the_last_thread_is_kept_for_who_has_none),
		JOB_TEST(of_a_runner_that_halves_nobody_takes_all),
		JOB_TEST(of_one_key_one_runs_at_a_time),
		JOB_TEST(a_cancelled_job_is_told_at_once),
		JOB_TEST(a_draining_runner_takes_nothing_new),
	};

	return cmocka_run_group_tests_name("job shares", tests, NULL, NULL);
}
