#include "svc-chat/turn/keep.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "svc-chat/store.h"
#include "svc-chat/store_visitors.h"

enum {
	TICK_MS = 250,
	RENEW_MS = 2000,
	SWEEP_MS = 60 * 1000,
};

struct keeper {
	struct service *service;
	struct db_listener *listener;
	pthread_t keeper;
	pthread_mutex_t lock; /* guards the list and `ending` */
	pthread_cond_t changed;
	struct writer *first;
	bool ending;
};

/* --- The list ------------------------------------------------------------------------------------------------------- */

struct writer *keeper_add(struct keeper *k, const char *owner, const char *message_id)
{
	struct writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		abort();
	snprintf(writer->owner, sizeof writer->owner, "%s", owner);
	snprintf(writer->message_id, sizeof writer->message_id, "%s", message_id);
	pthread_mutex_init(&writer->lock, NULL);
	arena_init(&writer->arena, 0);
	text_init(&writer->content, &writer->arena);
	text_init(&writer->reasoning, &writer->arena);
	pthread_mutex_lock(&k->lock);
	writer->next = k->first;
	k->first = writer;
	pthread_mutex_unlock(&k->lock);
	return writer;
}

void keeper_run(struct keeper *k, struct writer *writer, const atomic_bool *cancelled)
{
	pthread_mutex_lock(&k->lock);
	writer->cancelled = cancelled;
	pthread_mutex_unlock(&k->lock);
}

void keeper_remove(struct keeper *k, struct writer *writer)
{
	struct writer **link = &k->first;

	pthread_mutex_lock(&k->lock);
	while (*link != writer)
		link = &(*link)->next;
	*link = writer->next;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	pthread_mutex_destroy(&writer->lock);
	arena_done(&writer->arena);
	free(writer);
}

void writer_stop(struct writer *writer, enum writer_end why)
{
	int none = WRITER_GOES_ON;

	atomic_compare_exchange_strong(&writer->why, &none, (int)why);
	atomic_store(&writer->stop, true);
}

/* The lock is held. */
static struct writer *find(struct keeper *k, const char *message_id)
{
	struct writer *writer = k->first;

	while (writer && strcmp(writer->message_id, message_id) != 0)
		writer = writer->next;
	return writer;
}

static void stop(struct keeper *k, const char *message_id, enum writer_end why)
{
	struct writer *writer;

	pthread_mutex_lock(&k->lock);
	writer = find(k, message_id);
	if (writer)
		writer_stop(writer, why);
	pthread_mutex_unlock(&k->lock);
}

void keeper_stop(struct keeper *k, const char *message_id)
{
	stop(k, message_id, WRITER_STOPPED);
}

bool keeper_wait(struct keeper *k, const char *message_id, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	int late = 0;
	bool here;

	pthread_mutex_lock(&k->lock);
	while ((here = find(k, message_id) != NULL) && !late)
		late = cond_wait_until(&k->changed, &k->lock, until);
	pthread_mutex_unlock(&k->lock);
	return here;
}

/* --- The keeper ----------------------------------------------------------------------------------------------------- */

/* What the keeper stores of a turn: a copy, since the turn may end meanwhile. */
struct copy {
	const char *owner, *message_id;
	struct store_progress progress;
	struct copy *next;
};

static struct copy *copy_of(struct writer *writer, struct copy *next, struct arena *a)
{
	struct copy *copy = arena_new(a, struct copy, 1);

	copy->owner = arena_strdup(a, writer->owner);
	copy->message_id = arena_strdup(a, writer->message_id);
	copy->next = next;
	pthread_mutex_lock(&writer->lock);
	if (writer->changed) {
		copy->progress.content = arena_strndup(a, writer->content.at, writer->content.length);
		if (writer->reasoning.length)
			copy->progress.reasoning =
			    arena_strndup(a, writer->reasoning.at, writer->reasoning.length);
		copy->progress.sources.data = arena_memdup(a, writer->sources.data, writer->sources.len);
		copy->progress.sources.len = writer->sources.len;
		writer->changed = false;
	}
	pthread_mutex_unlock(&writer->lock);
	return copy;
}

/* These were not stored: as if they had just changed. */
static void again(struct keeper *k, const struct copy *copies)
{
	pthread_mutex_lock(&k->lock);
	for (; copies; copies = copies->next) {
		struct writer *writer = find(k, copies->message_id);

		if (!writer)
			continue;
		pthread_mutex_lock(&writer->lock);
		writer->changed = true;
		pthread_mutex_unlock(&writer->lock);
	}
	pthread_mutex_unlock(&k->lock);
}

static void renew_all(struct keeper *k, struct call *call)
{
	struct copy *copies = NULL;

	pthread_mutex_lock(&k->lock);
	for (struct writer *writer = k->first; writer; writer = writer->next)
		copies = copy_of(writer, copies, call->arena);
	pthread_mutex_unlock(&k->lock);
	for (; copies; copies = copies->next) {
		bool wanted = false;
		int found = store_renew(call->db, copies->owner, copies->message_id, &copies->progress,
		                        &wanted, call->err);

		if (found < 0) { /* the database is away */
			again(k, copies);
			return;
		}
		if (!found)
			stop(k, copies->message_id, WRITER_LOST);
		else if (wanted)
			stop(k, copies->message_id, WRITER_STOPPED);
	}
}

static void close_orphans(struct call *call)
{
	int64_t closed = 0;

	if (store_close_orphans(call->db, STORE_LEASE_SECONDS, &closed, call->err) == 0 && closed)
		log_line(LOG_WARN, "closed answers whose writers died", LOG_INT("answers", closed));
}

/* One piece of work on the database, with a call of its own. */
static void with_call(struct keeper *k, void (*work)(struct keeper *k, struct call *call))
{
	struct error err = { 0 };
	struct arena a;
	struct call call;
	struct db db;

	arena_init(&a, 0);
	service_call_init(&call, k->service, &a, &err, &db, NULL, "keeper", RENEW_MS);
	work(k, &call);
	if (err.code != ERROR_NONE)
		log_line(LOG_WARN, "answers not kept", LOG_TEXT("result", error_name(err.code)),
		         LOG_TEXT("detail", err.detail));
	db_done(&db);
	arena_done(&a);
}

static void renew(struct keeper *k, struct call *call)
{
	renew_all(k, call);
	error_clear(call->err);
	close_orphans(call);
}

static void sweep(struct keeper *k, struct call *call)
{
	int64_t gone;

	(void)k;
	if (store_sweep(call->db, &gone, call->err) < 0 || store_sweep_visitors(call->db, call->err) < 0)
		return; /* told by with_call() */
	if (gone)
		log_line(LOG_DEBUG, "dropped old streams", LOG_INT("streams", gone));
}

/* The lock is held. */
static void pass_cancels_on(struct keeper *k)
{
	for (struct writer *writer = k->first; writer; writer = writer->next)
		if (writer->cancelled && atomic_load(writer->cancelled))
			writer_stop(writer, WRITER_INTERRUPTED);
}

static void *keep(void *arg)
{
	struct keeper *k = arg;
	int64_t renewed = 0, swept = 0;

	pthread_mutex_lock(&k->lock);
	while (!k->ending) {
		int64_t now = clock_mono_ms(), until = now + TICK_MS;

		pass_cancels_on(k);
		pthread_mutex_unlock(&k->lock);
		if (now - renewed >= RENEW_MS) {
			with_call(k, renew);
			renewed = now;
		}
		if (now - swept >= SWEEP_MS) {
			with_call(k, sweep);
			swept = now;
		}
		pthread_mutex_lock(&k->lock);
		while (!k->ending && cond_wait_until(&k->changed, &k->lock, until) == 0)
			;
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

static void on_notify(void *arg, const char *channel, const char *payload)
{
	(void)channel;
	if (payload) /* what was missed in between, the next renewal tells */
		keeper_stop(arg, payload);
}

int keeper_open(struct service *s, struct keeper **ret, struct error *err)
{
	static const char *const channels[] = { STORE_STOP_CHANNEL, NULL };
	struct keeper *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->service = s;
	pthread_mutex_init(&k->lock, NULL);
	cond_init_monotonic(&k->changed);
	if (db_listen(service_database_url(s), channels, on_notify, k, &k->listener, err) < 0) {
		free(k);
		return -1;
	}
	k->keeper = thread_start(keep, k);
	*ret = k;
	return 0;
}

void keeper_close(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->ending = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->keeper, NULL);
	db_listener_free(k->listener);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
