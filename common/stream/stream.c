#include "common/stream/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/id.h"
#include "common/base/thread.h"
#include "common/stream/internal.h"

enum { KEEP_CLOSED_MS = 10 * 60 * 1000, STREAMS_MAX = 4096, HUB_BYTES_MAX = 128 << 20 };

/* --- The hub -------------------------------------------------------------------------------------------------------- */

static struct stream **bucket_of(struct stream_hub *hub, const char *id)
{
	return &hub->buckets[fnv1a(id) % STREAM_BUCKETS];
}

static void stream_free(struct stream *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->events[i]);
	atomic_fetch_sub(&s->hub->bytes, s->bytes);
	pthread_mutex_destroy(&s->lock);
	free(s->events);
	free(s->reader);
	free(s);
}

static void unref(struct stream *s)
{
	if (--s->refs == 0)
		stream_free(s);
}

static void remove_from_table(struct stream_hub *hub, struct stream *s)
{
	struct stream **at = bucket_of(hub, s->id);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	hub->count--;
	unref(s);
}

static void forget_oldest_closed(struct stream_hub *hub)
{
	struct stream *s = hub->closed;

	hub->closed = s->next_closed;
	if (!hub->closed)
		hub->closed_end = &hub->closed;
	remove_from_table(hub, s);
}

static void look_by(struct stream_hub *hub, int64_t when)
{
	if (when >= hub->wake_at)
		return;
	hub->wake_at = when;
	pthread_cond_signal(&hub->wake);
}

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
			unref(s);
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

		hub->wake_at = never; /* look_by() notes what comes up meanwhile */
		while (hub->closed && hub->closed->closed_at + KEEP_CLOSED_MS <= now)
			forget_oldest_closed(hub);
		soonest = serve_listed(hub);
		if (hub->closed)
			look_by(hub, hub->closed->closed_at + KEEP_CLOSED_MS);
		look_by(hub, soonest);
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
		unref(listed);
	}
	pthread_mutex_unlock(&hub->lock);
}

void stream_hub_free(struct stream_hub *hub)
{
	if (!hub)
		return;
	stream_hub_stop(hub);
	for (int i = 0; i < STREAM_BUCKETS; i++) {
		while (hub->buckets[i])
			remove_from_table(hub, hub->buckets[i]);
	}
	pthread_cond_destroy(&hub->wake);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

/* --- The producer's side ---------------------------------------------------------------------------------------------- */

static struct stream *new_stream(struct stream_hub *hub, const char *id, const char *reader, int keep)
{
	struct stream *s = calloc(1, sizeof *s), **bucket = bucket_of(hub, id);

	if (!s || !(s->reader = strdup(reader)))
		abort();
	snprintf(s->id, sizeof s->id, "%s", id);
	s->hub = hub;
	s->keep = (size_t)keep;
	s->refs = 1;
	s->answered = INT64_MIN / 2; /* never */
	pthread_mutex_init(&s->lock, NULL);
	s->next = *bucket;
	*bucket = s;
	hub->count++;
	return s;
}

static struct stream *find_id(struct stream_hub *hub, const char *id)
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
	remove_from_table(hub, s);
}

static int open_stream(struct stream_hub *hub, const char *id, const char *reader, int keep,
                       struct stream **ret, struct error *err)
{
	struct stream *there;
	bool full;

	pthread_mutex_lock(&hub->lock);
	there = find_id(hub, id);
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

void stream_make_id(const struct stream_hub *hub, const char *tail, char id[STREAM_ID])
{
	snprintf(id, STREAM_ID, "%016" PRIx64 "-%s", hub->replica, tail);
}

static void random_id(const struct stream_hub *hub, char id[STREAM_ID])
{
	unsigned char bytes[16];
	char tail[sizeof bytes * 2 + 1];

	random_bytes(bytes, sizeof bytes);
	hex_encode(tail, bytes, sizeof bytes);
	stream_make_id(hub, tail, id);
}

int stream_open(struct stream_hub *hub, const char *reader, struct stream **ret, struct error *err)
{
	char id[STREAM_ID];

	random_id(hub, id);
	return open_stream(hub, id, reader, 0, ret, err);
}

int stream_open_as(struct stream_hub *hub, const char *id, const char *reader, struct stream **ret,
                   struct error *err)
{
	return open_stream(hub, id, reader, 0, ret, err);
}

int stream_open_feed(struct stream_hub *hub, int keep_events, struct stream **ret, struct error *err)
{
	char id[STREAM_ID];

	random_id(hub, id);
	return open_stream(hub, id, "", keep_events, ret, err);
}

const char *stream_id(const struct stream *s)
{
	return s->id;
}

void stream_append(struct stream *s, const char *name, const char *json)
{
	int64_t next;

	pthread_mutex_lock(&s->lock);
	next = events_add(s, name, json, clock_mono_ms());
	pthread_mutex_unlock(&s->lock);
	if (next != never) {
		pthread_mutex_lock(&s->hub->lock);
		look_by(s->hub, next);
		pthread_mutex_unlock(&s->hub->lock);
	}
}

void stream_skip(struct stream *s, int64_t sequence)
{
	pthread_mutex_lock(&s->lock);
	if (sequence > s->given)
		s->given = sequence;
	pthread_mutex_unlock(&s->lock);
}

int64_t stream_last(struct stream *s)
{
	int64_t last;

	pthread_mutex_lock(&s->lock);
	last = s->given;
	pthread_mutex_unlock(&s->lock);
	return last;
}

void stream_close(struct stream *s)
{
	struct stream_hub *hub = s->hub;
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&s->lock);
	s->closed = true;
	s->stop = NULL;
	readers_answer(s, now);
	pthread_mutex_unlock(&s->lock);

	pthread_mutex_lock(&hub->lock);
	s->closed_at = now;
	*hub->closed_end = s;
	hub->closed_end = &s->next_closed;
	look_by(hub, now + KEEP_CLOSED_MS);
	pthread_mutex_unlock(&hub->lock);
}

void stream_forget(struct stream *s)
{
	struct stream_hub *hub = s->hub;

	pthread_mutex_lock(&hub->lock);
	pthread_mutex_lock(&s->lock);
	s->stop = NULL;
	readers_answer_all(s);
	pthread_mutex_unlock(&s->lock);
	remove_from_table(hub, s);
	pthread_mutex_unlock(&hub->lock);
}

void stream_stop_when_left(struct stream *s, atomic_bool *stop)
{
	pthread_mutex_lock(&s->lock);
	s->stop = stop;
	pthread_mutex_unlock(&s->lock);
}

ProtobufCBinaryData stream_log(struct stream *s, struct arena *a)
{
	Rpc__NextReply all = RPC__NEXT_REPLY__INIT;
	ProtobufCBinaryData packed;

	pthread_mutex_lock(&s->lock);
	all.n_events = s->count;
	all.events = s->events;
	all.has_end = all.end = true;
	packed.len = rpc__next_reply__get_packed_size(&all);
	packed.data = arena_alloc(a, packed.len);
	rpc__next_reply__pack(&all, packed.data);
	pthread_mutex_unlock(&s->lock);
	return packed;
}

/* --- The reader's side ------------------------------------------------------------------------------------------------ */

const char *stream_reader(const Rpc__Caller *caller)
{
	if (caller && caller->owner_id)
		return caller->owner_id;
	if (caller && caller->session_id)
		return caller->session_id;
	return caller && caller->kind == RPC__CALLER__KIND__SERVICE ? "" : "?";
}

static struct stream *find(struct stream_hub *hub, const char *reader, const char *id)
{
	struct stream *s = id ? find_id(hub, id) : NULL;

	return s && !strcmp(s->reader, reader) ? s : NULL;
}

int stream_next(struct stream_hub *hub, const char *reader, const Rpc__NextRequest *in,
                struct stream_waiter waiter, struct error *err)
{
	struct stream *s;
	int64_t when;

	pthread_mutex_lock(&hub->lock);
	s = find(hub, reader, in->stream);
	if (s)
		s->refs++;
	pthread_mutex_unlock(&hub->lock);
	if (!s)
		return error_set(err, ERROR_NOT_FOUND, "no such stream");

	pthread_mutex_lock(&s->lock);
	when = readers_add(s, in, waiter);
	pthread_mutex_unlock(&s->lock);

	pthread_mutex_lock(&hub->lock);
	if (when != never && hub->stopping) {
		pthread_mutex_lock(&s->lock);
		readers_answer_all(s);
		pthread_mutex_unlock(&s->lock);
	} else if (when != never) {
		if (!s->listed) {
			s->listed = true;
			s->refs++;
			s->next_listed = hub->listed;
			hub->listed = s;
		}
		look_by(hub, when);
	}
	unref(s);
	pthread_mutex_unlock(&hub->lock);
	return 0;
}
