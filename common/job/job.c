#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/job/internal.h"

/*
 * One thread, the scheduler, takes due jobs and hands them to idle workers, renews the leases of what runs, and sleeps until
 * something is due, a NOTIFY comes or a worker is idle again. The only clock that counts is the database's.
 */
enum {
	IDLE_MS = 30 * 1000, /* wakes after so long, whatever NOTIFY did not say */
	RETRY_MS = 500,      /* after the database said nothing */
	RENEW_MS = 20,       /* at least, between two renewals */
	SWEEP_MS = 60 * 60 * 1000,
	PATIENCE_MS = 5 * 1000, /* at the stop, before what runs is cancelled */
};

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

static const struct job_kind *find_kind(const struct job_runner *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->kinds[i].kind, name) == 0)
			return &r->kinds[i];
	}
	return NULL;
}

static int64_t wait_of(const PGresult *next)
{
	int64_t ms = db_text(next, 0, "ms") ? db_int(next, 0, "ms") : IDLE_MS;

	return ms < 10 ? 10 : ms < IDLE_MS ? ms : IDLE_MS;
}

static void fill(struct job_runner *r, struct worker *w, const PGresult *taken, int64_t now)
{
	arena_reset(&w->arena);
	w->job = (struct job){
		.id = arena_strdup(&w->arena, db_text(taken, 0, "id")),
		.number = db_int(taken, 0, "number"),
		.kind = arena_strdup(&w->arena, db_text(taken, 0, "kind")),
		.owner_id = arena_strdup(&w->arena, db_text(taken, 0, "owner_id")),
		.payload = arena_strdup(&w->arena, db_text(taken, 0, "payload")),
		.attempt = (int)db_int(taken, 0, "attempt"),
	};
	w->kind = find_kind(r, w->job.kind);
	w->job.last = w->job.attempt >= w->kind->attempts;
	atomic_store(&w->leased_until, now + w->kind->lease_ms);
}

/* 1 and the worker's job is filled in, 0 and *wait: nothing is due before, -1. room: for an owner that has fewer running. */
static int take(struct job_runner *r, struct worker *w, int room, int64_t *wait, struct error *err)
{
	enum { TAKEN, NEXT, STEPS };
	struct db_step steps[STEPS] = {
		[TAKEN] = { "job_take", DB_ARGS(r->kind_names, r->leases, r->id, room) },
		[NEXT] = { "job_next", DB_ARGS(r->kind_names) },
	};
	int64_t now = clock_mono_ms();
	struct db db;
	int taken;

	db_init(&db, service_db(r->service));
	if (db_together(&db, steps, STEPS, err) < 0)
		return -1;
	taken = PQntuples(steps[TAKEN].res);
	if (taken)
		fill(r, w, steps[TAKEN].res, now);
	else
		*wait = wait_of(steps[NEXT].res);
	db_steps_done(steps, STEPS);
	return taken;
}

/* NULL: all are busy. The last one of several is kept for owners that have none running, and of a runner that halves so many for those
 * that have fewer running. */
static struct worker *idle_worker(struct job_runner *r, int *room)
{
	struct worker *idle = NULL;
	int count = 0;

	for (int i = 0; i < r->threads; i++) {
		if (!r->workers[i].busy) {
			idle = idle ? idle : &r->workers[i];
			count++;
		}
	}
	*room = r->threads == 1 ? INT_MAX : r->halves || count == 1 ? count : INT_MAX;
	return idle;
}

/* With the lock held, given up around the database. Returns how long nothing will be due. */
static int64_t hand_out(struct job_runner *r)
{
	struct worker *w;
	int room;

	while (!r->stopping && (w = idle_worker(r, &room)) != NULL) {
		struct error err = { 0 };
		int64_t wait = RETRY_MS;
		int got;

		pthread_mutex_unlock(&r->lock);
		got = take(r, w, room, &wait, &err);
		pthread_mutex_lock(&r->lock);
		if (got <= 0)
			return wait;
		w->busy = true;
		atomic_store(&w->cancelled, r->stopping); /* too late: the worker hands it back */
		pthread_cond_broadcast(&r->changed);
	}
	return IDLE_MS; /* an idle worker wakes us */
}

/* When the lease wants renewing: with a third of it gone. */
static int64_t until_renewal(const struct worker *w)
{
	return atomic_load(&w->leased_until) - clock_mono_ms() - w->kind->lease_ms * 2 / 3;
}

/* With the lock held, given up around the database. */
static void renew(struct job_runner *r, struct worker *w)
{
	int attempt = w->job.attempt, lease = w->kind->lease_ms, failed;
	int64_t rows = 0, now = clock_mono_ms();
	struct error err = { 0 };
	char id[UUID_TEXT];
	struct db db;

	memcpy(id, w->job.id, sizeof id); /* the worker may be done with it before we are */
	pthread_mutex_unlock(&r->lock);
	db_init(&db, service_db(r->service));
	failed = db_change(&db, "job_renew", DB_ARGS((const char *)id, r->id, attempt, lease), &rows, &err);
	pthread_mutex_lock(&r->lock);
	if (!failed && rows == 1)
		atomic_store(&w->leased_until, now + lease);
	else if (w->busy && (!failed || atomic_load(&w->leased_until) < clock_mono_ms()))
		atomic_store(&w->cancelled, true); /* somebody else has it, or will have */
}

/* With the lock held, given up around the database. Returns when to come again. In doubt each is asked for: one that
 * was cancelled has no row any more. */
static int64_t renew_leases(struct job_runner *r)
{
	int64_t soonest = IDLE_MS, left;
	bool doubt = r->doubt;

	r->doubt = false;

	for (int i = 0; i < r->threads; i++) {
		struct worker *w = &r->workers[i];
		if (w->busy && (doubt || until_renewal(w) <= 0))
			renew(r, w);
		if (!w->busy)
			continue;
		left = until_renewal(w);
		if (left < RENEW_MS)
			left = RENEW_MS;
		soonest = left < soonest ? left : soonest;
	}
	return soonest;
}

static bool all_idle(const struct job_runner *r)
{
	for (int i = 0; i < r->threads; i++) {
		if (r->workers[i].busy)
			return false;
	}
	return true;
}

static void sweep(struct job_runner *r, int64_t *next)
{
	struct error err = { 0 };
	struct db db;

	if (clock_mono_ms() < *next)
		return;
	*next = clock_mono_ms() + SWEEP_MS;
	db_init(&db, service_db(r->service));
	if (db_exec(&db, "job_sweep", DB_ARGS(), NULL, &err) < 0)
		*next = clock_mono_ms() + IDLE_MS; /* nobody misses it until then */
}

static void *schedule(void *arg)
{
	struct job_runner *r = arg;
	int64_t next_sweep = 0;

	sweep(r, &next_sweep);
	pthread_mutex_lock(&r->lock);
	while (!(r->stopping && all_idle(r))) {
		int64_t due, renewal, until;

		r->woken = false;
		due = hand_out(r);
		renewal = renew_leases(r);
		until = clock_mono_ms() + (due < renewal ? due : renewal);
		while (!r->woken && !(r->stopping && all_idle(r)) &&
		       cond_wait_until(&r->changed, &r->lock, until) == 0)
			;
		if (!r->stopping) {
			pthread_mutex_unlock(&r->lock);
			sweep(r, &next_sweep);
			pthread_mutex_lock(&r->lock);
		}
	}
	r->closed = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void notified(void *arg, const char *channel, const char *kind)
{
	struct job_runner *r = arg;

	bool cancelled = kind && *kind == '-';

	(void)channel;
	if (kind && !find_kind(r, kind + cancelled))
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
	r->scheduler = thread_start(schedule, r);
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
	while (!all_idle(r) && cond_wait_until(&r->changed, &r->lock, patience) == 0)
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
