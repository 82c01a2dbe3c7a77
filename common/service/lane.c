#include "common/service/lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"

enum { IDLE_MS = 20 * 1000, SHARE_PART = 4 };

struct share {
	uint64_t owner;
	int busy, queued;
	struct lane_job *first, **end;
	struct share *next_waiting, *next;
};

void lane_init(struct lane *lane, const struct lane_config *config, struct metrics *m)
{
	char labels[64];

	*lane = (struct lane){ .config = *config };
	lane->threads_max =
	    config->brief ? (config->places + DB_BATCH_MAX - 1) / DB_BATCH_MAX : config->places;
	lane->waiting_end = &lane->waiting;
	lane->promised_end = &lane->promised;
	pthread_mutex_init(&lane->lock, NULL);
	cond_init_monotonic(&lane->work);
	cond_init_monotonic(&lane->ended);
	snprintf(labels, sizeof labels, "lane=\"%s\"", config->name);
	lane->gauge_queued =
	    metrics_get(m, METRIC_GAUGE, "rpc_queue_depth", labels, "Requests that wait for a thread.");
	lane->gauge_threads =
	    metrics_get(m, METRIC_GAUGE, "rpc_threads", labels, "Threads of a lane, idle ones included.");
}

void lane_done(struct lane *lane)
{
	for (int i = 0; i < LANE_HEADS; i++) {
		for (struct share *s = lane->heads[i], *next; s; s = next) {
			next = s->next;
			free(s);
		}
	}
	pthread_cond_destroy(&lane->work);
	pthread_cond_destroy(&lane->ended);
	pthread_mutex_destroy(&lane->lock);
}

/* --- Shares; the lock is held in all that follows ---------------------------------------------------------------------- */

static struct share **place_of(struct lane *lane, uint64_t owner)
{
	struct share **at = &lane->heads[(owner * UINT64_C(0x9e3779b97f4a7c15)) >> 58];

	while (*at && (*at)->owner != owner)
		at = &(*at)->next;
	return at;
}

static struct share *share_of(struct lane *lane, uint64_t owner)
{
	struct share **at = place_of(lane, owner);

	if (*at)
		return *at;
	*at = calloc(1, sizeof **at);
	if (!*at)
		abort();
	(*at)->owner = owner;
	(*at)->end = &(*at)->first;
	return *at;
}

static void forget_if_empty(struct lane *lane, struct share *s)
{
	if (s->busy || s->queued)
		return;
	*place_of(lane, s->owner) = s->next;
	free(s);
}

static int quarter(int places)
{
	return places / SHARE_PART > 1 ? places / SHARE_PART : 1;
}

/* May it have one more of the places now? */
static bool allowed(const struct lane *lane, const struct share *s)
{
	int left = lane->config.places - lane->busy;

	if (left <= 0 || !s->owner)
		return left > 0;
	if (left == 1)
		return !s->busy;
	return !lane->config.waits_long || s->busy < quarter(lane->config.places) || s->busy < left;
}

/* Whose turn it is: the link to it, or to NULL. */
static struct share **pick(struct lane *lane)
{
	struct share **best = NULL;

	for (struct share **at = &lane->waiting; *at; at = &(*at)->next_waiting) {
		const struct share *s = *at;

		if (!allowed(lane, s))
			continue;
		if (!s->owner || s->busy < quarter(lane->config.places))
			return at;
		if (!best || s->busy < (*best)->busy)
			best = at;
	}
	return best ? best : lane->waiting_end;
}

/* Is there room in the queue for one more of this owner's? */
static bool may_wait(struct lane *lane, const struct share *s)
{
	int left = lane->config.places + lane->config.queue - lane->busy - lane->queued;
	bool others_wait = lane->waiting && (lane->waiting != s || s->next_waiting);

	if (left <= 0 || !s->owner)
		return left > 0;
	if (left == 1)
		return !s->busy && !s->queued;
	return !others_wait || s->queued < quarter(lane->config.places + lane->config.queue);
}

static void count_queued(struct lane *lane, int more)
{
	lane->queued += more;
	metric_set(lane->gauge_queued, lane->queued);
}

static void enqueue(struct lane *lane, struct share *s, struct lane_job *job)
{
	job->next = NULL;
	*s->end = job;
	s->end = &job->next;
	if (!s->queued++) {
		s->next_waiting = NULL;
		*lane->waiting_end = s;
		lane->waiting_end = &s->next_waiting;
	}
	count_queued(lane, 1);
}

/* The first job of the share that this link leads to; its owner goes to the end of those who wait. */
static struct lane_job *dequeue(struct lane *lane, struct share **at)
{
	struct share *s = *at;
	struct lane_job *job = s->first;

	s->first = job->next;
	if (!s->first)
		s->end = &s->first;
	*at = s->next_waiting;
	if (!*at)
		lane->waiting_end = at;
	s->next_waiting = NULL;
	if (--s->queued) {
		*lane->waiting_end = s;
		lane->waiting_end = &s->next_waiting;
	}
	count_queued(lane, -1);
	return job;
}

/* --- Taking ------------------------------------------------------------------------------------------------------------- */

static bool has_work(struct lane *lane)
{
	return lane->promised || *pick(lane);
}

/* Is another thread to be woken for what is queued? One wake-up is under way at a time: who wakes, and finds more than
 * it takes, wakes the next. So a burst does not wake threads that then find nothing to do. */
static bool wakes_another(struct lane *lane)
{
	if (!lane->idle || lane->waking || !has_work(lane))
		return false;
	return lane->waking = true;
}

static void wait_for_work(struct lane *lane)
{
	int64_t until = clock_mono_ms() + IDLE_MS;
	int late = 0;

	lane->idle++;
	while (!has_work(lane) && !(lane->stopping && !lane->queued) && !late) {
		late = cond_wait_until(&lane->work, &lane->lock, until);
		lane->waking = false;
	}
	lane->idle--;
}

static struct lane_job *next_job(struct lane *lane, struct share **ret)
{
	struct lane_job *job = lane->promised;
	struct share **at;

	if (job) { /* its place is counted already */
		*ret = *place_of(lane, job->owner);
		lane->promised = job->next;
		if (!lane->promised)
			lane->promised_end = &lane->promised;
		count_queued(lane, -1);
		return job;
	}
	at = pick(lane);
	if (!*at)
		return NULL;
	*ret = *at;
	lane->busy++;
	(*at)->busy++;
	return dequeue(lane, at);
}

struct lane_job *lane_take(struct lane *lane, bool waits, struct share **ret)
{
	struct lane_job *job;
	bool wake;

	pthread_mutex_lock(&lane->lock);
	if (waits && !has_work(lane))
		wait_for_work(lane);
	job = next_job(lane, ret);
	wake = job && wakes_another(lane);
	if (lane->stopping && !lane->queued)
		pthread_cond_broadcast(&lane->work); /* who waited for the last of it */
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

static void give_back(struct lane *lane, struct share *held)
{
	lane->busy--;
	held->busy--;
	forget_if_empty(lane, held);
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
static bool find_thread(struct lane *lane, bool *wake)
{
	pthread_t thread;

	if (lane->queued > lane->idle && may_work(lane) && has_work(lane)) {
		if (thread_try(&thread, lane_thread, lane) < 0)
			return lane->threads > 0;
		lane->threads++;
		metric_set(lane->gauge_threads, lane->threads);
		return true;
	}
	*wake = wakes_another(lane);
	return true;
}

/* Out of the queue of its owner; false: it is not there. */
static bool take_back(struct lane *lane, struct share *s, const struct lane_job *job)
{
	struct lane_job **link = &s->first;
	struct share **at = &lane->waiting;

	while (*link && *link != job)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = job->next;
	if (!*link)
		s->end = link;
	count_queued(lane, -1);
	if (--s->queued)
		return true;
	while (*at != s)
		at = &(*at)->next_waiting;
	*at = s->next_waiting;
	if (!*at)
		lane->waiting_end = at;
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
	count_queued(lane, -1);
}

int lane_push(struct lane *lane, struct lane_job *job)
{
	bool room = false, wake = false;
	struct share *s;

	pthread_mutex_lock(&lane->lock);
	if (!lane->stopping) {
		s = share_of(lane, job->owner);
		room = may_wait(lane, s);
		if (room) {
			enqueue(lane, s, job);
			room = find_thread(lane, &wake);
			if (!room)
				(void)take_back(lane, s, job);
		}
		forget_if_empty(lane, s);
	}
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
	return room ? 0 : -1;
}

bool lane_remove(struct lane *lane, struct lane_job *job)
{
	struct share *s;
	bool found;

	pthread_mutex_lock(&lane->lock);
	s = share_of(lane, job->owner);
	found = take_back(lane, s, job);
	forget_if_empty(lane, s);
	if (lane->stopping && !lane->queued)
		pthread_cond_broadcast(&lane->work); /* who waited for the last of it */
	pthread_mutex_unlock(&lane->lock);
	return found;
}

struct share *lane_hold(struct lane *lane, uint64_t owner)
{
	struct share *s;

	pthread_mutex_lock(&lane->lock);
	s = share_of(lane, owner);
	if (!lane->stopping && allowed(lane, s)) {
		lane->busy++;
		s->busy++;
	} else {
		forget_if_empty(lane, s);
		s = NULL;
	}
	pthread_mutex_unlock(&lane->lock);
	return s;
}

void lane_release(struct lane *lane, struct share *held)
{
	bool wake = false;

	pthread_mutex_lock(&lane->lock);
	give_back(lane, held);
	(void)find_thread(lane, &wake);
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
}

/* The lock is held. */
static bool promise(struct lane *lane, struct lane_job *job, const struct share *held, bool *wake)
{
	job->owner = held->owner;
	job->next = NULL;
	*lane->promised_end = job;
	lane->promised_end = &job->next;
	count_queued(lane, 1);
	return find_thread(lane, wake);
}

int lane_push_held(struct lane *lane, struct lane_job *job, struct share *held)
{
	bool wake = false, found;

	pthread_mutex_lock(&lane->lock);
	found = promise(lane, job, held, &wake);
	if (!found) /* nor was there one for anybody else */
		take_promised(lane, job);
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
	return found ? 0 : -1;
}

void lane_push_again(struct lane *lane, struct lane_job *job, struct share *held)
{
	bool wake = false;

	pthread_mutex_lock(&lane->lock);
	(void)promise(lane, job, held, &wake);
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
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
	bool wake = false;

	pthread_mutex_lock(&lane->lock);
	lane->away++;
	(void)find_thread(lane, &wake);
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
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
	pthread_cond_broadcast(&lane->work);
	while (lane->threads || lane->busy) {
		if (cond_wait_until(&lane->ended, &lane->lock, until) < 0)
			break;
	}
	left = lane->threads + lane->busy;
	pthread_mutex_unlock(&lane->lock);
	return left ? -1 : 0;
}
