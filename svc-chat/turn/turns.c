#include "svc-chat/turn/turns.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "svc-chat/store.h"
#include "svc-chat/store_visitors.h"

enum {
	TICK_MS = 250,
	RENEW_MS = 2000,
	SWEEP_MS = 60 * 1000,
};

struct turns {
	struct service *service;
	struct db_listener *listener;
	pthread_t keeper;
	pthread_mutex_t lock; /* guards the list and `ending` */
	pthread_cond_t changed;
	struct turn *first;
	bool ending;
};

/* --- The list ------------------------------------------------------------------------------------------------------- */

struct turn *turns_begin(struct turns *t, const char *owner, const char *message_id)
{
	struct turn *turn = calloc(1, sizeof *turn);

	if (!turn)
		abort();
	snprintf(turn->owner, sizeof turn->owner, "%s", owner);
	snprintf(turn->message_id, sizeof turn->message_id, "%s", message_id);
	pthread_mutex_init(&turn->lock, NULL);
	arena_init(&turn->arena, 0);
	text_init(&turn->content, &turn->arena);
	text_init(&turn->reasoning, &turn->arena);
	pthread_mutex_lock(&t->lock);
	turn->next = t->first;
	t->first = turn;
	pthread_mutex_unlock(&t->lock);
	return turn;
}

void turns_run(struct turns *t, struct turn *turn, const atomic_bool *cancelled)
{
	pthread_mutex_lock(&t->lock);
	turn->cancelled = cancelled;
	pthread_mutex_unlock(&t->lock);
}

void turns_end(struct turns *t, struct turn *turn)
{
	struct turn **link = &t->first;

	pthread_mutex_lock(&t->lock);
	while (*link != turn)
		link = &(*link)->next;
	*link = turn->next;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	pthread_mutex_destroy(&turn->lock);
	arena_done(&turn->arena);
	free(turn);
}

void turn_stop(struct turn *turn, enum turn_end why)
{
	int none = TURN_GOES_ON;

	atomic_compare_exchange_strong(&turn->why, &none, (int)why);
	atomic_store(&turn->stop, true);
}

/* The lock is held. */
static struct turn *find(struct turns *t, const char *message_id)
{
	struct turn *turn = t->first;

	while (turn && strcmp(turn->message_id, message_id) != 0)
		turn = turn->next;
	return turn;
}

static void stop(struct turns *t, const char *message_id, enum turn_end why)
{
	struct turn *turn;

	pthread_mutex_lock(&t->lock);
	turn = find(t, message_id);
	if (turn)
		turn_stop(turn, why);
	pthread_mutex_unlock(&t->lock);
}

void turns_stop(struct turns *t, const char *message_id)
{
	stop(t, message_id, TURN_STOPPED);
}

static struct timespec in_ms(int64_t ms)
{
	int64_t at = clock_mono_ms() + ms;

	return (struct timespec){ .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
}

bool turns_wait(struct turns *t, const char *message_id, int64_t ms)
{
	struct timespec until = in_ms(ms);
	int late = 0;
	bool here;

	pthread_mutex_lock(&t->lock);
	while ((here = find(t, message_id) != NULL) && !late)
		late = pthread_cond_timedwait(&t->changed, &t->lock, &until);
	pthread_mutex_unlock(&t->lock);
	return here;
}

/* --- The keeper ----------------------------------------------------------------------------------------------------- */

/* What the keeper stores of a turn: a copy, since the turn may end meanwhile. */
struct copy {
	const char *owner, *message_id;
	struct store_progress progress;
	struct copy *next;
};

static struct copy *copy_of(struct turn *turn, struct copy *next, struct arena *a)
{
	struct copy *copy = arena_new(a, struct copy, 1);

	copy->owner = arena_strdup(a, turn->owner);
	copy->message_id = arena_strdup(a, turn->message_id);
	copy->next = next;
	pthread_mutex_lock(&turn->lock);
	if (turn->changed) {
		copy->progress.content = arena_strndup(a, turn->content.at, turn->content.length);
		if (turn->reasoning.length)
			copy->progress.reasoning =
			    arena_strndup(a, turn->reasoning.at, turn->reasoning.length);
		copy->progress.sources.data = arena_memdup(a, turn->sources.data, turn->sources.len);
		copy->progress.sources.len = turn->sources.len;
		turn->changed = false;
	}
	pthread_mutex_unlock(&turn->lock);
	return copy;
}

/* These were not stored: as if they had just changed. */
static void again(struct turns *t, const struct copy *copies)
{
	pthread_mutex_lock(&t->lock);
	for (; copies; copies = copies->next) {
		struct turn *turn = find(t, copies->message_id);

		if (!turn)
			continue;
		pthread_mutex_lock(&turn->lock);
		turn->changed = true;
		pthread_mutex_unlock(&turn->lock);
	}
	pthread_mutex_unlock(&t->lock);
}

static void renew_all(struct turns *t, struct call *call)
{
	struct copy *copies = NULL;

	pthread_mutex_lock(&t->lock);
	for (struct turn *turn = t->first; turn; turn = turn->next)
		copies = copy_of(turn, copies, call->arena);
	pthread_mutex_unlock(&t->lock);
	for (; copies; copies = copies->next) {
		bool wanted = false;
		int found = store_renew(call->db, copies->owner, copies->message_id, &copies->progress,
		                        &wanted, call->err);

		if (found < 0) { /* the database is away */
			again(t, copies);
			return;
		}
		if (!found)
			stop(t, copies->message_id, TURN_LOST);
		else if (wanted)
			stop(t, copies->message_id, TURN_STOPPED);
	}
}

static void close_orphans(struct call *call)
{
	int64_t closed = 0;

	if (store_close_orphans(call->db, STORE_LEASE_SECONDS, &closed, call->err) == 0 && closed)
		log_line(LOG_WARN, "closed answers whose writers died", LOG_INT("answers", closed));
}

/* One piece of work on the database, with a call of its own. */
static void with_call(struct turns *t, void (*work)(struct turns *t, struct call *call))
{
	struct error err = { 0 };
	struct arena a;
	struct call call;
	struct db db;

	arena_init(&a, 0);
	service_call_init(&call, t->service, &a, &err, &db, NULL, "keeper", RENEW_MS);
	work(t, &call);
	if (err.code != ERROR_NONE)
		log_line(LOG_WARN, "answers not kept", LOG_TEXT("result", error_name(err.code)),
		         LOG_TEXT("detail", err.detail));
	db_done(&db);
	arena_done(&a);
}

static void renew(struct turns *t, struct call *call)
{
	renew_all(t, call);
	error_clear(call->err);
	close_orphans(call);
}

static void sweep(struct turns *t, struct call *call)
{
	int64_t gone;

	(void)t;
	if (store_sweep(call->db, &gone, call->err) < 0 || store_sweep_visitors(call->db, call->err) < 0)
		return; /* told by with_call() */
	if (gone)
		log_line(LOG_DEBUG, "dropped old streams", LOG_INT("streams", gone));
}

/* The lock is held. */
static void pass_cancels_on(struct turns *t)
{
	for (struct turn *turn = t->first; turn; turn = turn->next)
		if (turn->cancelled && atomic_load(turn->cancelled))
			turn_stop(turn, TURN_INTERRUPTED);
}

static void *keep(void *arg)
{
	struct turns *t = arg;
	int64_t renewed = 0, swept = 0;

	pthread_mutex_lock(&t->lock);
	while (!t->ending) {
		struct timespec until = in_ms(TICK_MS);
		int64_t now = clock_mono_ms();

		pass_cancels_on(t);
		pthread_mutex_unlock(&t->lock);
		if (now - renewed >= RENEW_MS) {
			with_call(t, renew);
			renewed = now;
		}
		if (now - swept >= SWEEP_MS) {
			with_call(t, sweep);
			swept = now;
		}
		pthread_mutex_lock(&t->lock);
		while (!t->ending && clock_mono_ms() < (int64_t)until.tv_sec * 1000 + until.tv_nsec / 1000000)
			pthread_cond_timedwait(&t->changed, &t->lock, &until);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void on_notify(void *arg, const char *channel, const char *payload)
{
	(void)channel;
	if (payload) /* what was missed in between, the next renewal tells */
		turns_stop(arg, payload);
}

int turns_open(struct service *s, struct turns **ret, struct error *err)
{
	static const char *const channels[] = { STORE_STOP_CHANNEL, NULL };
	struct turns *t = calloc(1, sizeof *t);
	pthread_condattr_t attributes;

	if (!t)
		abort();
	t->service = s;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (db_listen(service_database_url(s), channels, on_notify, t, &t->listener, err) < 0) {
		free(t);
		return -1;
	}
	t->keeper = process_thread(keep, t);
	*ret = t;
	return 0;
}

void turns_close(struct turns *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->ending = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->keeper, NULL);
	db_listener_free(t->listener);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
