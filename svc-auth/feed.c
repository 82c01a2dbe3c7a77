#include "svc-auth/feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/stream/stream.h"
#include "svc-auth/store.h"

enum { KEEP_EVENTS = 4096, BEAT_SECONDS = 1, DEAF_MS = 4000 };

struct feed {
	struct db_pool *pool;
	struct keystore *keys;
	struct stream *stream;
	struct db_listener *listener;
	pthread_t beat;
	bool beating;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int64_t sequence; /* of the last event */
	int64_t heard_at; /* monotonic */
	bool deaf, stopping;
};

static void append(struct feed *f, const char *name, const char *json)
{
	pthread_mutex_lock(&f->lock);
	stream_append(f->stream, name, json);
	f->sequence++;
	pthread_mutex_unlock(&f->lock);
}

static void heard(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->heard_at = clock_mono_ms();
	f->deaf = false;
	pthread_mutex_unlock(&f->lock);
}

static void reload_keys(struct feed *f)
{
	struct error err = { 0 };

	if (keystore_reload(f->keys, &err) < 0)
		log_line(LOG_ERROR, "the keys could not be read again", LOG_TEXT("why", err.message),
		         LOG_TEXT("detail", err.detail));
	append(f, "keys", "{}");
}

/* On the listener's thread. Without a payload: connected again, and who knows what was missed. */
static void notified(void *arg, const char *channel, const char *payload)
{
	struct feed *f = arg;

	if (strcmp(channel, "auth_revoked") == 0)
		append(f, payload ? "revoked" : "reset", payload ? payload : "{}");
	else if (strcmp(channel, "auth_keys") == 0)
		reload_keys(f);
	heard(f);
}

/* Deaf: tell those who follow, once. Called with the lock held. */
static void judge(struct feed *f)
{
	if (f->deaf || clock_mono_ms() - f->heard_at < DEAF_MS)
		return;
	f->deaf = true;
	stream_append(f->stream, "reset", "{}");
	f->sequence++;
	log_line(LOG_WARN,
	         "the database's notifications do not arrive: gateways are told not to rely on this feed");
}

static void *beat(void *arg)
{
	struct feed *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->stopping) {
		struct error err = { 0 };
		struct db db;
		int sent;

		pthread_mutex_unlock(&f->lock);
		db_init(&db, f->pool);
		sent = store_beat(&db, &err); /* when it fails, nothing is heard: that tells enough */
		db_done(&db);
		(void)sent;
		pthread_mutex_lock(&f->lock);
		if (!f->stopping)
			cond_wait_until(&f->wake, &f->lock, clock_mono_ms() + BEAT_SECONDS * 1000);
		judge(f);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

int feed_start(struct service *s, struct keystore *keys, struct feed **ret, struct error *err)
{
	static const char *const channels[] = { "auth_revoked", "auth_keys", "auth_beat", NULL };
	struct feed *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->pool = service_db(s);
	f->keys = keys;
	f->heard_at = clock_mono_ms();
	pthread_mutex_init(&f->lock, NULL);
	cond_init_monotonic(&f->wake);
	if (stream_open_feed(service_streams(s), KEEP_EVENTS, &f->stream, err) < 0 ||
	    db_listen(service_database_url(s), channels, notified, f, &f->listener, err) < 0) {
		feed_stop(f);
		return -1;
	}
	f->beat = thread_start(beat, f);
	f->beating = true;
	*ret = f;
	return 0;
}

void feed_stop(struct feed *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	if (f->beating)
		pthread_join(f->beat, NULL);
	if (f->listener)
		db_listener_free(f->listener);
	if (f->stream)
		stream_close(f->stream);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int feed_place(struct feed *f, const char **stream, int64_t *after, struct error *err)
{
	bool deaf;

	pthread_mutex_lock(&f->lock);
	deaf = f->deaf;
	*after = f->sequence;
	pthread_mutex_unlock(&f->lock);
	*stream = stream_id(f->stream);
	return deaf ? error_busy(err, 1, "this service does not hear of revocations just now") : 0;
}
