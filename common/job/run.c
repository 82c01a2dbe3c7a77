#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/job/internal.h"

enum {
	DEADLINE_MS = 10 * 60 * 1000, /* of the calls that a job makes */
	LONGEST_PAUSE_MS = 60 * 60 * 1000,
	ASK_AGAIN_MS = 200,
};

/* Nobody waits for the disk: if the database's machine falls now, the job is done again, which it must stand anyway. */
static int settle_lightly(const struct worker *w, struct db *db, const char *stmt, struct error *err)
{
	struct db_step steps[] = {
		{ "job_lightly", DB_ARGS(), NULL },
		{ stmt, DB_ARGS(w->job.id, w->runner->id, w->job.attempt), NULL },
	};
	int done = db_together(db, steps, 2, err);

	db_steps_done(steps, 2);
	return done;
}

/* A statement about the worker's job. It matters, so a database that is away is asked again while the lease lasts. */
static void settle(struct worker *w, const char *stmt, const char *extra)
{
	struct job_runner *r = w->runner;
	struct db db;

	db_init(&db, service_db(r->service));
	for (;;) {
		struct error err = { 0 };
		int done =
		    extra ? db_exec(&db, stmt, DB_ARGS(w->job.id, r->id, w->job.attempt, extra), NULL, &err)
		          : settle_lightly(w, &db, stmt, &err);
		if (done == 0)
			return;
		if (db_failed_with(&err, DB_UNIQUE, NULL)) {
			stmt = "job_done"; /* handed back while another of its key waits: that one will do */
			extra = NULL;
			continue;
		}
		if (err.code == ERROR_INTERNAL || clock_mono_ms() >= w->leased_until) {
			log_line(LOG_ERROR, "job not settled", LOG_TEXT("job", w->job.id),
			         LOG_TEXT("statement", stmt), LOG_TEXT("error", err.detail));
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = ASK_AGAIN_MS * 1000000 }, NULL);
	}
}

/* Trying again would end the same way. */
static bool is_final(enum error_code code)
{
	switch (code) {
	case ERROR_MALFORMED:
	case ERROR_UNAUTHENTICATED:
	case ERROR_FORBIDDEN:
	case ERROR_NOT_FOUND:
	case ERROR_CONFLICT:
	case ERROR_TOO_LARGE:
	case ERROR_UNSUPPORTED_TYPE:
	case ERROR_INVALID: return true;
	default: return false;
	}
}

/* first_pause_ms, doubled with each attempt, and up to a quarter more. */
static int pause_before_next(const struct worker *w, const struct error *why)
{
	int64_t pause = w->kind->first_pause_ms > 0 ? w->kind->first_pause_ms : 1;
	unsigned chance;

	for (int i = 1; i < w->job.attempt && pause < LONGEST_PAUSE_MS; i++)
		pause *= 2;
	random_bytes(&chance, sizeof chance);
	if (pause > LONGEST_PAUSE_MS)
		pause = LONGEST_PAUSE_MS;
	pause += chance % (pause / 4 + 1);
	return (int)(pause < why->retry_after * 1000 ? why->retry_after * 1000 : pause);
}

static void give_up(struct worker *w, const struct error *why)
{
	struct error err = { 0 };
	struct call call;
	struct db db;

	db_init(&db, service_db(w->runner->service));
	service_call_init(&call, w->runner->service, &w->arena, &err, &db, w->job.owner_id, w->job.id,
	                  DEADLINE_MS);
	call.cancelled = &w->cancelled;
	if (w->kind->give_up)
		w->kind->give_up(&call, &w->job, why);
	db_done(&db);
	settle(w, "job_fail", why->message);
}

static const char *finish(struct worker *w, int failed, const struct error *why)
{
	char pause[16];

	if (!failed) {
		settle(w, "job_done", NULL);
		return "done";
	}
	if (atomic_load(&w->cancelled)) { /* the process ends; or the lease is lost: this changes nothing */
		settle(w, "job_return", NULL);
		return "handed back";
	}
	if (w->job.last || is_final(why->code)) {
		give_up(w, why);
		return "given up";
	}
	snprintf(pause, sizeof pause, "%d", pause_before_next(w, why));
	settle(w, "job_retry", pause);
	return "to be tried again";
}

/* Seldom enough to look the series up each time. */
static void count(const struct worker *w, const char *result, int64_t us)
{
	struct metrics *m = service_metrics(w->runner->service);
	char labels[160];

	snprintf(labels, sizeof labels, "kind=\"%s\",result=\"%s\"", w->kind->kind, result);
	metric_add(
	    metrics_get(m, METRIC_COUNTER, "jobs_total", labels, "Attempts at jobs, by kind and result."), 1);
	snprintf(labels, sizeof labels, "kind=\"%s\"", w->kind->kind);
	metric_observe(
	    metrics_get(m, METRIC_HISTOGRAM, "job_seconds", labels, "How long attempts at jobs took."), us);
}

void job_run(struct worker *w)
{
	int64_t start = clock_mono_us(), took;
	struct error err = { 0 };
	struct call call;
	struct db db;
	const char *result;
	int failed;

	db_init(&db, service_db(w->runner->service));
	service_call_init(&call, w->runner->service, &w->arena, &err, &db, w->job.owner_id, w->job.id,
	                  DEADLINE_MS);
	call.cancelled = &w->cancelled;
	if (atomic_load(&w->cancelled))
		failed = -1;
	else if (w->job.attempt > w->kind->attempts) /* the last one was killed; it may be why */
		failed = error_set(&err, ERROR_INTERNAL, "the work was cut off %d times", w->kind->attempts);
	else
		failed = w->kind->run(&call, &w->job);
	db_done(&db);
	result = finish(w, failed, &err);
	took = clock_mono_us() - start;
	count(w, result, took);
	log_line(failed ? LOG_WARN : LOG_INFO, "job", LOG_TEXT("kind", w->job.kind),
	         LOG_TEXT("job", w->job.id), LOG_INT("attempt", w->job.attempt), LOG_TEXT("result", result),
	         LOG_TEXT("error", failed ? err.message : ""), LOG_TEXT("detail", failed ? err.detail : ""),
	         LOG_INT("ms", took / 1000));
}
