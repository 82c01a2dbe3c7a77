/*
 * A thread that works for several brief calls at a time. All that such a call waits for is a few rows: it is run to see
 * what it asks, the questions of all travel to PostgreSQL together, and with the rows at hand it is run again
 * (common/db/ahead.h). Compared with a thread per call that saves most of the sleeping and waking, which is what a small
 * read mainly costs.
 */
#include "common/service/internal.h"

/* One call, or room for one. */
struct brief_call {
	struct lane_job *job; /* NULL: free */
	struct share *held;
	struct arena arena;
	struct db_ahead ahead;
};

struct brief_thread {
	struct lane *lane;
	struct brief_call calls[DB_BATCH_MAX];
	int under_way;
};

static void run(struct brief_thread *t, struct brief_call *s)
{
	db_ahead_again(&s->ahead);
	s->job->run(s->job, &s->arena, &s->ahead);
	if (s->ahead.waits)
		return;
	db_ahead_done(&s->ahead);
	arena_reset(&s->arena);
	s->job = NULL;
	t->under_way--;
	lane_leave(t->lane, s->held);
}

static void begin(struct brief_thread *t, struct lane_job *job, struct share *held)
{
	struct brief_call *s = t->calls;

	while (s->job)
		s++;
	s->job = job;
	s->held = held;
	t->under_way++;
	db_ahead_init(&s->ahead, &s->arena);
	run(t, s);
}

/* New ones, but not so many that those who wait already would wait for ever: calls that ask nothing end at once. False:
 * there is nothing to do any more. */
static bool take(struct brief_thread *t)
{
	struct lane_job *job;
	struct share *held;

	for (int i = 0; i < DB_BATCH_MAX && t->under_way < DB_BATCH_MAX; i++) {
		job = lane_take(t->lane, !t->under_way, &held);
		if (!job)
			return t->under_way > 0;
		begin(t, job, held);
	}
	return true;
}

static void fetch_and_run(struct brief_thread *t)
{
	struct db_ahead *waiting[DB_BATCH_MAX];
	int count = 0;

	for (int i = 0; i < DB_BATCH_MAX; i++) {
		if (t->calls[i].job)
			waiting[count++] = &t->calls[i].ahead;
	}
	db_batch_run(waiting, count);
	for (int i = 0; i < DB_BATCH_MAX; i++) {
		if (t->calls[i].job)
			run(t, &t->calls[i]);
	}
}

void brief_work(struct lane *lane)
{
	struct brief_thread t = { .lane = lane };

	for (int i = 0; i < DB_BATCH_MAX; i++)
		arena_init(&t.calls[i].arena, 0);
	while (take(&t)) {
		if (t.under_way)
			fetch_and_run(&t);
	}
	for (int i = 0; i < DB_BATCH_MAX; i++)
		arena_done(&t.calls[i].arena);
}
