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

/* How many there are from that place on, as many as fit an answer. */
static size_t fitting(const struct stream *s, struct journal_place from)
{
	size_t n = 0, bytes = 0;
	Rpc__Event e;

	while (journal_next(&s->journal, &from, &e)) {
		bytes += event_size(&e);
		if (n && bytes > REPLY_BYTES_MAX)
			break;
		n++;
	}
	return n;
}

void events_copy(const struct stream *s, int64_t after, size_t *n, Rpc__Event ***ret, struct arena *a)
{
	struct journal_place at = journal_after(&s->journal, after);

	*n = after < s->dropped ? 0 : fitting(s, at);
	*ret = arena_new(a, Rpc__Event *, *n);
	for (size_t i = 0; i < *n; i++) {
		Rpc__Event *copy = (*ret)[i] = arena_new(a, Rpc__Event, 1);

		(void)journal_next(&s->journal, &at, copy);
		copy->name = arena_strdup(a, copy->name);
		copy->data = arena_strdup(a, copy->data);
	}
}

static void reply_reset(struct stream *s, const struct waiting *w)
{
	Rpc__NextReply reply = RPC__NEXT_REPLY__INIT;
	Rpc__Event reset = RPC__EVENT__INIT, *only = &reset;

	reset.has_sequence = reply.has_end = true;
	reset.sequence = s->journal.last;
	reset.name = (char *)"reset";
	reset.data = (char *)"{}";
	reply.n_events = 1;
	reply.events = &only;
	reply.end = s->closed;
	w->waiter.reply(w->waiter.token, &reply);
}

static void answer(struct stream *s, const struct waiting *w, int64_t now)
{
	Rpc__NextReply reply = RPC__NEXT_REPLY__INIT;
	struct journal_place from;
	bool last;

	if (w->after < s->dropped) {
		reply_reset(s, w);
		return;
	}
	from = journal_after(&s->journal, w->after);
	reply.n_events = fitting(s, from);
	reply.events = journal_view(&s->journal, from, reply.n_events);
	last = !reply.n_events || reply.events[reply.n_events - 1]->sequence == s->journal.last;
	reply.has_end = true;
	reply.end = s->closed && last;
	if (reply.n_events && last) /* a reply cut short is followed by the next at once */
		s->answered = now;
	w->waiter.reply(w->waiter.token, &reply);
	free(reply.events);
}

/* When a reader that has seen `after` gets its answer, as things stand; it waits at most until `expires`. */
static int64_t due(const struct stream *s, int64_t after, int64_t expires, int64_t now)
{
	int64_t gathered = s->answered + GATHER_MS;

	if (s->closed || after < s->dropped)
		return now;
	if (after >= s->journal.last)
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
			s->scheduled = s->scheduled || w->after < s->journal.last;
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
	s->scheduled = s->scheduled || w->after < s->journal.last;
	return when;
}

/* --- Events ------------------------------------------------------------------------------------------------------ */

int64_t events_add(struct stream *s, const char *name, const char *json, int64_t now)
{
	size_t before = s->journal.bytes;

	if (strlen(json) > EVENT_BYTES_MAX)
		json = "{\"detail\":\"this event is too large to be sent\"}";
	journal_add(&s->journal, ++s->given, name, json);
	if (s->keep && s->given > s->keep) {
		s->dropped = s->given - s->keep;
		journal_drop(&s->journal, s->dropped);
	}
	atomic_fetch_add(&s->hub->bytes, s->journal.bytes - before);
	if (s->waiting && (!s->scheduled || s->answered + GATHER_MS <= now))
		return readers_answer(s, now);
	return never;
}
