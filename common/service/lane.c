#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/service/internal.h"

enum { IDLE_MS = 20 * 1000 };

void lane_init(struct lane *lane, int threads_max, int queue_max, struct metrics *m, const char *name)
{
	char labels[64];

	*lane = (struct lane){ .name = name, .threads_max = threads_max, .queue_max = queue_max };
	lane->end = &lane->first;
	pthread_mutex_init(&lane->lock, NULL);
	cond_init_monotonic(&lane->work);
	cond_init_monotonic(&lane->ended);
	snprintf(labels, sizeof labels, "lane=\"%s\"", name);
	lane->gauge_queued =
	    metrics_get(m, METRIC_GAUGE, "rpc_queue_depth", labels, "Requests that wait for a thread.");
	lane->gauge_threads =
	    metrics_get(m, METRIC_GAUGE, "rpc_threads", labels, "Threads of a lane, idle ones included.");
}

/* Is another thread to be woken for what is queued? One wake-up is under way at a time: who wakes, and finds more than
 * it takes, wakes the next. So a burst does not wake threads that then find nothing to do. The lock is held. */
static bool wakes_another(struct lane *lane)
{
	if (!lane->first || !lane->idle || lane->waking)
		return false;
	return lane->waking = true;
}

/* With the lock held. */
static struct lane_job *next_job(struct lane *lane, bool waits)
{
	struct lane_job *job;

	if (waits && !lane->first && !lane->stopping) {
		int64_t until = clock_mono_ms() + IDLE_MS;
		int late = 0;

		lane->idle++;
		while (!lane->first && !lane->stopping && !late) {
			late = cond_wait_until(&lane->work, &lane->lock, until);
			lane->waking = false;
		}
		lane->idle--;
	}
	job = lane->first;
	if (!job)
		return NULL;
	lane->first = job->next;
	if (!lane->first)
		lane->end = &lane->first;
	lane->queued--;
	metric_set(lane->gauge_queued, lane->queued);
	lane->busy++;
	return job;
}

struct lane_job *lane_take(struct lane *lane, bool waits)
{
	struct lane_job *job;
	bool wake;

	pthread_mutex_lock(&lane->lock);
	job = next_job(lane, waits);
	wake = job && wakes_another(lane);
	if (!job && waits) { /* the caller ends: not a thread of the lane any more, under the same lock */
		lane->threads--;
		metric_set(lane->gauge_threads, lane->threads);
		pthread_cond_broadcast(&lane->ended);
	}
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
	return job;
}

void lane_leave(struct lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->busy--;
	pthread_mutex_unlock(&lane->lock);
}

static void work(struct lane *lane)
{
	struct lane_job *job;
	struct arena a;

	arena_init(&a, 0);
	while ((job = lane_take(lane, true))) {
		job->run(job, &a, NULL);
		arena_reset(&a);
		lane_leave(lane);
	}
	arena_done(&a);
}

static void *lane_thread(void *arg)
{
	struct lane *lane = arg;

	pthread_detach(pthread_self());
	pthread_setname_np(pthread_self(), lane->name);
	if (lane->brief)
		brief_work(lane);
	else
		work(lane);
	return NULL;
}

int lane_push(struct lane *lane, struct lane_job *job)
{
	bool room, wake = false;

	pthread_mutex_lock(&lane->lock);
	room = !lane->stopping && lane->busy + lane->queued < lane->threads_max + lane->queue_max;
	if (room) {
		job->next = NULL;
		*lane->end = job;
		lane->end = &job->next;
		lane->queued++;
		metric_set(lane->gauge_queued, lane->queued);
		if (lane->queued > lane->idle && lane->threads < lane->threads_max) {
			lane->threads++;
			metric_set(lane->gauge_threads, lane->threads);
			thread_start(lane_thread, lane);
		} else {
			wake = wakes_another(lane);
		}
	}
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
	return room ? 0 : -1;
}

int lane_busy(struct lane *lane)
{
	int busy;

	pthread_mutex_lock(&lane->lock);
	busy = lane->busy + lane->queued;
	pthread_mutex_unlock(&lane->lock);
	return busy;
}

int lane_stop(struct lane *lane, int ms)
{
	int64_t until = clock_mono_ms() + ms;
	int left;

	pthread_mutex_lock(&lane->lock);
	lane->stopping = true;
	pthread_cond_broadcast(&lane->work);
	while (lane->threads) {
		if (cond_wait_until(&lane->ended, &lane->lock, until) < 0)
			break;
	}
	left = lane->threads;
	pthread_mutex_unlock(&lane->lock);
	return left ? -1 : 0;
}

void lane_done(struct lane *lane)
{
	pthread_cond_destroy(&lane->work);
	pthread_cond_destroy(&lane->ended);
	pthread_mutex_destroy(&lane->lock);
}
