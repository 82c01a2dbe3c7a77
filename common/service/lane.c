#include "common/service/share.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/service/idler.h"

enum { IDLE_MS = 20 * 1000 };

void lane_init(struct lane *lane, const struct lane_config *config, struct metrics *m)
{
	char labels[64];

	*lane = (struct lane){ .config = *config };
	lane->threads_max =
	    config->brief ? (config->places + DB_BATCH_MAX - 1) / DB_BATCH_MAX : config->places;
	lane->waiting_end = &lane->waiting;
	lane->promised_end = &lane->promised;
	pthread_mutex_init(&lane->lock, NULL);
	cond_init_monotonic(&lane->ended);
	snprintf(labels, sizeof labels, "lane=\"%s\"", config->name);
	lane->gauge_queued =
	    metrics_get(m, METRIC_GAUGE, "rpc_queue_depth", labels, "Requests that wait for a thread.");
	lane->gauge_threads =
	    metrics_get(m, METRIC_GAUGE, "rpc_threads", labels, "Threads of a lane, idle ones included.");
}

void lane_done(struct lane *lane)
{
	shares_free(lane);
	pthread_cond_destroy(&lane->ended);
	pthread_mutex_destroy(&lane->lock);
}

/* --- Taking ------------------------------------------------------------------------------------------------------------- */

static bool has_work(struct lane *lane)
{
	return lane->promised || *share_pick(lane);
}

/* Is another thread to be woken for what is queued? One wake-up is under way at a time: who wakes, and finds more than
 * it takes, wakes the next. So a burst does not wake threads that then find nothing to do. */
static struct idler *wakes_another(struct lane *lane)
{
	struct idler *called = lane->waking || !has_work(lane) ? NULL : idler_call(lane);

	lane->waking |= called != NULL;
	return called;
}

static void wait_for_work(struct lane *lane)
{
	int64_t until = clock_mono_ms() + IDLE_MS;
	int late = 0;

	lane->idle++;
	while (!has_work(lane) && !(lane->stopping && !lane->queued) && !late) {
		late = idler_wait(lane, until);
		lane->waking &= late != 0;
	}
	lane->idle--;
}

static struct lane_job *next_job(struct lane *lane, struct share **ret)
{
	struct lane_job *job = lane->promised;
	struct share **at;

	if (job) { /* its place is counted already */
		*ret = *share_place(lane, job->owner);
		lane->promised = job->next;
		if (!lane->promised)
			lane->promised_end = &lane->promised;
		share_count(lane, -1);
		return job;
	}
	at = share_pick(lane);
	if (!*at)
		return NULL;
	*ret = *at;
	lane->busy++;
	(*at)->busy++;
	return share_dequeue(lane, at);
}

struct lane_job *lane_take(struct lane *lane, bool waits, struct share **ret)
{
	struct lane_job *job;
	struct idler *wake;

	pthread_mutex_lock(&lane->lock);
	if (waits && !has_work(lane))
		wait_for_work(lane);
	job = next_job(lane, ret);
	wake = job ? wakes_another(lane) : NULL;
	if (lane->stopping && !lane->queued)
		idler_call_all(lane); /* who waited for the last of it */
	if (!job && waits) { /* the caller ends: not a thread of the lane any more, under the same lock */
		lane->threads--;
		metric_set(lane->gauge_threads, lane->threads);
		pthread_cond_broadcast(&lane->ended);
	}
	pthread_mutex_unlock(&lane->lock);
	idler_wake(wake);
	return job;
}

static void give_back(struct lane *lane, struct share *held)
{
	lane->busy--;
	held->busy--;
	share_forget(lane, held);
}

void lane_leave(struct lane *lane, struct share *held)
{
	pthread_mutex_lock(&lane->lock);
	give_back(lane, held);
	pthread_mutex_unlock(&lane->lock);
}

static void work(struct lane *lane)
{
	struct lane_job *job;
	struct share *held;
	struct arena a;

	arena_init(&a, 0);
	while ((job = lane_take(lane, true, &held))) {
		job->run(job, &a, NULL);
		arena_reset(&a);
		lane_leave(lane, held);
	}
	arena_done(&a);
}

static void *lane_thread(void *arg)
{
	struct lane *lane = arg;

	pthread_detach(pthread_self());
	pthread_setname_np(pthread_self(), lane->config.name);
	if (lane->config.brief)
		brief_work(lane);
	else
		work(lane);
	return NULL;
}

/* --- Pushing ------------------------------------------------------------------------------------------------------------ */

static bool may_work(const struct lane *lane)
{
	return lane->threads < lane->threads_max &&
	       (!lane->config.working || lane->threads - lane->away < lane->config.working);
}

/* With the lock held: somebody for what was queued. false: there is no thread, and none to be had. */
static bool find_thread(struct lane *lane, struct idler **wake)
{
	pthread_t thread;

	if (lane->queued > lane->idle && may_work(lane) && has_work(lane)) {
		if (thread_try(&thread, lane_thread, lane) < 0) {
			*wake = wakes_another(lane);
			return lane->threads > 0;
		}
		lane->threads++;
		metric_set(lane->gauge_threads, lane->threads);
		return true;
	}
	*wake = wakes_another(lane);
	return true;
}

static void take_promised(struct lane *lane, const struct lane_job *job)
{
	struct lane_job **link = &lane->promised;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	if (!*link)
		lane->promised_end = link;
	share_count(lane, -1);
}

int lane_push(struct lane *lane, struct lane_job *job)
{
	struct idler *wake = NULL;
	bool room = false;
	struct share *s;

	pthread_mutex_lock(&lane->lock);
	if (!lane->stopping) {
		s = share_of(lane, job->owner);
		room = share_may_wait(lane, s);
		if (room) {
			share_enqueue(lane, s, job);
			room = find_thread(lane, &wake);
			if (!room)
				(void)share_take_back(lane, s, job);
		}
		share_forget(lane, s);
	}
	pthread_mutex_unlock(&lane->lock);
	idler_wake(wake);
	return room ? 0 : -1;
}

bool lane_remove(struct lane *lane, struct lane_job *job)
{
	struct share *s;
	bool found;

	pthread_mutex_lock(&lane->lock);
	s = share_of(lane, job->owner);
	found = share_take_back(lane, s, job);
	share_forget(lane, s);
	if (lane->stopping && !lane->queued)
		idler_call_all(lane); /* who waited for the last of it */
	pthread_mutex_unlock(&lane->lock);
	return found;
}

struct share *lane_hold(struct lane *lane, uint64_t owner)
{
	struct share *s;

	pthread_mutex_lock(&lane->lock);
	s = share_of(lane, owner);
	if (!lane->stopping && share_allowed(lane, s)) {
		lane->busy++;
		s->busy++;
	} else {
		share_forget(lane, s);
		s = NULL;
	}
	pthread_mutex_unlock(&lane->lock);
	return s;
}

void lane_release(struct lane *lane, struct share *held)
{
	struct idler *wake = NULL;

	pthread_mutex_lock(&lane->lock);
	give_back(lane, held);
	(void)find_thread(lane, &wake);
	pthread_mutex_unlock(&lane->lock);
	idler_wake(wake);
}

/* The lock is held. */
static bool promise(struct lane *lane, struct lane_job *job, const struct share *held, struct idler **wake)
{
	job->owner = held->owner;
	job->next = NULL;
	*lane->promised_end = job;
	lane->promised_end = &job->next;
	share_count(lane, 1);
	return find_thread(lane, wake);
}

int lane_push_held(struct lane *lane, struct lane_job *job, struct share *held)
{
	struct idler *wake = NULL;
	bool found;

	pthread_mutex_lock(&lane->lock);
	found = promise(lane, job, held, &wake);
	if (!found) /* nor was there one for anybody else */
		take_promised(lane, job);
	pthread_mutex_unlock(&lane->lock);
	idler_wake(wake);
	return found ? 0 : -1;
}

void lane_push_again(struct lane *lane, struct lane_job *job, struct share *held)
{
	struct idler *wake = NULL;

	pthread_mutex_lock(&lane->lock);
	(void)promise(lane, job, held, &wake);
	pthread_mutex_unlock(&lane->lock);
	idler_wake(wake);
}

void lane_keep(struct lane *lane, struct share *held)
{
	pthread_mutex_lock(&lane->lock);
	lane->busy++;
	held->busy++;
	pthread_mutex_unlock(&lane->lock);
}

void lane_away(struct lane *lane)
{
	struct idler *wake = NULL;

	pthread_mutex_lock(&lane->lock);
	lane->away++;
	(void)find_thread(lane, &wake);
	pthread_mutex_unlock(&lane->lock);
	idler_wake(wake);
}

void lane_back(struct lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->away--;
	pthread_mutex_unlock(&lane->lock);
}

/* --- The end ------------------------------------------------------------------------------------------------------------ */

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
	idler_call_all(lane);
	while (lane->threads || lane->busy) {
		if (cond_wait_until(&lane->ended, &lane->lock, until) < 0)
			break;
	}
	left = lane->threads + lane->busy;
	pthread_mutex_unlock(&lane->lock);
	return left ? -1 : 0;
}
