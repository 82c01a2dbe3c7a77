#include "svc-chat/turn/events.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/json_write.h"
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
	ret->tool_calls = m->tool_calls;
	ret->n_tool_calls = m->n_tool_calls;
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
	if (t.length > EVENT_BYTES &&
	    (message->reasoning || message->n_tool_calls)) { /* its reader has had that */
		Chat__Message shorter = *message;

		shorter.reasoning = NULL;
		shorter.n_tool_calls = 0;
		return event_done(&shorter, audience, a);
	}
	return (struct event){ "done", t.at };
}

/* {"id", "server", "name", "arguments"}, open at its end. */
static void add_call(struct text *t, const Chat__ToolCall *call)
{
	text_addf(t, "{\"id\":\"%s\",\"server\":", call->id);
	if (call->server)
		text_add_json(t, call->server, strlen(call->server));
	else
		text_adds(t, "null");
	text_adds(t, ",\"name\":");
	text_add_json(t, call->name, strlen(call->name));
	text_addf(t, ",\"arguments\":%s", call->arguments);
}

struct event event_tool_call(const Chat__ToolCall *call, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	add_call(&t, call);
	text_addc(&t, '}');
	return (struct event){ "tool_call", t.at };
}

struct event event_tool_result(const Chat__ToolCall *call, struct arena *a)
{
	const char *content = call->content ? call->content : "";
	struct text t;

	text_init(&t, a);
	text_addf(&t, "{\"id\":\"%s\",\"ok\":%s,\"status\":\"%s\",\"content\":", call->id,
	          strcmp(call->status, "done") == 0 ? "true" : "false", call->status);
	text_add_json(&t, content, strlen(content));
	if (call->n_attachments) {
		text_adds(&t, ",\"attachments\":");
		json_from_field(&t, &shape_chat__tool_call, &call->base, "attachments");
	}
	text_addc(&t, '}');
	return (struct event){ "tool_result", t.at };
}

struct event event_approval(const Chat__ToolCall *call, const char *description, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	add_call(&t, call);
	text_adds(&t, ",\"description\":");
	if (description)
		text_add_json(&t, description, strlen(description));
	else
		text_adds(&t, "null");
	text_addc(&t, '}');
	return (struct event){ "approval", t.at };
}

struct event event_elicitation(const Chat__ToolCall *call, const Chat__Elicitation *asked, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	json_from_message(&t, &shape_chat__elicitation, &asked->base);
	t.length--; /* its brace */
	text_addf(&t, ",\"tool_call_id\":\"%s\",\"server\":", call->id);
	text_add_json(&t, call->server, strlen(call->server));
	text_adds(&t, ",\"name\":");
	text_add_json(&t, call->name, strlen(call->name));
	text_addc(&t, '}');
	return (struct event){ "elicitation", t.at };
}

struct event event_oauth(const Chat__ToolCall *call, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addf(&t, "{\"id\":\"%s\",\"server_id\":%" PRId64 ",\"oauth_url\":", call->id, call->server_id);
	if (call->oauth_url)
		text_add_json(&t, call->oauth_url, strlen(call->oauth_url));
	else
		text_adds(&t, "null");
	text_addc(&t, '}');
	return (struct event){ "oauth", t.at };
}

struct event event_progress(const char *id, double progress, double total, const char *message,
                            struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addf(&t, "{\"id\":\"%s\",\"progress\":%.15g", id, progress);
	if (total > 0)
		text_addf(&t, ",\"total\":%.15g", total);
	if (message) {
		text_adds(&t, ",\"message\":");
		text_add_json(&t, message, strlen(message));
	}
	text_addc(&t, '}');
	return (struct event){ "progress", t.at };
}

/* --- Some of them --------------------------------------------------------------------------------------------------- */

void events_put(struct event_list *list, struct event event)
{
	if (list->count < EVENTS_MAX)
		list->at[list->count++] = event;
}

static void add(struct event_list *list, struct event event)
{
	events_put(list, event);
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
	message->n_tool_calls = 0;
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
	for (size_t i = 0; !begun->visitor && i < message->n_tool_calls && i < (EVENTS_MAX - 10) / 2; i++) {
		add(out, event_tool_call(message->tool_calls[i], a));
		if (message->tool_calls[i]->content)
			add(out, event_tool_result(message->tool_calls[i], a));
	}
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
	int64_t sequence = stream_last(s);

	log.has_end = log.end = true;
	log.events = arena_new(a, Rpc__Event *, before + list->count);
	for (size_t i = 0; i < before; i++)
		log.events[log.n_events++] = so_far->events[i];
	for (size_t i = 0; i < list->count; i++) {
		log.events[log.n_events++] = new_event(&list->at[i], ++sequence, a);
	}
	*last = sequence;
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
