/* The hub: its table of streams, the thread that looks after those that somebody waits for, forgetting old ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/thread.h"
#include "common/stream/internal.h"

enum { KEEP_CLOSED_MS = 10 * 60 * 1000, STREAMS_MAX = 4096, HUB_BYTES_MAX = 128 << 20 };

/* --- Its table ------------------------------------------------------------------------------------------------------ */

static struct stream **bucket_of(struct stream_hub *hub, const char *id)
{
	return &hub->buckets[fnv1a(id) % STREAM_BUCKETS];
}

static void stream_free(struct stream *s)
{
	atomic_fetch_sub(&s->hub->bytes, s->journal.bytes);
	journal_done(&s->journal);
	pthread_mutex_destroy(&s->lock);
	free(s->reader);
	free(s);
}

void hub_unref(struct stream *s)
{
	if (--s->refs == 0)
		stream_free(s);
}

void hub_remove(struct stream_hub *hub, struct stream *s)
{
	struct stream **at = bucket_of(hub, s->id);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	hub->count--;
	hub_unref(s);
}

static void forget_oldest_closed(struct stream_hub *hub)
{
	struct stream *s = hub->closed;

	hub->closed = s->next_closed;
	if (!hub->closed)
		hub->closed_end = &hub->closed;
	hub_remove(hub, s);
}

void hub_look_by(struct stream_hub *hub, int64_t when)
{
	if (when >= hub->wake_at)
		return;
	hub->wake_at = when;
	pthread_cond_signal(&hub->wake);
}

void hub_note_closed(struct stream_hub *hub, struct stream *s, int64_t now)
{
	s->closed_at = now;
	*hub->closed_end = s;
	hub->closed_end = &s->next_closed;
	hub_look_by(hub, now + KEEP_CLOSED_MS);
}

static struct stream *new_stream(struct stream_hub *hub, const char *id, const char *reader, int keep)
{
	struct stream *s = calloc(1, sizeof *s), **bucket = bucket_of(hub, id);

	if (!s || !(s->reader = strdup(reader)))
		abort();
	snprintf(s->id, sizeof s->id, "%s", id);
	s->hub = hub;
	s->keep = keep;
	s->refs = 1;
	s->answered = INT64_MIN / 2; /* never */
	pthread_mutex_init(&s->lock, NULL);
	s->next = *bucket;
	*bucket = s;
	hub->count++;
	return s;
}

struct stream *hub_find(struct stream_hub *hub, const char *id)
{
	struct stream *s = *bucket_of(hub, id);

	while (s && strcmp(s->id, id))
		s = s->next;
	return s;
}

/* Takes a closed stream out of the list of those that go by age. */
static void forget_closed(struct stream_hub *hub, struct stream *s)
{
	struct stream **at = &hub->closed;

	while (*at != s)
		at = &(*at)->next_closed;
	*at = s->next_closed;
	if (!*at)
		hub->closed_end = at;
	hub_remove(hub, s);
}

int hub_open_stream(struct stream_hub *hub, const char *id, const char *reader, int keep, struct stream **ret,
                    struct error *err)
{
	struct stream *there;
	bool full;

	pthread_mutex_lock(&hub->lock);
	there = hub_find(hub, id);
	if (there && there->closed_at)
		forget_closed(hub, there);
	else if (there) {
		pthread_mutex_unlock(&hub->lock);
		return error_set(err, ERROR_CONFLICT, "there is an open stream of that id");
	}
	while (hub->closed && (hub->count >= STREAMS_MAX || atomic_load(&hub->bytes) >= HUB_BYTES_MAX))
		forget_oldest_closed(hub);
	full = hub->count >= STREAMS_MAX || atomic_load(&hub->bytes) >= HUB_BYTES_MAX;
	if (!full)
		*ret = new_stream(hub, id, reader, keep);
	pthread_mutex_unlock(&hub->lock);
	return full ? error_busy(err, 5, "too many answers are being written at once") : 0;
}

/* --- Its thread ----------------------------------------------------------------------------------------------------- */

/* Serve the streams of the list without the hub's lock; those still waited for go back into it. */
static int64_t serve_listed(struct stream_hub *hub)
{
	struct stream *batch = hub->listed, *next;
	int64_t now = clock_mono_ms(), soonest = never;

	hub->listed = NULL;
	pthread_mutex_unlock(&hub->lock);
	for (struct stream *s = batch; s; s = s->next_listed) {
		pthread_mutex_lock(&s->lock);
		int64_t when = readers_answer(s, now);
		pthread_mutex_unlock(&s->lock);
		soonest = when < soonest ? when : soonest;
	}
	pthread_mutex_lock(&hub->lock);
	for (struct stream *s = batch; s; s = next) {
		next = s->next_listed;
		pthread_mutex_lock(&s->lock);
		s->listed = s->waiting != NULL;
		pthread_mutex_unlock(&s->lock);
		if (s->listed) {
			s->next_listed = hub->listed;
			hub->listed = s;
		} else {
			hub_unref(s);
		}
	}
	return soonest;
}

static void *hub_thread(void *arg)
{
	struct stream_hub *hub = arg;

	pthread_setname_np(pthread_self(), "streams");
	pthread_mutex_lock(&hub->lock);
	while (!hub->stopping) {
		int64_t now = clock_mono_ms(), soonest;

		hub->wake_at = never; /* hub_look_by() notes what comes up meanwhile */
		while (hub->closed && hub->closed->closed_at + KEEP_CLOSED_MS <= now)
			forget_oldest_closed(hub);
		soonest = serve_listed(hub);
		if (hub->closed)
			hub_look_by(hub, hub->closed->closed_at + KEEP_CLOSED_MS);
		hub_look_by(hub, soonest);
		if (hub->wake_at > now && !hub->stopping)
			cond_wait_until(&hub->wake, &hub->lock, hub->wake_at);
	}
	pthread_mutex_unlock(&hub->lock);
	return NULL;
}

struct stream_hub *stream_hub_new(uint64_t replica)
{
	struct stream_hub *hub = calloc(1, sizeof *hub);

	if (!hub)
		abort();
	hub->replica = replica;
	hub->wake_at = never;
	hub->closed_end = &hub->closed;
	pthread_mutex_init(&hub->lock, NULL);
	cond_init_monotonic(&hub->wake);
	hub->thread = thread_start(hub_thread, hub);
	return hub;
}

void stream_hub_stop(struct stream_hub *hub)
{
	struct stream *listed;
	bool stopped;

	pthread_mutex_lock(&hub->lock);
	stopped = hub->stopping;
	hub->stopping = true;
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->lock);
	if (stopped)
		return;
	pthread_join(hub->thread, NULL);

	pthread_mutex_lock(&hub->lock);
	while ((listed = hub->listed)) {
		pthread_mutex_lock(&listed->lock);
		readers_answer_all(listed);
		pthread_mutex_unlock(&listed->lock);
		hub->listed = listed->next_listed;
		listed->listed = false;
		hub_unref(listed);
	}
	pthread_mutex_unlock(&hub->lock);
}

void stream_hub_free(struct stream_hub *hub)
{
	if (!hub)
		return;
	stream_hub_stop(hub);
	for (int i = 0; i < STREAM_BUCKETS; i++) {
		for (struct stream *s = hub->buckets[i], *next; s; s = next) {
			next = s->next;
			hub_unref(s);
		}
	}
	pthread_cond_destroy(&hub->wake);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}
