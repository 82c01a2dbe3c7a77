#include "svc-chat/turn/cuts.h"

#include <string.h>

#include "svc-chat/turn/events.h"

/* A piece is a number, its lowest bit says which text it is of; seven bits of it to a byte, the lowest first. */
enum { BITS = 7, MORE = 1 << BITS };

void cuts_init(struct cuts *p, struct arena *a)
{
	*p = (struct cuts){ 0 };
	text_init(&p->packed, a);
}

void cuts_add(struct cuts *p, bool reasoning, size_t bytes)
{
	size_t n = bytes * 2 + reasoning;

	for (; n >= MORE; n >>= BITS)
		text_addc(&p->packed, (char)(n | MORE));
	text_addc(&p->packed, (char)n);
	*(reasoning ? &p->reasoning : &p->text) += bytes;
	p->count++;
}

bool cuts_are_all(const struct cuts *p, const Chat__Message *m, bool visitor, int64_t last)
{
	size_t reasoning = m->reasoning && !visitor ? strlen(m->reasoning) : 0;
	struct event_list begin = { .count = 2 /* events_of_begin() */ };

	return p->text == strlen(m->content) && p->reasoning == reasoning &&
	       last == (int64_t)begin.count + p->count;
}

/* false: there is none, or what there is is none. */
static bool next(ProtobufCBinaryData packed, size_t *at, bool *reasoning, size_t *bytes)
{
	size_t n = 0;
	int shift = 0;

	for (; *at < packed.len && shift < 63; shift += BITS) {
		unsigned char c = packed.data[(*at)++];

		n |= (size_t)(c & (MORE - 1)) << shift;
		if (c & MORE)
			continue;
		*reasoning = n & 1;
		*bytes = n >> 1;
		return true;
	}
	return false;
}

static size_t count(ProtobufCBinaryData packed)
{
	size_t n = 0;

	for (size_t i = 0; i < packed.len; i++)
		n += !(packed.data[i] & MORE);
	return n;
}

static void add(Rpc__NextReply *log, struct event event, struct arena *a)
{
	Rpc__Event *e = arena_new(a, Rpc__Event, 1);

	rpc__event__init(e);
	e->has_sequence = true;
	e->sequence = (int64_t)log->n_events + 1;
	e->name = (char *)event.name;
	e->data = (char *)event.data;
	log->events[log->n_events++] = e;
}

static void add_all(Rpc__NextReply *log, const struct event_list *list, struct arena *a)
{
	for (size_t i = 0; i < list->count; i++)
		add(log, list->at[i], a);
}

/* false: the message has other texts. */
static bool add_texts(Rpc__NextReply *log, ProtobufCBinaryData packed, const Chat__Message *m,
                      struct arena *a)
{
	const char *text = m->content, *thought = m->reasoning ? m->reasoning : "";
	size_t at = 0, bytes;
	bool reasoning;

	while (next(packed, &at, &reasoning, &bytes)) {
		const char **from = reasoning ? &thought : &text;

		if (strnlen(*from, bytes) < bytes)
			return false;
		add(log, event_text(reasoning ? "reasoning" : "delta", *from, bytes, a), a);
		*from += bytes;
	}
	return !*text;
}

void cuts_log(ProtobufCBinaryData packed, const struct store_begun *begun, const Chat__Message *m,
              ProtobufCBinaryData *ret, struct arena *a)
{
	Rpc__NextReply log = RPC__NEXT_REPLY__INIT;
	struct event_list begin = { 0 }, end = { 0 };
	Chat__Message as_told = *m;

	*ret = (ProtobufCBinaryData){ 0 };
	/* What was not known yet when it was told. */
	as_told.feedback = as_told.feedback_comment = as_told.replaces = NULL;
	as_told.has_shown = false;
	events_of_begin(begun, m->id, &begin, a);
	events_of_end(&as_told, events_audience(begun), &end, a);
	log.has_end = log.end = true;
	log.events = arena_new(a, Rpc__Event *, begin.count + count(packed) + end.count);
	add_all(&log, &begin, a);
	if (!add_texts(&log, packed, m, a))
		return;
	add_all(&log, &end, a);
	*ret = events_pack(&log, a);
}
