/*
 * A thread that works for several brief calls at a time. All that such a call waits for is a few rows: it is run to see
 * what it asks, the questions of all travel to PostgreSQL together, and with the rows at hand it is run again
 * (common/db/ahead.h). Compared with a thread per call that saves most of the sleeping and waking, which is what a small
 * read mainly costs.
 */
#include "common/service/internal.h"

/* A place for one call. */
struct seat {
	struct lane_job *job; /* NULL: free */
	struct share *held;
	struct arena arena;
	struct db_ahead ahead;
};

struct table {
	struct lane *lane;
	struct seat seats[DB_BATCH_MAX];
	int taken;
};

static void run(struct table *t, struct seat *s)
{
	db_ahead_again(&s->ahead);
	s->job->run(s->job, &s->arena, &s->ahead);
	if (s->ahead.waits)
		return;
	db_ahead_done(&s->ahead);
	arena_reset(&s->arena);
	s->job = NULL;
	t->taken--;
	lane_leave(t->lane, s->held);
}

static void seat(struct table *t, struct lane_job *job, struct share *held)
{
	struct seat *s = t->seats;

	while (s->job)
		s++;
	s->job = job;
	s->held = held;
	t->taken++;
	db_ahead_init(&s->ahead, &s->arena);
	run(t, s);
}

/* New ones, but not so many that those who wait already would wait for ever: calls that ask nothing end at once. False:
 * there is nothing to do any more. */
static bool take(struct table *t)
{
	struct lane_job *job;
	struct share *held;

	for (int i = 0; i < DB_BATCH_MAX && t->taken < DB_BATCH_MAX; i++) {
		job = lane_take(t->lane, !t->taken, &held);
		if (!job)
			return t->taken > 0;
		seat(t, job, held);
	}
	return true;
}

static void fetch_and_run(struct table *t)
{
	struct db_ahead *waiting[DB_BATCH_MAX];
	int count = 0;

	for (int i = 0; i < DB_BATCH_MAX; i++) {
		if (t->seats[i].job)
			waiting[count++] = &t->seats[i].ahead;
	}
	db_batch_run(waiting, count);
	for (int i = 0; i < DB_BATCH_MAX; i++) {
		if (t->seats[i].job)
			run(t, &t->seats[i]);
	}
}

void brief_work(struct lane *lane)
{
	struct table t = { .lane = lane };

	for (int i = 0; i < DB_BATCH_MAX; i++)
		arena_init(&t.seats[i].arena, 0);
	while (take(&t)) {
		if (t.taken)
			fetch_and_run(&t);
	}
	for (int i = 0; i < DB_BATCH_MAX; i++)
		arena_done(&t.seats[i].arena);
}
