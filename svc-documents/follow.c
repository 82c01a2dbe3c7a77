#include "svc-documents/follow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/thread.h"
#include "common/stream/stream.h"
#include "svc-documents/store.h"

enum { FOLLOWERS_MAX = 256, LOOK_MS = 5000 /* also when nothing was said */ };

struct follower {
	struct follower *next;
	struct stream *stream;
	struct watcher watcher;
	char owner[37];
	char told[512]; /* the last event's data: not said twice */
};

struct follow {
	struct service *service;
	struct watch *watch;
	struct watcher any;
	pthread_t thread;
	pthread_mutex_t lock;
	struct follower *followers;
	int count;
	bool closed;
};

static bool final(const char *status)
{
	return strcmp(status, "ready") == 0 || strcmp(status, "failed") == 0;
}

static const char *status_event(const char *id, const struct progress *p, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addf(&t, "{\"id\":\"%s\",\"status\":\"%s\",\"progress\":%.2f,\"error\":", id, p->status,
	          p->progress);
	if (p->error)
		text_add_json(&t, p->error, strlen(p->error));
	else
		text_adds(&t, "null");
	if (p->step)
		text_addf(&t, ",\"step\":\"%s\"", p->step);
	text_addc(&t, '}');
	return t.at;
}

/* Tell a follower what there is to tell. 1 when that was the last word. */
static int tell(struct follow *f, struct follower *one, struct arena *a)
{
	struct error err = { 0 };
	struct progress p;
	const char *event;
	struct db db;
	int found;

	db_init(&db, service_db(f->service));
	found = store_get_progress(&db, one->owner, one->watcher.id, &p, a, &err);
	db_done(&db);
	if (found < 0)
		return 0; /* the database is away: the next look tells */
	if (found == 0) {
		stream_append(one->stream, "error", "{\"detail\":\"the document was deleted\"}");
		return 1;
	}
	event = status_event(one->watcher.id, &p, a);
	if (strncmp(event, one->told, sizeof one->told - 1) != 0) {
		stream_append(one->stream, "status", event);
		strncpy(one->told, event, sizeof one->told - 1);
	}
	return final(p.status);
}

static void release(struct follow *f, struct follower *one)
{
	watch_remove(f->watch, &one->watcher);
	stream_close(one->stream);
	free(one);
}

/* Look after all followers; `all` also those whose document said nothing. The list belongs to this thread but for
 * its first place, where others add. */
static void look(struct follow *f, bool all, struct arena *a)
{
	struct follower *list, *kept = NULL, *next;
	int gone = 0;

	pthread_mutex_lock(&f->lock);
	list = f->followers;
	f->followers = NULL;
	pthread_mutex_unlock(&f->lock);
	for (struct follower *one = list; one; one = next) {
		next = one->next;
		if ((watch_take(f->watch, &one->watcher) || all) && tell(f, one, a)) {
			release(f, one);
			gone++;
		} else {
			one->next = kept;
			kept = one;
		}
		arena_reset(a);
	}
	pthread_mutex_lock(&f->lock);
	while (kept) {
		next = kept->next;
		kept->next = f->followers;
		f->followers = kept;
		kept = next;
	}
	f->count -= gone;
	pthread_mutex_unlock(&f->lock);
}

static void *run(void *arg)
{
	struct follow *f = arg;
	struct arena a;
	int64_t next = 0; /* when all are looked at, whatever was said */
	bool closed = false;

	arena_init(&a, 0);
	while (!closed) {
		watch_wait(f->watch, &f->any, LOOK_MS);
		look(f, clock_mono_ms() >= next, &a);
		if (clock_mono_ms() >= next)
			next = clock_mono_ms() + LOOK_MS;
		pthread_mutex_lock(&f->lock);
		closed = f->closed;
		pthread_mutex_unlock(&f->lock);
	}
	arena_done(&a);
	return NULL;
}

struct follow *follow_open(struct service *s, struct watch *watch)
{
	struct follow *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->service = s;
	f->watch = watch;
	pthread_mutex_init(&f->lock, NULL);
	watch_add(watch, &f->any, "");
	f->thread = thread_start(run, f);
	return f;
}

void follow_close(struct follow *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->closed = true;
	pthread_mutex_unlock(&f->lock);
	watch_poke(f->watch, &f->any);
	pthread_join(f->thread, NULL);
	for (struct follower *one = f->followers, *next; one; one = next) {
		next = one->next;
		release(f, one);
	}
	watch_remove(f->watch, &f->any);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int follow_start(struct follow *f, struct call *call, const char *document_id, const char **stream)
{
	struct follower *one;
	bool room;

	pthread_mutex_lock(&f->lock);
	room = f->count < FOLLOWERS_MAX;
	f->count += room;
	pthread_mutex_unlock(&f->lock);
	if (!room)
		return error_busy(call->err, 5, "too many documents are being followed");
	one = calloc(1, sizeof *one);
	if (!one)
		abort();
	if (stream_open(service_streams(f->service), stream_reader(call->caller), &one->stream, call->err) <
	    0) {
		free(one);
		pthread_mutex_lock(&f->lock);
		f->count--;
		pthread_mutex_unlock(&f->lock);
		return -1;
	}
	*stream = arena_strdup(call->arena, stream_id(one->stream));
	strncpy(one->owner, call->owner_id, sizeof one->owner - 1);
	watch_add(f->watch, &one->watcher, document_id);
	pthread_mutex_lock(&f->lock);
	one->next = f->followers;
	f->followers = one;
	pthread_mutex_unlock(&f->lock);
	watch_poke(f->watch, &one->watcher);
	watch_poke(f->watch, &f->any); /* tell it at once how things stand */
	return 0;
}
