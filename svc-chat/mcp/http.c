#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "svc-chat/mcp/internal.h"

enum {
	HEADERS = 24,
	PAUSE_MS = 1000,      /* before a stream is taken up again, unless the server says otherwise */
	LONGEST_PAUSE = 5000, /* whatever it says */
	MOST_RESUMES = 20,
	NOTIFY_MS = 5000,
};

void mcp_answer_done(struct mcp_answer *a)
{
	json_object_put(a->message);
	json_object_put(a->asked);
	*a = (struct mcp_answer){ 0 };
}

/* --- One message that has come --------------------------------------------------------------------------------------- */

static bool is_response(json_object *message, int64_t id)
{
	json_object *its = json_get(message, "id");

	return (json_get(message, "result") || json_get(message, "error")) &&
	       !json_string(message, "method") && json_object_is_type(its, json_type_int) &&
	       json_object_get_int64(its) == id;
}

/* Answer a request of the server's. That it cannot be sent is the server's to notice. */
static void reply(struct mcp *m, json_object *request)
{
	OWN(json) json_object *message = json_object_new_object();
	struct mcp_answer ignored = { 0 };
	struct error err = { 0 };
	int code = 0;
	json_object *result =
	    mcp_serve(m, json_string(request, "method"), json_get(request, "params"), &code);

	json_object_object_add(message, "jsonrpc", json_object_new_string("2.0"));
	json_object_object_add(message, "id", json_object_get(json_get(request, "id")));
	if (result) {
		json_object_object_add(message, "result", result);
	} else {
		json_object *error = json_object_new_object();

		json_object_object_add(error, "code", json_object_new_int(code));
		json_object_object_add(error, "message", json_object_new_string("not supported"));
		json_object_object_add(message, "error", error);
	}
	if (mcp_post(m, message, NULL, &ignored, &err) == 0)
		mcp_answer_done(&ignored);
}

/* Its answer can come later, since the stream can be taken up again after this event. */
static bool can_pause(const struct mcp_reading *r, const char *method)
{
	return r->pauses && r->streams && r->m->era == MCP_SESSIONS && r->m->session && r->events.id.length &&
	       strcmp(method, "elicitation/create") == 0;
}

/* 1: it is the response that was waited for, or what comes instead. */
static int take_message(struct mcp_reading *r, json_object *message)
{
	const char *method = json_string(message, "method");

	if (is_response(message, r->id)) {
		r->answer->message = json_object_get(message);
		return 1;
	}
	if (method && json_get(message, "id") && can_pause(r, method)) {
		r->answer->asked = json_object_get(message);
		r->answer->event = arena_strdup(r->m->arena, r->events.id.at);
		return 1;
	}
	if (method && json_get(message, "id"))
		reply(r->m, message);
	else if (method)
		mcp_hear(r->m, method, json_get(message, "params"));
	return 0;
}

int mcp_take_text(struct mcp_reading *r, const char *bytes, size_t size)
{
	OWN(json) json_object *message = NULL;
	struct error unreadable = { 0 };
	int found = 0;

	if (json_parse(bytes, size, &message, &unreadable) < 0)
		return 0; /* a priming event, or nothing we know */
	if (!json_object_is_type(message, json_type_array))
		return take_message(r, message);
	for (size_t i = 0; i < json_object_array_length(message) && !found; i++)
		found = take_message(r, json_object_array_get_idx(message, i));
	return found;
}

static int on_event(void *arg, const struct sse_event *event)
{
	return mcp_take_text(arg, event->data, event->size);
}

/* --- One exchange ---------------------------------------------------------------------------------------------------- */

static int on_headers(void *arg, int status)
{
	struct mcp_reading *r = arg;
	const char *type = egress_header(&r->response, "content-type");

	r->answer->status = status;
	r->m->heard = true;
	r->streams = status < 300 && type && strncasecmp(type, "text/event-stream", 17) == 0;
	return 0;
}

static int on_data(void *arg, const char *bytes, size_t size)
{
	struct mcp_reading *r = arg;

	if (r->streams)
		return sse_reader_feed(&r->events, bytes, size, &r->err);
	text_add(&r->body, bytes, size);
	return 0;
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

int64_t mcp_deadline(const struct mcp *m)
{
	return m->deadline + (m->held ? atomic_load(m->held) : 0);
}

int mcp_time_left(const struct mcp *m)
{
	int64_t left = mcp_deadline(m) - clock_mono_ms();

	return left < 1 ? 1 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* A stream that ends in the middle can be taken up again, like one that ends in order. */
static bool breaks_off(const struct mcp_reading *r, struct error *err)
{
	if (!r->streams || r->m->era != MCP_SESSIONS || err->code != ERROR_UPSTREAM || !r->events.id.length)
		return false;
	error_clear(err);
	return true;
}

static int exchange(struct mcp_reading *r, const char *method, const char *body, const char *const *headers,
                    struct error *err)
{
	struct mcp *m = r->m;

	text_init(&r->body, m->arena);
	sse_reader_init(&r->events, MCP_MAX_BYTES, on_event, r);
	if (egress_fetch(m->egress,
	                 &(struct egress_request){ .method = method,
	                                           .url = m->url,
	                                           .headers = headers,
	                                           .body = body,
	                                           .body_size = body ? strlen(body) : 0,
	                                           .timeout_ms = mcp_time_left(m),
	                                           .max_bytes = MCP_MAX_BYTES,
	                                           .once = body != NULL,
	                                           .cancelled = m->cancelled,
	                                           .more_ms = m->held,
	                                           .on_headers = on_headers,
	                                           .on_data = on_data,
	                                           .arg = r },
	                 &r->response, m->arena, err) < 0 &&
	    !breaks_off(r, err))
		return -1;
	if (r->err.code)
		return error_set(err, r->err.code, "%s", r->err.message);
	if (r->streams)
		sse_reader_end(&r->events);
	else if (r->body.length)
		mcp_take_text(r, r->body.at, r->body.length);
	return 0;
}

/* The error body of a refusal has no id, or another: it is kept all the same. */
static void keep_refusal(struct mcp_reading *r)
{
	struct error unreadable = { 0 };

	if (r->answer->message || r->answer->asked || r->answer->status < 400 || !r->body.length)
		return;
	if (json_parse(r->body.at, r->body.length, &r->answer->message, &unreadable) < 0)
		r->answer->message = NULL;
}

static void finish(struct mcp_reading *r)
{
	struct mcp *m = r->m;

	if (r->answer->status == 401 || r->answer->status == 403)
		m->challenge = egress_header(&r->response, "www-authenticate");
	r->answer->session = egress_header(&r->response, "mcp-session-id");
	keep_refusal(r);
	sse_reader_done(&r->events);
}

/* --- Streams that break off -------------------------------------------------------------------------------------------- */

static void pause_before_resume(const struct mcp_reading *r)
{
	int64_t ms = r->events.retry_ms < 0 ? PAUSE_MS : r->events.retry_ms;

	ms = ms > LONGEST_PAUSE ? LONGEST_PAUSE : ms;
	if (ms > mcp_time_left(r->m))
		ms = mcp_time_left(r->m);
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Since 2025-11-25 a server may end the stream before the response; it is asked for what comes after the last event. */
static int resume(struct mcp_reading *r, struct error *err)
{
	for (int i = 0; i < MOST_RESUMES && !r->answer->message && !r->answer->asked && r->streams &&
	                r->events.id.length;
	     i++) {
		const char *last = arena_strdup(r->m->arena, r->events.id.at);
		int status = r->answer->status;

		pause_before_resume(r);
		sse_reader_done(&r->events);
		if (clock_mono_ms() >= mcp_deadline(r->m)) {
			sse_reader_init(&r->events, MCP_MAX_BYTES, on_event, r);
			break;
		}
		if (exchange(r, "GET", NULL, mcp_headers(r->m, NULL, last), err) < 0)
			return -1;
		if (!r->events.id.length)
			text_adds(&r->events.id, last);
		if (!r->streams)
			r->answer->status = status;
	}
	return 0;
}

/* Whether it is a call, which alone may pause. */
static bool is_call(json_object *request)
{
	const char *method = json_string(request, "method");

	return method && strcmp(method, "tools/call") == 0;
}

int mcp_post(struct mcp *m, json_object *request, const char *const *extra, struct mcp_answer *ret,
             struct error *err)
{
	struct mcp_reading r = { .m = m,
		                 .answer = ret,
		                 .id = json_int(request, "id", -1),
		                 .pauses = m->pauses && is_call(request) };
	bool expects = json_string(request, "method") && json_get(request, "id");
	int done;

	*ret = (struct mcp_answer){ 0 };
	if (m->era == MCP_EVENTS)
		return mcp_events_post(m, request, expects, ret, err);
	done = exchange(&r, "POST", json_print(request, m->arena), mcp_headers(m, extra, NULL), err);
	if (done == 0 && expects && m->era != MCP_STATELESS)
		done = resume(&r, err);
	if (done == 0) {
		finish(&r);
		return 0;
	}
	sse_reader_done(&r.events);
	mcp_answer_done(ret);
	return -1;
}

int mcp_continue(struct mcp *m, int64_t id, const char *event, struct mcp_answer *ret, struct error *err)
{
	struct mcp_reading r = { .m = m, .answer = ret, .id = id, .pauses = m->pauses, .streams = true };

	*ret = (struct mcp_answer){ .status = 200 };
	text_init(&r.body, m->arena);
	sse_reader_init(&r.events, MCP_MAX_BYTES, on_event, &r);
	text_adds(&r.events.id, event);
	r.events.retry_ms = 0;
	if (resume(&r, err) == 0) {
		finish(&r);
		return 0;
	}
	sse_reader_done(&r.events);
	mcp_answer_done(ret);
	return -1;
}

int mcp_read_stream(struct mcp *m, struct error *err)
{
	struct mcp_answer answer = { 0 };
	struct mcp_reading r = { .m = m, .answer = &answer, .id = -1 };
	int done = exchange(&r, "GET", NULL, mcp_headers(m, NULL, NULL), err);

	sse_reader_done(&r.events);
	mcp_answer_done(&answer);
	return done < 0 ? -1 : !r.streams;
}

int mcp_notify(struct mcp *m, const char *method, json_object *params, struct error *err)
{
	OWN(json) json_object *message = json_object_new_object();
	struct mcp_answer answer;

	json_object_object_add(message, "jsonrpc", json_object_new_string("2.0"));
	json_object_object_add(message, "method", json_object_new_string(method));
	if (params)
		json_object_object_add(message, "params", params);
	if (mcp_post(m, message, NULL, &answer, err) < 0)
		return -1;
	mcp_answer_done(&answer);
	return 0;
}

int mcp_delete_session(struct mcp *m, struct error *err)
{
	struct egress_response response;

	return egress_fetch(m->egress,
	                    &(struct egress_request){ .method = "DELETE",
	                                              .url = m->url,
	                                              .headers = mcp_headers(m, NULL, NULL),
	                                              .timeout_ms = NOTIFY_MS,
	                                              .max_bytes = 65536 },
	                    &response, m->arena, err);
}
