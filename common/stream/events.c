#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/stream/internal.h"

enum {
	GATHER_MS = 25,
	WAIT_MAX_MS = 15 * 1000,
	EVENT_BYTES_MAX = 1 << 20,
	REPLY_BYTES_MAX = 1 << 20 /* of events in one reply, beyond its first */
};

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
	return s->count ? s->events[s->count - 1]->sequence : s->dropped;
}

/* The first event behind that sequence. */
static size_t first_after(const struct stream *s, int64_t after)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->events[middle]->sequence > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* How many there are from that place on, as many as fit an answer. */
static size_t fitting(const struct stream *s, size_t from)
{
	size_t n = 0, bytes = 0;

	while (from + n < s->count && (!n || bytes + event_size(s->events[from + n]) <= REPLY_BYTES_MAX))
		bytes += event_size(s->events[from + n++]);
	return n;
}

void events_copy(const struct stream *s, int64_t after, size_t *n, Rpc__Event ***ret, struct arena *a)
{
	size_t from = first_after(s, after);

	*n = after < s->dropped ? 0 : fitting(s, from);
	*ret = arena_new(a, Rpc__Event *, *n);
	for (size_t i = 0; i < *n; i++) {
		const Rpc__Event *e = s->events[from + i];
		Rpc__Event *copy = (*ret)[i] = arena_new(a, Rpc__Event, 1);

		*copy = *e;
		copy->name = arena_strdup(a, e->name);
		copy->data = arena_strdup(a, e->data);
	}
}

static void answer(struct stream *s, const struct waiting *w, int64_t now)
{
	Rpc__NextReply reply = RPC__NEXT_REPLY__INIT;
	Rpc__Event reset = RPC__EVENT__INIT, *only = &reset;
	size_t from, n;

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
		from = first_after(s, w->after);
		reply.n_events = n = fitting(s, from);
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
int64_t readers_answer(struct stream *s, int64_t now)
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

void readers_answer_all(struct stream *s)
{
	for (struct waiting *w = s->waiting; w; w = w->next)
		w->expires = 0;
	(void)readers_answer(s, clock_mono_ms());
}

/* Answer at once or keep the reader; returns when it is to be answered, `never` when it has been. */
int64_t readers_add(struct stream *s, const Rpc__NextRequest *in, struct stream_waiter waiter)
{
	int64_t now = clock_mono_ms(), wait = in->wait < 0 ? 0 : in->wait, when;
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	if (in->leaves && s->stop)
		atomic_store(s->stop, true);
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

/* --- Events ------------------------------------------------------------------------------------------------------ */

static void drop_first(struct stream *s)
{
	size_t size = event_size(s->events[0]);

	s->dropped = s->events[0]->sequence;
	free(s->events[0]);
	memmove(s->events, s->events + 1, --s->count * sizeof *s->events);
	s->bytes -= size;
	atomic_fetch_sub(&s->hub->bytes, size);
}

int64_t events_add(struct stream *s, const char *name, const char *json, int64_t now)
{
	Rpc__Event *e;

	if (strlen(json) > EVENT_BYTES_MAX)
		json = "{\"detail\":\"this event is too large to be sent\"}";
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->events = realloc(s->events, s->room * sizeof *s->events);
		if (!s->events)
			abort();
	}
	e = event_new(++s->given, name, json);
	s->events[s->count++] = e;
	s->bytes += event_size(e);
	atomic_fetch_add(&s->hub->bytes, event_size(e));
	if (s->keep && s->count > s->keep)
		drop_first(s);
	if (s->waiting && (!s->scheduled || s->answered + GATHER_MS <= now))
		return readers_answer(s, now);
	return never;
}
