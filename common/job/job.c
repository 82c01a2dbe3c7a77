#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/job/internal.h"

enum { PATIENCE_MS = 5 * 1000 /* at the stop, before what runs is cancelled */ };

static const char *const channels[] = { "parley_job", NULL };

const struct db_stmt job_statements[] = {
	{ "job_add",
	  "WITH added AS ("
	  "INSERT INTO job (kind, owner_id, key, payload, run_at)"
	  " VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')"
	  " ON CONFLICT (kind, key) WHERE key IS NOT NULL AND attempt = 0 AND failed IS NULL DO UPDATE"
	  " SET payload = excluded.payload, run_at = least(job.run_at, excluded.run_at) RETURNING kind)"
	  " SELECT pg_notify('parley_job', kind) FROM added" },
	/*
	 * By fairness: of the owners that wait, the one with the fewest running comes first. Of a kind and key one runs at
	 * a time. $4: only for those that have fewer running. Where nothing is to be taken it says in how many milliseconds
	 * something may be due that is not now: what is due already is somebody's, or waits for its owner's or its key's
	 * others to end. All of one moment, so nothing falls due in between.
	 */
	{ "job_take",
	  "WITH running AS (SELECT owner_id, count(*) AS jobs FROM job"
	  " WHERE lease_until > now() AND owner_id IS NOT NULL AND kind = ANY($1) GROUP BY owner_id),"
	  /* the first few, since all of them cannot be locked in their order without being sorted */
	  " best AS (SELECT j.id, k.lease, coalesce(r.jobs, 0) AS jobs, j.run_at, j.number"
	  " FROM job j JOIN unnest($1::text[], $2::int[]) AS k(kind, lease) ON j.kind = k.kind"
	  " LEFT JOIN running r ON r.owner_id = j.owner_id"
	  " WHERE j.failed IS NULL AND j.run_at <= now() AND (j.lease_until IS NULL OR j.lease_until < now())"
	  " AND coalesce(r.jobs, 0) < $4::int AND NOT EXISTS (SELECT FROM job t"
	  " WHERE t.kind = j.kind AND t.key = j.key AND t.lease_until > now())"
	  " ORDER BY jobs, j.run_at, j.number LIMIT 64),"
	  " due AS (SELECT j.id, now() + b.lease * interval '1 millisecond' AS lease_until"
	  " FROM best b JOIN job j ON j.id = b.id WHERE j.lease_until IS NULL OR j.lease_until < now()"
	  " ORDER BY b.jobs, b.run_at, b.number LIMIT 1 FOR UPDATE OF j SKIP LOCKED)"
	  " UPDATE job SET attempt = attempt + 1, lease_until = due.lease_until, lease_by = $3 FROM due"
	  " WHERE job.id = due.id"
	  " RETURNING job.id, job.number, job.kind, job.owner_id, job.payload, job.attempt" },
	/* What is due already is somebody's, or waits for its owner's or its key's others to end. */
	{ "job_next",
	  "SELECT ceil(extract(epoch FROM min(greatest(run_at, lease_until)) - now()) * 1000)::bigint AS ms"
	  " FROM job WHERE failed IS NULL AND kind = ANY($1) AND greatest(run_at, lease_until) > now()" },
	{ "job_cancel", "DELETE FROM job WHERE kind = $1 AND owner_id = $2 AND key = $3 AND failed IS NULL" },
	{ "job_tell", "SELECT pg_notify('parley_job', '-' || $1)" },
	{ "job_renew", "UPDATE job SET lease_until = now() + $4 * interval '1 millisecond'"
	               " WHERE id = $1 AND lease_by = $2 AND attempt = $3" },
	/* A commit that is on disk a moment later: what is lost with the database's machine is done again. */
	{ "job_lightly", "SELECT set_config('synchronous_commit', 'off', true)" },
	{ "job_done", "DELETE FROM job WHERE id = $1 AND lease_by = $2 AND attempt = $3" },
	{ "job_retry",
	  "UPDATE job SET lease_until = NULL, lease_by = NULL, run_at = now() + $4 * interval '1 millisecond'"
	  " WHERE id = $1 AND lease_by = $2 AND attempt = $3" },
	{ "job_fail", "UPDATE job SET lease_until = NULL, lease_by = NULL, failed = $4"
	              " WHERE id = $1 AND lease_by = $2 AND attempt = $3" },
	{ "job_return", "WITH returned AS ("
	                "UPDATE job SET lease_until = NULL, lease_by = NULL, attempt = attempt - 1"
	                " WHERE id = $1 AND lease_by = $2 AND attempt = $3 RETURNING kind)"
	                " SELECT pg_notify('parley_job', kind) FROM returned" },
	{ "job_sweep",
	  "DELETE FROM job WHERE failed IS NOT NULL AND created_at < now() - interval '30 days'" },
	{ 0 },
};

int job_add(struct db *db, const char *kind, const char *owner_id, const char *key, const char *payload_json,
            int delay, struct error *err)
{
	return db_exec(db, "job_add", DB_ARGS(kind, owner_id, key, payload_json, delay), NULL, err);
}

int job_cancel(struct db *db, const char *kind, const char *owner_id, const char *key, struct error *err)
{
	int gone = db_changed(db, "job_cancel", DB_ARGS(kind, owner_id, key), err);

	return gone <= 0 ? gone : db_exec(db, "job_tell", DB_ARGS(kind), NULL, err);
}

/* --- Threads ----------------------------------------------------------------------------------------------------- */

static void *work(void *arg)
{
	struct worker *w = arg;
	struct job_runner *r = w->runner;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (!w->busy && !r->closed)
			pthread_cond_wait(&r->changed, &r->lock);
		if (!w->busy)
			break;
		pthread_mutex_unlock(&r->lock);
		job_run(w);
		pthread_mutex_lock(&r->lock);
		w->busy = false;
		r->woken = true; /* room for another */
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void notified(void *arg, const char *channel, const char *kind)
{
	struct job_runner *r = arg;

	bool cancelled = kind && *kind == '-';

	(void)channel;
	if (kind && !job_find_kind(r, kind + cancelled))
		return; /* another service's */
	pthread_mutex_lock(&r->lock);
	r->woken = true;
	r->doubt = r->doubt || cancelled || !kind; /* NULL: it may have been missed */
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* --- Start and stop ---------------------------------------------------------------------------------------------- */

static void list_kinds(struct job_runner *r)
{
	char **names = arena_new(&r->arena, char *, r->count),
	     **leases = arena_new(&r->arena, char *, r->count);

	for (size_t i = 0; i < r->count; i++) {
		assert(r->kinds[i].attempts > 0 && r->kinds[i].lease_ms > 0);
		names[i] = arena_strdup(&r->arena, r->kinds[i].kind);
		leases[i] = arena_printf(&r->arena, "%d", r->kinds[i].lease_ms);
	}
	r->kind_names = db_text_array(names, r->count, &r->arena);
	r->leases = db_text_array(leases, r->count, &r->arena);
}

/* Nothing new is taken from now on. */
static void drain(void *arg)
{
	struct job_runner *r = arg;

	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

int job_runner_start(struct service *s, const struct job_kind *kinds, size_t count, int threads,
                     struct job_runner **ret, struct error *err)
{
	struct job_runner *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	*r = (struct job_runner){
		.service = s, .kinds = kinds, .count = count, .threads = threads, .patience_ms = PATIENCE_MS
	};
	uuid_make(r->id);
	arena_init(&r->arena, 0);
	list_kinds(r);
	pthread_mutex_init(&r->lock, NULL);
	cond_init_monotonic(&r->changed);
	r->workers = calloc((size_t)threads, sizeof *r->workers);
	if (!r->workers)
		abort();
	for (int i = 0; i < threads; i++) {
		r->workers[i].runner = r;
		arena_init(&r->workers[i].arena, 0);
		r->workers[i].thread = thread_start(work, &r->workers[i]);
	}
	r->scheduler = thread_start(job_schedule, r);
	*ret = r;
	service_on_drain(s, drain, r);
	if (db_listen(service_database_url(s), channels, notified, r, &r->listener, err) == 0)
		return 0;
	job_runner_stop(r);
	return -1;
}

void job_runner_halve(struct job_runner *r)
{
	pthread_mutex_lock(&r->lock);
	r->halves = true;
	pthread_mutex_unlock(&r->lock);
}

void job_runner_wake(struct job_runner *r)
{
	pthread_mutex_lock(&r->lock);
	r->woken = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void job_runner_stop(struct job_runner *r)
{
	int64_t patience;

	if (!r)
		return;
	patience = clock_mono_ms() + r->patience_ms;
	service_off_drain(r->service, r);
	db_listener_free(r->listener);
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->changed);
	while (!job_all_idle(r) && cond_wait_until(&r->changed, &r->lock, patience) == 0)
		;
	for (int i = 0; i < r->threads; i++)
		atomic_store(&r->workers[i].cancelled,
		             true); /* the scheduler goes on renewing until they are done */
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->scheduler, NULL);
	for (int i = 0; i < r->threads; i++) {
		pthread_join(r->workers[i].thread, NULL);
		arena_done(&r->workers[i].arena);
	}
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	arena_done(&r->arena);
	free(r->workers);
	free(r);
}
