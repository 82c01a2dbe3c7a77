#include "svc-chat/turn/events.h"

#include <string.h>

#include "common/base/text.h"
#include "common/json/json_message.h"
#include "common/rpc/envelope.h"
#include "shapes.h"

enum {
	EVENT_BYTES = 1 << 20, /* of one, as stream.h has it */
	REPLY_BYTES = 1 << 20, /* of several, roughly */
};

/* --- Each of them --------------------------------------------------------------------------------------------------- */

struct event event_message(const char *id, const char *role, struct arena *a)
{
	return (struct event){ "message", arena_printf(a, "{\"id\":\"%s\",\"role\":\"%s\"}", id, role) };
}

static struct event with_text(const char *name, const char *member, const char *bytes, size_t size,
                              struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addf(&t, "{\"%s\":", member);
	text_add_json(&t, bytes, size);
	text_addc(&t, '}');
	return (struct event){ name, t.at };
}

struct event event_text(const char *name, const char *bytes, size_t size, struct arena *a)
{
	return with_text(name, "text", bytes, size, a);
}

struct event event_error(const char *detail, struct arena *a)
{
	return with_text("error", "detail", detail, strlen(detail), a);
}

static struct event event_sources(const Chat__Message *message, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	json_from_field(&t, &shape_chat__message, &message->base, "sources");
	return (struct event){ "sources", t.at };
}

static struct event event_done(const Chat__Message *message,
                               struct arena *a) // NOLINT(misc-no-recursion)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"message\":");
	json_from_message(&t, &shape_chat__message, &message->base);
	text_addc(&t, '}');
	if (t.length > EVENT_BYTES && message->reasoning) { /* its reader has had that */
		Chat__Message shorter = *message;

		shorter.reasoning = NULL;
		return event_done(&shorter, a);
	}
	return (struct event){ "done", t.at };
}

/* --- Some of them --------------------------------------------------------------------------------------------------- */

static void add(struct event_list *list, struct event event)
{
	list->at[list->count++] = event;
}

void events_for_visitor(Chat__Message *message)
{
	message->reasoning = message->model = NULL;
	if (message->error && message->status == CHAT__MESSAGE_STATUS__FAILED)
		message->error = (char *)"this cannot be answered right now; please try again later";
}

void events_of_end(const Chat__Message *message, bool visitor, struct event_list *out, struct arena *a)
{
	Chat__Message m = *message;

	if (visitor)
		events_for_visitor(&m);
	if (m.status == CHAT__MESSAGE_STATUS__COMPLETE || m.status == CHAT__MESSAGE_STATUS__STOPPED) {
		add(out, event_sources(&m, a));
		add(out, event_done(&m, a));
	} else {
		add(out, event_error(m.error ? m.error : "the answer was interrupted", a));
	}
}

void events_of_message(const char *question_id, const Chat__Message *message, bool visitor,
                       struct event_list *out, struct arena *a)
{
	if (question_id)
		add(out, event_message(question_id, "user", a));
	add(out, event_message(message->id, "assistant", a));
	if (!visitor && message->reasoning && *message->reasoning)
		add(out, event_text("reasoning", message->reasoning, strlen(message->reasoning), a));
	if (*message->content)
		add(out, event_text("delta", message->content, strlen(message->content), a));
	events_of_end(message, visitor, out, a);
}

void events_append(struct stream *s, const struct event_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		stream_append(s, list->at[i].name, list->at[i].data);
}

/* --- Logs ------------------------------------------------------------------------------------------------------------ */

static Rpc__NextReply *unpack(ProtobufCBinaryData log, struct arena *a)
{
	ProtobufCAllocator allocator = arena_allocator(a);

	return rpc__next_reply__unpack(&allocator, log.len, log.data);
}

static Rpc__Event *new_event(const struct event *event, int64_t sequence, struct arena *a)
{
	Rpc__Event *e = arena_new(a, Rpc__Event, 1);

	rpc__event__init(e);
	e->has_sequence = true;
	e->sequence = sequence;
	e->name = arena_strdup(a, event->name);
	e->data = arena_strdup(a, event->data);
	return e;
}

ProtobufCBinaryData events_pack(const Rpc__NextReply *log, struct arena *a)
{
	ProtobufCBinaryData packed;

	packed.len = rpc__next_reply__get_packed_size(log);
	packed.data = arena_alloc(a, packed.len);
	rpc__next_reply__pack(log, packed.data);
	return packed;
}

ProtobufCBinaryData events_log(struct stream *s, const struct event_list *list, int64_t *last,
                               struct arena *a)
{
	Rpc__NextReply log = RPC__NEXT_REPLY__INIT;
	Rpc__NextReply *so_far = unpack(stream_log(s, a), a);
	size_t before = so_far ? so_far->n_events : 0;

	log.has_end = log.end = true;
	log.events = arena_new(a, Rpc__Event *, before + list->count);
	for (size_t i = 0; i < before; i++)
		log.events[log.n_events++] = so_far->events[i];
	for (size_t i = 0; i < list->count; i++) {
		log.events[log.n_events] = new_event(&list->at[i], (int64_t)log.n_events + 1, a);
		log.n_events++;
	}
	*last = (int64_t)log.n_events;
	return events_pack(&log, a);
}

int events_after(ProtobufCBinaryData log, int64_t after, Rpc__NextReply *out, struct arena *a,
                 struct error *err)
{
	Rpc__NextReply *all = unpack(log, a);
	size_t from = 0, to, bytes = 0;

	if (!all)
		return error_internal(err, "a stored stream cannot be read");
	while (from < all->n_events && all->events[from]->sequence <= after)
		from++;
	for (to = from; to < all->n_events && bytes < REPLY_BYTES; to++)
		bytes += strlen(all->events[to]->data) + 64;
	out->events = all->events + from;
	out->n_events = to - from;
	out->has_end = true;
	out->end = to == all->n_events;
	return 0;
}

void events_only_error(const char *detail, int64_t after, Rpc__NextReply *out, struct arena *a)
{
	struct event event = event_error(detail, a);

	out->events = arena_new(a, Rpc__Event *, 1);
	out->events[0] = new_event(&event, after + 1, a);
	out->n_events = 1;
	out->has_end = out->end = true;
}
