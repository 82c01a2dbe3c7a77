#include "tests/unit/job_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metrics.h"

/* --- A service with nothing but a database: what job.c asks of one ----------------------------------------------- */

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

struct job_rig_drains job_rig_drains;

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
	job_rig_drains.fn = fn;
	job_rig_drains.arg = arg;
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
struct service service;

struct db_pool *job_rig_pool(void)
{
	struct db_config config = { pg_url(), "test_job", 6, tables };
	struct error err = { 0 };
	struct db_pool *pool = NULL;

	if (db_pool_open(&config, 2000, &pool, &err) < 0)
		fail_msg("%s: %s", err.message, err.detail);
	return pool;
}

int64_t job_rig_number(const char *sql)
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

int job_rig_becomes(const char *sql, int64_t want)
{
	for (int i = 0; i < 4000; i++) {
		if (job_rig_number(sql) == want)
			return 1;
		usleep(2500);
	}
	return 0;
}

int job_rig_fresh(void **state)
{
	static const char *const files[] = { "common/job/001_job.sql", "common/job/003_fair_jobs.sql" };
	static char sql[8192];
	size_t length;

	(void)state;
	if (!service.metrics) {
		log_open("test", LOG_ERROR);
		service.metrics = metrics_new("parley");
	}
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
	service.pool = job_rig_pool();
	return 0;
}

int job_rig_done(void **state)
{
	(void)state;
	for (int i = 0; i < RUNNERS; i++)
		job_runner_stop(running[i]);
	db_pool_free(service.pool);
	pg_sql("DROP SCHEMA test_job CASCADE");
	return 0;
}

void job_rig_add_for(const char *owner, const char *kind, const char *key, const char *payload, int delay)
{
	struct error err = { 0 };
	struct db db;

	db_init(&db, service.pool);
	if (job_add(&db, kind, owner, key, payload, delay, &err) < 0)
		fail_msg("%s", err.detail);
}

void job_rig_add(const char *kind, const char *key, const char *payload, int delay)
{
	job_rig_add_for(NULL, kind, key, payload, delay);
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
atomic_bool job_rig_let_go;

static int hold(struct call *call, const struct job *job)
{
	if (note(call, job, job->owner_id) < 0)
		return -1;
	while (!atomic_load(&job_rig_let_go) && !atomic_load(call->cancelled))
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

struct job_runner *job_rig_start(struct service *s, int threads)
{
	struct job_runner *r = NULL;
	struct error err = { 0 };

	assert_int_equal(job_runner_start(s, kinds, KINDS, threads, &r, &err), 0);
	r->patience_ms = 200;
	return r;
}
