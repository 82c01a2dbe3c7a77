#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "svc-chat/mcp/internal.h"

enum {
	HEADERS = 24,
	PAUSE_MS = 1000,      /* before a stream is taken up again, unless the server says otherwise */
	LONGEST_PAUSE = 5000, /* whatever it says */
	MOST_RESUMES = 20,
	TELL_MS = 10 * 1000,
	AFTER_ANSWER_MS = 2000, /* for a stream to end by itself, so that its connection can be used again */
};

void mcp_answer_done(struct mcp_answer *a)
{
	json_object_put(a->message);
	json_object_put(a->asked);
	*a = (struct mcp_answer){ 0 };
}

bool mcp_is_answered(const struct mcp_wire *w)
{
	return w->answer.message || w->answer.asked;
}

int mcp_time_left(const struct mcp *m)
{
	int64_t left = m->deadline - clock_mono_ms();

	return left < 1 ? 1 : left > INT32_MAX ? INT32_MAX : (int)left;
}

const char **mcp_headers(struct mcp *m, const char *const *extra, const char *last_event)
{
	const char **list = arena_new(m->arena, const char *, HEADERS + 1);
	size_t n = 0;

	list[n++] = "Content-Type: application/json";
	list[n++] = "Accept: application/json, text/event-stream";
	if (m->version)
		list[n++] = arena_printf(m->arena, "MCP-Protocol-Version: %s", m->version);
	if (m->era == MCP_SESSIONS && m->session)
		list[n++] = arena_printf(m->arena, "Mcp-Session-Id: %s", m->session);
	if (m->bearer)
		list[n++] = arena_printf(m->arena, "Authorization: Bearer %s", m->bearer);
	if (last_event)
		list[n++] = arena_printf(m->arena, "Last-Event-ID: %s", last_event);
	for (size_t i = 0; m->headers && m->headers[i] && n < HEADERS / 2; i++)
		list[n++] = m->headers[i];
	for (size_t i = 0; extra && extra[i] && n < HEADERS; i++)
		list[n++] = extra[i];
	return list;
}

/* --- One message that has come --------------------------------------------------------------------------------------- */

static bool is_response(json_object *message, int64_t id)
{
	json_object *its = json_get(message, "id");

	return (json_get(message, "result") || json_get(message, "error")) &&
	       !json_string(message, "method") && json_object_is_type(its, json_type_int) &&
	       json_object_get_int64(its) == id;
}

/* Its answer can come later, since the stream can be taken up again after this event. */
static bool can_pause(const struct mcp_source *s, const char *method)
{
	const struct mcp *m = s->m;

	return m->wire->pauses && s == &m->wire->main && s->streams && m->era == MCP_SESSIONS && m->session &&
	       s->events.id.length && strcmp(method, "elicitation/create") == 0;
}

static void take_message(struct mcp_source *s, json_object *message)
{
	struct mcp_wire *w = s->m->wire;
	const char *method = json_string(message, "method");

	if (mcp_is_answered(w))
		return; /* what comes behind is of no more use */
	if (w->id >= 0 && is_response(message, w->id)) {
		w->answer.message = json_object_get(message);
	} else if (method && json_get(message, "id") && can_pause(s, method)) {
		w->answer.asked = json_object_get(message);
		w->answer.event = arena_strdup(s->m->arena, s->events.id.at);
	} else if (method && json_get(message, "id")) {
		mcp_serve(s->m, message);
	} else if (method) {
		mcp_hear(s->m, method, json_get(message, "params"));
	}
}

void mcp_take_text(struct mcp_source *s, const char *bytes, size_t size)
{
	OWN(json) json_object *message = NULL;
	struct error unreadable = { 0 };

	if (json_parse(bytes, size, &message, &unreadable) < 0) { /* a priming event, or nothing we know */
		if (size && (*bytes == '{' || *bytes == '[') && !s->m->wire->unreadable)
			s->m->wire->unreadable = arena_strdup(s->m->arena, unreadable.message);
		return;
	}
	if (!json_object_is_type(message, json_type_array)) {
		take_message(s, message);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(message); i++)
		take_message(s, json_object_array_get_idx(message, i));
}

/* --- One answer ------------------------------------------------------------------------------------------------------ */

void mcp_source_start(struct mcp_source *s, const struct egress_request *request,
                      int (*on_event)(void *source, const struct sse_event *event))
{
	struct mcp *m = s->m;

	mcp_source_end(s, 0);
	if (!s->raw.arena)
		text_init(&s->raw, m->arena);
	text_init(&s->body, m->arena);
	sse_reader_init(&s->events, MCP_MAX_BYTES, on_event, s);
	s->status = 0;
	s->streams = false;
	s->reads = true;
	s->stream = egress_stream_start(m->egress, request, m->wake, m->wake_arg);
}

void mcp_source_end(struct mcp_source *s, int64_t linger_ms)
{
	egress_stream_close(s->stream, linger_ms);
	s->stream = NULL;
	if (s->reads)
		sse_reader_done(&s->events);
	s->reads = false;
}

static void begin(struct mcp_source *s, const struct egress_response *response)
{
	const char *type = egress_header(response, "content-type");

	s->status = response->status;
	s->m->heard = true;
	s->streams = s->status < 300 && type && strncasecmp(type, "text/event-stream", 17) == 0;
}

int mcp_source_read(struct mcp_source *s, struct error *err)
{
	const struct egress_response *response;
	bool more;

	s->raw.length = 0;
	more = egress_stream_read(s->stream, &s->raw);
	response = egress_stream_response(s->stream);
	if (response->status && !s->status)
		begin(s, response);
	if (!s->streams)
		text_add(&s->body, s->raw.at, s->raw.length);
	else if (s->raw.length && sse_reader_feed(&s->events, s->raw.at, s->raw.length, err) < 0)
		return -1;
	return more ? 1 : egress_stream_result(s->stream, err);
}

/* --- One exchange ---------------------------------------------------------------------------------------------------- */

static bool hear(struct mcp *m);
static bool rest(struct mcp *m);

static int on_event(void *source, const struct sse_event *event)
{
	mcp_take_text(source, event->data, event->size);
	return 0;
}

/* The error body of a refusal has no id, or another: it is kept all the same. */
static void keep_refusal(struct mcp_wire *w)
{
	struct error unreadable = { 0 };

	if (mcp_is_answered(w) || w->answer.status < 400 || !w->main.body.length)
		return;
	if (json_parse(w->main.body.at, w->main.body.length, &w->answer.message, &unreadable) < 0)
		w->answer.message = NULL;
}

static bool conclude(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	struct egress_stream *stream = w->main.stream;
	const struct egress_response *response = stream ? egress_stream_response(stream) : NULL;

	if (response && (w->answer.status == 401 || w->answer.status == 403))
		m->challenge = arena_strdup(m->arena, egress_header(response, "www-authenticate"));
	if (response)
		w->answer.session = arena_strdup(m->arena, egress_header(response, "mcp-session-id"));
	keep_refusal(w);
	mcp_source_end(&w->main, w->answer.asked ? 0 : AFTER_ANSWER_MS);
	w->step = w->heard;
	return false;
}

/* A stream that ends in the middle can be taken up again, like one that ends in order (since 2025-11-25). */
static bool may_resume(const struct mcp *m)
{
	const struct mcp_wire *w = m->wire;

	return w->id >= 0 && m->era == MCP_SESSIONS && w->main.streams && w->main.events.id.length &&
	       w->resumes < MOST_RESUMES && clock_mono_ms() < m->deadline;
}

static bool resume(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	int64_t ms;

	if (w->main.events.retry_ms >= 0)
		w->retry_ms = w->main.events.retry_ms;
	ms = w->retry_ms < 0 ? PAUSE_MS : w->retry_ms > LONGEST_PAUSE ? LONGEST_PAUSE : w->retry_ms;
	w->last_event = arena_strdup(m->arena, w->main.events.id.at);
	w->rest_until = clock_mono_ms() + (ms > mcp_time_left(m) ? mcp_time_left(m) : ms);
	mcp_source_end(&w->main, 0);
	w->resumes++;
	w->step = rest;
	return false;
}

/* The stream has ended: the other one may still bring the answer, it may be asked for once more, or that was all. */
static bool end(struct mcp *m, int result)
{
	struct mcp_wire *w = m->wire;

	if (result < 0 && (w->err->code != ERROR_UPSTREAM || !may_resume(m))) {
		if (w->once && w->err->code == ERROR_UPSTREAM &&
		    (w->last_event || egress_stream_sent(w->main.stream)))
			w->err->code = ERROR_UNKNOWN_OUTCOME;
		return mcp_fail(m);
	}
	error_clear(w->err);
	if (w->main.streams)
		sse_reader_end(&w->main.events);
	else if (w->main.body.length && w->id >= 0)
		mcp_take_text(&w->main, w->main.body.at, w->main.body.length);
	return !mcp_is_answered(w) && may_resume(m) ? resume(m) : conclude(m);
}

/* MCP_EVENTS: the POST was taken, and what it asks for comes on the stream of events. */
static bool await_event(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	int more = mcp_hear_side(m, w->err);

	if (mcp_is_answered(w))
		return conclude(m);
	if (more > 0)
		return true;
	if (more == 0)
		error_set(w->err, ERROR_UNKNOWN_OUTCOME, "the server ended the stream before it answered");
	return mcp_fail(m);
}

static bool hear(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	struct error ignored = { 0 };
	int more = mcp_source_read(&w->main, w->err);

	if (w->main.status &&
	    (w->main.streams || !w->last_event)) /* a stream that is not there again says nothing */
		w->answer.status = w->main.status;
	if (!mcp_is_answered(w) && m->era == MCP_SESSIONS)
		(void)!mcp_hear_side(m, &ignored);
	if (mcp_is_answered(w))
		return conclude(m);
	if (more > 0)
		return true;
	if (m->era == MCP_EVENTS && more == 0 && w->id >= 0 && w->answer.status < 300) {
		mcp_source_end(&w->main, 0);
		w->step = await_event;
		return false;
	}
	return end(m, more);
}

/* After a pause it is asked for what comes after the last event. */
static bool rest(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	struct error ignored = { 0 };

	(void)!mcp_hear_side(m, &ignored);
	if (mcp_is_answered(w))
		return conclude(m);
	if (clock_mono_ms() < w->rest_until) {
		mcp_wake_at(m, w->rest_until);
		return true;
	}
	if (clock_mono_ms() >= m->deadline) {
		error_set(w->err, ERROR_UNKNOWN_OUTCOME, "the server does not answer in time");
		return mcp_fail(m);
	}
	mcp_source_start(&w->main,
	                 &(struct egress_request){ .method = "GET",
	                                           .url = m->url,
	                                           .headers = mcp_headers(m, NULL, w->last_event),
	                                           .timeout_ms = mcp_time_left(m),
	                                           .max_bytes = MCP_MAX_BYTES },
	                 on_event);
	text_adds(&w->main.events.id, w->last_event);
	w->step = hear;
	return false;
}

/* Whether it is a call, which alone may pause, and may be told of as sent. */
static bool is_call(json_object *request)
{
	const char *method = json_string(request, "method");

	return method && strcmp(method, "tools/call") == 0;
}

bool mcp_send(struct mcp *m, json_object *request, const char *const *extra, bool expects, mcp_step *heard)
{
	struct mcp_wire *w = m->wire;
	const char *body = json_print(request, m->arena);

	mcp_answer_done(&w->answer);
	w->id = expects ? json_int(request, "id", -1) : -1;
	w->pauses = m->pauses && is_call(request);
	w->once = m->once && is_call(request);
	m->sent |= is_call(request);
	w->heard = heard;
	w->resumes = 0;
	w->retry_ms = -1;
	w->last_event = NULL;
	w->unreadable = NULL;
	if (m->era == MCP_EVENTS && !w->side.stream) {
		error_set(w->err, ERROR_UPSTREAM, "the server has ended the conversation");
		return mcp_fail(m);
	}
	mcp_source_start(&w->main,
	                 &(struct egress_request){ .method = "POST",
	                                           .url = m->era == MCP_EVENTS ? w->endpoint : m->url,
	                                           .headers = mcp_headers(m, extra, NULL),
	                                           .body = body,
	                                           .body_size = strlen(body),
	                                           .timeout_ms = mcp_time_left(m),
	                                           .max_bytes = MCP_MAX_BYTES,
	                                           .once = w->once },
	                 on_event);
	w->step = hear;
	return false;
}

bool mcp_continue(struct mcp *m, int64_t id, const char *event, mcp_step *heard)
{
	struct mcp_wire *w = m->wire;

	mcp_answer_done(&w->answer);
	w->answer.status = 200;
	w->id = id;
	w->pauses = m->pauses;
	w->once = m->once;
	w->heard = heard;
	w->resumes = 1;
	w->retry_ms = -1;
	w->last_event = event;
	w->rest_until = 0;
	w->step = rest;
	return false;
}

void mcp_tell(struct mcp *m, json_object *message)
{
	const char *body = json_print(message, m->arena);

	egress_tell(m->egress,
	            &(struct egress_request){ .method = "POST",
	                                      .url = m->era == MCP_EVENTS ? m->wire->endpoint : m->url,
	                                      .headers = mcp_headers(m, NULL, NULL),
	                                      .body = body,
	                                      .body_size = strlen(body),
	                                      .timeout_ms = TELL_MS,
	                                      .max_bytes = 65536,
	                                      .once = true });
}

void mcp_delete_session(struct mcp *m)
{
	egress_tell(m->egress, &(struct egress_request){ .method = "DELETE",
	                                                 .url = m->url,
	                                                 .headers = mcp_headers(m, NULL, NULL),
	                                                 .timeout_ms = TELL_MS,
	                                                 .max_bytes = 65536 });
}
