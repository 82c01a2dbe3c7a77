#include "svc-chat/turn/events.h"

#include <inttypes.h>
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

enum audience events_audience(const struct store_begun *begun)
{
	if (begun->visitor)
		return FOR_VISITOR;
	return begun->kind && strcmp(begun->kind, "session") != 0 ? FOR_CHAT : FOR_USER;
}

static struct event event_message(const char *id, const char *role, struct arena *a)
{
	return (struct event){ "message", arena_printf(a, "{\"id\":\"%s\",\"role\":\"%s\"}", id, role) };
}

static struct event event_numbered(int64_t id, const char *role, struct arena *a)
{
	return (struct event){ "message", arena_printf(a, "{\"id\":%" PRId64 ",\"role\":\"%s\"}", id, role) };
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

void events_for_chat(const Chat__Message *m, Chat__ChatMessage *ret)
{
	chat__chat_message__init(ret);
	ret->has_id = true;
	ret->id = m->number;
	ret->content = m->content;
	ret->role = m->role;
	ret->created_at = m->created_at;
	ret->reasoning = m->reasoning;
	ret->has_status = m->has_status;
	ret->status = m->status;
	ret->sources = m->sources;
	ret->n_sources = m->n_sources;
	ret->error = m->error;
	ret->model = m->model;
	ret->feedback = m->feedback;
}

static void add_message(struct text *t, const Chat__Message *message, enum audience audience)
{
	Chat__ChatMessage numbered;

	if (audience == FOR_CHAT) {
		events_for_chat(message, &numbered);
		json_from_message(t, &shape_chat__chat_message, &numbered.base);
	} else {
		json_from_message(t, &shape_chat__message, &message->base);
	}
}

static struct event event_done(const Chat__Message *message, enum audience audience,
                               struct arena *a) // NOLINT(misc-no-recursion)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"message\":");
	add_message(&t, message, audience);
	text_addc(&t, '}');
	if (t.length > EVENT_BYTES && message->reasoning) { /* its reader has had that */
		Chat__Message shorter = *message;

		shorter.reasoning = NULL;
		return event_done(&shorter, audience, a);
	}
	return (struct event){ "done", t.at };
}

/* --- Some of them --------------------------------------------------------------------------------------------------- */

static void add(struct event_list *list, struct event event)
{
	list->at[list->count++] = event;
}

void events_of_begin(const struct store_begun *begun, const char *message_id, struct event_list *out,
                     struct arena *a)
{
	if (events_audience(begun) == FOR_CHAT) {
		add(out, event_numbered(begun->question_number, "user", a));
		add(out, event_numbered(begun->answer_number, "assistant", a));
	} else {
		add(out, event_message(begun->question_id, "user", a));
		add(out, event_message(message_id, "assistant", a));
	}
}

void events_for_visitor(Chat__Message *message)
{
	message->reasoning = message->model = NULL;
	if (message->error && message->status == CHAT__MESSAGE_STATUS__FAILED)
		message->error = (char *)"this cannot be answered right now; please try again later";
}

void events_of_end(const Chat__Message *message, enum audience audience, struct event_list *out,
                   struct arena *a)
{
	Chat__Message m = *message;

	if (audience == FOR_VISITOR)
		events_for_visitor(&m);
	if (m.status == CHAT__MESSAGE_STATUS__COMPLETE || m.status == CHAT__MESSAGE_STATUS__STOPPED) {
		add(out, event_sources(&m, a));
		add(out, event_done(&m, audience, a));
	} else {
		add(out, event_error(m.error ? m.error : "the answer was interrupted", a));
	}
}

void events_of_message(const struct store_begun *begun, const Chat__Message *message, struct event_list *out,
                       struct arena *a)
{
	events_of_begin(begun, message->id, out, a);
	if (!begun->visitor && message->reasoning && *message->reasoning)
		add(out, event_text("reasoning", message->reasoning, strlen(message->reasoning), a));
	if (*message->content)
		add(out, event_text("delta", message->content, strlen(message->content), a));
	events_of_end(message, events_audience(begun), out, a);
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
