#include "common/stream/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/stream/internal.h"

/* --- The producer's side ---------------------------------------------------------------------------------------------- */

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
	return hub_open_stream(hub, id, reader, 0, ret, err);
}

int stream_open_as(struct stream_hub *hub, const char *id, const char *reader, struct stream **ret,
                   struct error *err)
{
	return hub_open_stream(hub, id, reader, 0, ret, err);
}

int stream_open_feed(struct stream_hub *hub, int keep_events, struct stream **ret, struct error *err)
{
	char id[STREAM_ID];

	random_id(hub, id);
	return hub_open_stream(hub, id, "", keep_events, ret, err);
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
		hub_look_by(s->hub, next);
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
	hub_note_closed(hub, s, now);
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
	hub_remove(hub, s);
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
	all.n_events = s->journal.events;
	all.events = journal_view(&s->journal, journal_after(&s->journal, 0), all.n_events);
	all.has_end = all.end = true;
	packed.len = rpc__next_reply__get_packed_size(&all);
	packed.data = arena_alloc(a, packed.len);
	rpc__next_reply__pack(&all, packed.data);
	pthread_mutex_unlock(&s->lock);
	free(all.events);
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
	struct stream *s = id ? hub_find(hub, id) : NULL;

	return s && !strcmp(s->reader, reader) ? s : NULL;
}

/* The stream, and one reference more to it. */
static struct stream *borrow(struct stream_hub *hub, const char *reader, const char *id)
{
	struct stream *s;

	pthread_mutex_lock(&hub->lock);
	s = find(hub, reader, id);
	if (s)
		s->refs++;
	pthread_mutex_unlock(&hub->lock);
	return s;
}

void stream_so_far(struct stream_hub *hub, const char *reader, Rpc__Started *out, struct arena *a)
{
	struct stream *s = borrow(hub, reader, out->stream);

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	events_copy(s, out->after, &out->n_events, &out->events, a);
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_lock(&hub->lock);
	hub_unref(s);
	pthread_mutex_unlock(&hub->lock);
}

int stream_next(struct stream_hub *hub, const char *reader, const Rpc__NextRequest *in,
                struct stream_waiter waiter, struct error *err)
{
	struct stream *s = borrow(hub, reader, in->stream);
	int64_t when;

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
		hub_look_by(hub, when);
	}
	hub_unref(s);
	pthread_mutex_unlock(&hub->lock);
	return 0;
}
