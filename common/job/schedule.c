/*
 * One thread, the scheduler, takes due jobs and hands them to idle workers, renews the leases of what runs, and sleeps until
 * something is due, a NOTIFY comes or a worker is idle again. The only clock that counts is the database's.
 */
#include <limits.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/job/internal.h"

enum {
	IDLE_MS = 30 * 1000, /* wakes after so long, whatever NOTIFY did not say */
	RETRY_MS = 500,      /* after the database said nothing */
	RENEW_MS = 20,       /* at least, between two renewals */
	SWEEP_MS = 60 * 60 * 1000,
};

const struct job_kind *job_find_kind(const struct job_runner *r, const char *name)
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
	w->kind = job_find_kind(r, w->job.kind);
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

bool job_all_idle(const struct job_runner *r)
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

void *job_schedule(void *arg)
{
	struct job_runner *r = arg;
	int64_t next_sweep = 0;

	sweep(r, &next_sweep);
	pthread_mutex_lock(&r->lock);
	while (!(r->stopping && job_all_idle(r))) {
		int64_t due, renewal, until;

		r->woken = false;
		due = hand_out(r);
		renewal = renew_leases(r);
		until = clock_mono_ms() + (due < renewal ? due : renewal);
		while (!r->woken && !(r->stopping && job_all_idle(r)) &&
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
