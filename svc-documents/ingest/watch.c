#include "svc-documents/ingest/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/db/db.h"
#include "common/service/call.h"
#include "svc-documents/store.h"

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct watcher *watchers;
	struct db_listener *listener;
};

/* On the listener's thread. No payload: anything may have been missed. */
static void notified(void *arg, const char *channel, const char *payload)
{
	struct watch *w = arg;

	(void)channel;
	pthread_mutex_lock(&w->lock);
	for (struct watcher *one = w->watchers; one; one = one->next)
		if (!payload || !*one->id || strcasecmp(one->id, payload) == 0) {
			one->changed = true;
			if (one->parked)
				call_wake(one->parked);
		}
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

int watch_open(const char *database_url, struct watch **ret, struct error *err)
{
	static const char *const channels[] = { STORE_CHANNEL, NULL };
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	pthread_mutex_init(&w->lock, NULL);
	cond_init_monotonic(&w->changed);
	if (db_listen(database_url, channels, notified, w, &w->listener, err) < 0) {
		watch_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	if (w->listener)
		db_listener_free(w->listener);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void watch_add(struct watch *w, struct watcher *me, const char *document_id)
{
	watch_add_parked(w, me, document_id, NULL);
}

void watch_add_parked(struct watch *w, struct watcher *me, const char *document_id, struct parked *parked)
{
	*me = (struct watcher){ .parked = parked };
	strncpy(me->id, document_id, sizeof me->id - 1);
	pthread_mutex_lock(&w->lock);
	me->next = w->watchers;
	w->watchers = me;
	pthread_mutex_unlock(&w->lock);
}

void watch_remove(struct watch *w, struct watcher *me)
{
	pthread_mutex_lock(&w->lock);
	for (struct watcher **p = &w->watchers; *p; p = &(*p)->next)
		if (*p == me) {
			*p = me->next;
			break;
		}
	pthread_mutex_unlock(&w->lock);
}

void watch_wait(struct watch *w, struct watcher *me, int ms)
{
	int64_t until = clock_mono_ms() + ms;

	pthread_mutex_lock(&w->lock);
	while (!me->changed && cond_wait_until(&w->changed, &w->lock, until) == 0)
		;
	me->changed = false;
	pthread_mutex_unlock(&w->lock);
}

bool watch_take(struct watch *w, struct watcher *me)
{
	bool changed;

	pthread_mutex_lock(&w->lock);
	changed = me->changed;
	me->changed = false;
	pthread_mutex_unlock(&w->lock);
	return changed;
}

void watch_poke(struct watch *w, struct watcher *me)
{
	pthread_mutex_lock(&w->lock);
	me->changed = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}
