/*
 * Two locks: the hub's guards its table and lists (and the references to a stream), a stream's guards its log and its
 * readers. Where both are held, the hub's was taken first. Replies are made under the stream's lock, which is what
 * lets them point into the log without a copy.
 */
#include "common/stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/id.h"

enum {
	GATHER_MS = 25,
	WAIT_MAX_MS = 15 * 1000,
	KEEP_CLOSED_MS = 10 * 60 * 1000,
	STREAMS_MAX = 4096,
	HUB_BYTES_MAX = 128 << 20,
	EVENT_BYTES_MAX = 1 << 20,
	REPLY_BYTES_MAX = 1 << 20, /* of events in one reply, beyond its first */
	BUCKETS = 1024
};

static const int64_t never = INT64_MAX;

struct waiting {
	struct stream_waiter waiter;
	int64_t after, expires;
	struct waiting *next;
};

struct stream {
	struct stream_hub *hub;
	char id[STREAM_ID];
	char *reader;
	size_t keep; /* of a feed: how many events; 0: all */

	pthread_mutex_t lock;
	Rpc__Event **events; /* events[i] has the sequence dropped + i + 1 */
	size_t count, room, bytes;
	int64_t dropped;
	bool closed,
	    scheduled;    /* scheduled: events are being gathered, and the hub knows when they are due */
	int64_t answered; /* when events were given last */
	struct waiting *waiting;

	/* The hub's lock guards these. */
	int refs; /* one of the table, one of the list of waited-for streams, one of each stream_next() */
	bool listed;
	int64_t closed_at;
	struct stream *next, *next_listed, *next_closed;
};

struct stream_hub {
	uint64_t replica;
	atomic_size_t bytes;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	int64_t wake_at; /* when the hub's thread looks next */
	bool stopping;
	int count;
	struct stream *buckets[BUCKETS];
	struct stream *listed;               /* streams that somebody waits for */
	struct stream *closed, **closed_end; /* oldest first */
};

/* --- The log of one stream; its lock is held ---------------------------------------------------------------------- */

static size_t event_size(const Rpc__Event *e)
{
	return sizeof *e + strlen(e->name) + strlen(e->data) + 32;
}

static Rpc__Event *event_new(int64_t sequence, const char *name, const char *data)
{
	size_t name_size = strlen(name) + 1, data_size = strlen(data) + 1;
	Rpc__Event *e = malloc(sizeof *e + name_size + data_size);

	if (!e)
		abort();
	rpc__event__init(e);
	e->has_sequence = true;
	e->sequence = sequence;
	e->name = memcpy((char *)(e + 1), name, name_size);
	e->data = memcpy((char *)(e + 1) + name_size, data, data_size);
	return e;
}

static int64_t last_sequence(const struct stream *s)
{
	return s->dropped + (int64_t)s->count;
}

static void answer(struct stream *s, const struct waiting *w, int64_t now)
{
	Rpc__NextReply reply = RPC__NEXT_REPLY__INIT;
	Rpc__Event reset = RPC__EVENT__INIT, *only = &reset;
	size_t from, n = 0, bytes = 0;

	reply.has_end = true;
	if (w->after < s->dropped) {
		reset.has_sequence = true;
		reset.sequence = last_sequence(s);
		reset.name = (char *)"reset";
		reset.data = (char *)"{}";
		reply.n_events = 1;
		reply.events = &only;
		reply.end = s->closed;
	} else {
		from = w->after < last_sequence(s) ? (size_t)(w->after - s->dropped) : s->count;
		while (from + n < s->count &&
		       (!n || bytes + event_size(s->events[from + n]) <= REPLY_BYTES_MAX))
			bytes += event_size(s->events[from + n++]);
		reply.n_events = n;
		reply.events = s->events + from;
		reply.end = s->closed && from + n == s->count;
		if (n && from + n == s->count) /* a reply cut short is followed by the next at once */
			s->answered = now;
	}
	w->waiter.reply(w->waiter.token, &reply);
}

/* When a reader that has seen `after` gets its answer, as things stand; it waits at most until `expires`. */
static int64_t due(const struct stream *s, int64_t after, int64_t expires, int64_t now)
{
	int64_t gathered = s->answered + GATHER_MS;

	if (s->closed || after < s->dropped)
		return now;
	if (after >= last_sequence(s))
		return expires;
	return gathered < expires ? gathered : expires;
}

/* Answer every reader whose time has come; returns when the next one's comes. */
static int64_t serve(struct stream *s, int64_t now)
{
	int64_t next = never;

	s->scheduled = false;
	for (struct waiting **at = &s->waiting, *w; (w = *at);) {
		int64_t when = due(s, w->after, w->expires, now);

		if (when > now) {
			next = when < next ? when : next;
			s->scheduled = s->scheduled || w->after < last_sequence(s);
			at = &w->next;
			continue;
		}
		answer(s, w, now);
		*at = w->next;
		free(w);
	}
	return next;
}

static void serve_all(struct stream *s)
{
	for (struct waiting *w = s->waiting; w; w = w->next)
		w->expires = 0;
	serve(s, clock_mono_ms());
}

/* --- The hub -------------------------------------------------------------------------------------------------------- */

static struct stream **bucket_of(struct stream_hub *hub, const char *id)
{
	return &hub->buckets[fnv1a(id) % BUCKETS];
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

static void look_at(struct stream_hub *hub, int64_t when)
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
		int64_t when = serve(s, now);
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

static void sleep_until(struct stream_hub *hub, int64_t when)
{
	struct timespec at = { .tv_sec = when / 1000, .tv_nsec = when % 1000 * 1000000 };

	if (when == never)
		pthread_cond_wait(&hub->wake, &hub->lock);
	else
		pthread_cond_timedwait(&hub->wake, &hub->lock, &at);
}

static void *hub_thread(void *arg)
{
	struct stream_hub *hub = arg;

	pthread_mutex_lock(&hub->lock);
	while (!hub->stopping) {
		int64_t now = clock_mono_ms(), soonest;

		hub->wake_at = never; /* look_at() notes what comes up meanwhile */
		while (hub->closed && hub->closed->closed_at + KEEP_CLOSED_MS <= now)
			forget_oldest_closed(hub);
		soonest = serve_listed(hub);
		if (hub->closed)
			look_at(hub, hub->closed->closed_at + KEEP_CLOSED_MS);
		look_at(hub, soonest);
		if (hub->wake_at > now && !hub->stopping)
			sleep_until(hub, hub->wake_at);
	}
	pthread_mutex_unlock(&hub->lock);
	return NULL;
}

struct stream_hub *stream_hub_new(uint64_t replica)
{
	struct stream_hub *hub = calloc(1, sizeof *hub);
	pthread_condattr_t monotonic;

	if (!hub)
		abort();
	hub->replica = replica;
	hub->wake_at = never;
	hub->closed_end = &hub->closed;
	pthread_mutex_init(&hub->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&hub->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&hub->thread, NULL, hub_thread, hub))
		abort();
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
		serve_all(listed);
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
	for (int i = 0; i < BUCKETS; i++) {
		while (hub->buckets[i])
			remove_from_table(hub, hub->buckets[i]);
	}
	pthread_cond_destroy(&hub->wake);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

/* --- The producer's side ---------------------------------------------------------------------------------------------- */

static int open_stream(struct stream_hub *hub, const char *reader, int keep, struct stream **ret,
                       struct error *err)
{
	unsigned char bytes[16];
	char text[sizeof bytes * 2 + 1];
	struct stream *s, **bucket;
	bool full;

	pthread_mutex_lock(&hub->lock);
	while (hub->closed && (hub->count >= STREAMS_MAX || atomic_load(&hub->bytes) >= HUB_BYTES_MAX))
		forget_oldest_closed(hub);
	full = hub->count >= STREAMS_MAX || atomic_load(&hub->bytes) >= HUB_BYTES_MAX;
	if (!full) {
		s = calloc(1, sizeof *s);
		if (!s || !(s->reader = strdup(reader)))
			abort();
		random_bytes(bytes, sizeof bytes);
		hex_encode(text, bytes, sizeof bytes);
		snprintf(s->id, sizeof s->id, "%016" PRIx64 "-%s", hub->replica, text);
		s->hub = hub;
		s->keep = (size_t)keep;
		s->refs = 1;
		s->answered = -GATHER_MS;
		pthread_mutex_init(&s->lock, NULL);
		bucket = bucket_of(hub, s->id);
		s->next = *bucket;
		*bucket = s;
		hub->count++;
		*ret = s;
	}
	pthread_mutex_unlock(&hub->lock);
	return full ? error_busy(err, 5, "too many answers are being written at once") : 0;
}

int stream_open(struct stream_hub *hub, const char *reader, struct stream **ret, struct error *err)
{
	return open_stream(hub, reader, 0, ret, err);
}

int stream_open_feed(struct stream_hub *hub, int keep_events, struct stream **ret, struct error *err)
{
	return open_stream(hub, "", keep_events, ret, err);
}

const char *stream_id(const struct stream *s)
{
	return s->id;
}

static void drop_first(struct stream *s)
{
	size_t size = event_size(s->events[0]);

	free(s->events[0]);
	memmove(s->events, s->events + 1, --s->count * sizeof *s->events);
	s->dropped++;
	s->bytes -= size;
	atomic_fetch_sub(&s->hub->bytes, size);
}

void stream_append(struct stream *s, const char *name, const char *json)
{
	int64_t now = clock_mono_ms(), next = never;
	Rpc__Event *e;

	pthread_mutex_lock(&s->lock);
	if (strlen(json) > EVENT_BYTES_MAX)
		json = "{\"detail\":\"this event is too large to be sent\"}";
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->events = realloc(s->events, s->room * sizeof *s->events);
		if (!s->events)
			abort();
	}
	e = event_new(last_sequence(s) + 1, name, json);
	s->events[s->count++] = e;
	s->bytes += event_size(e);
	atomic_fetch_add(&s->hub->bytes, event_size(e));
	if (s->keep && s->count > s->keep)
		drop_first(s);
	if (s->waiting && (!s->scheduled || s->answered + GATHER_MS <= now))
		next = serve(s, now);
	pthread_mutex_unlock(&s->lock);
	if (next != never) {
		pthread_mutex_lock(&s->hub->lock);
		look_at(s->hub, next);
		pthread_mutex_unlock(&s->hub->lock);
	}
}

void stream_close(struct stream *s)
{
	struct stream_hub *hub = s->hub;
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&s->lock);
	s->closed = true;
	serve(s, now);
	pthread_mutex_unlock(&s->lock);

	pthread_mutex_lock(&hub->lock);
	s->closed_at = now;
	*hub->closed_end = s;
	hub->closed_end = &s->next_closed;
	look_at(hub, now + KEEP_CLOSED_MS);
	pthread_mutex_unlock(&hub->lock);
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
	struct stream *s = id ? *bucket_of(hub, id) : NULL;

	while (s && strcmp(s->id, id))
		s = s->next;
	return s && !strcmp(s->reader, reader) ? s : NULL;
}

/* Answer at once or keep the reader; returns when it is to be answered, `never` when it has been. */
static int64_t park(struct stream *s, const Rpc__NextRequest *in, struct stream_waiter waiter)
{
	int64_t now = clock_mono_ms(), wait = in->wait < 0 ? 0 : in->wait, when;
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	*w = (struct waiting){ .waiter = waiter,
		               .after = in->after < 0 ? 0 : in->after,
		               .expires = now + (wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS) };
	when = due(s, w->after, w->expires, now);
	if (when <= now) {
		answer(s, w, now);
		free(w);
		return never;
	}
	w->next = s->waiting;
	s->waiting = w;
	s->scheduled = s->scheduled || w->after < last_sequence(s);
	return when;
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
	when = park(s, in, waiter);
	pthread_mutex_unlock(&s->lock);

	pthread_mutex_lock(&hub->lock);
	if (when != never && hub->stopping) {
		pthread_mutex_lock(&s->lock);
		serve_all(s);
		pthread_mutex_unlock(&s->lock);
	} else if (when != never) {
		if (!s->listed) {
			s->listed = true;
			s->refs++;
			s->next_listed = hub->listed;
			hub->listed = s;
		}
		look_at(hub, when);
	}
	unref(s);
	pthread_mutex_unlock(&hub->lock);
	return 0;
}
