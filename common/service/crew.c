/*
 * A thread that works for several brief calls at a time, each on a fiber. All it waits for is the database, and for
 * that it waits once: the reads of all its calls travel together (common/db/batch.c). Compared with a thread per call
 * that saves most of the sleeping and waking, which is what a small read mainly costs.
 */
#include "common/base/fiber.h"
#include "common/service/internal.h"

/* One call. */
struct hand {
	struct lane *lane;
	struct fiber *fiber; /* made when it is needed first */
	struct lane_job *job;
	struct arena arena;
	bool busy;
};

struct crew {
	struct hand hands[DB_BATCH_MAX];
	struct db_batch batch;
	int busy;
};

static void run_job(void *arg)
{
	struct hand *hand = arg;

	hand->job->run(hand->job, &hand->arena);
}

static void settle(struct crew *crew, struct hand *hand, bool paused)
{
	if (hand->busy != paused)
		crew->busy += paused ? 1 : -1;
	hand->busy = paused;
	if (paused)
		return;
	arena_reset(&hand->arena);
	lane_leave(hand->lane);
}

static void begin(struct crew *crew, struct lane *lane, struct lane_job *job)
{
	struct hand *hand = crew->hands;

	while (hand->busy)
		hand++;
	if (!hand->fiber) {
		hand->lane = lane;
		hand->fiber = fiber_new();
		arena_init(&hand->arena, 0);
	}
	hand->job = job;
	settle(crew, hand, fiber_start(hand->fiber, run_job, hand));
}

static void go_on(struct crew *crew)
{
	for (int i = 0; i < DB_BATCH_MAX; i++) {
		struct hand *hand = &crew->hands[i];

		if (hand->busy)
			settle(crew, hand, fiber_resume(hand->fiber));
	}
}

void crew_work(struct lane *lane)
{
	struct crew crew = { .busy = 0 };
	struct lane_job *job;

	db_batch_gather(&crew.batch);
	for (;;) {
		while (crew.busy < DB_BATCH_MAX && (job = lane_take(lane, !crew.busy)))
			begin(&crew, lane, job);
		if (!crew.busy)
			break;
		db_batch_run(&crew.batch);
		go_on(&crew);
	}
	db_batch_gather(NULL);
	for (int i = 0; i < DB_BATCH_MAX && crew.hands[i].fiber; i++) {
		fiber_free(crew.hands[i].fiber);
		arena_done(&crew.hands[i].arena);
	}
}
