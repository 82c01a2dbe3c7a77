/* What the server says by itself, or beside the answer to a request: on a stream of its own, or on the way. */
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "svc-chat/mcp/internal.h"

enum {
	ENDPOINT_MS = 5000, /* until the stream of events has named the address */
	STREAM_BYTES = 16 << 20,
	AGAIN_MS = 200,          /* before a stream that has ended is opened anew */
	MOST_TIMES = 20,         /* that it is, in one conversation */
	HOLD_MS = 5 * 60 * 1000, /* for the user to answer, while the server waits */
	HELD_MOST = 20,
	SERVED_AT_ONCE = 20, /* requests of the server's; then one every ... */
	SERVED_EVERY_MS = 500,
};

/* --- The address of MCP_EVENTS ------------------------------------------------------------------------------------------ */

static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return (size_t)(host - url) + strcspn(host, "/?#");
}

/* Of the same server only: what is said to it is not for others. NULL otherwise. */
static const char *resolve(const char *url, const char *named, struct arena *a)
{
	size_t origin = origin_length(url), path = strcspn(url, "?#");

	if (strstr(named, "://"))
		return origin_length(named) == origin && strncasecmp(named, url, origin) == 0
		           ? arena_strdup(a, named)
		           : NULL;
	if (named[0] == '/')
		return named[1] == '/' ? NULL : arena_printf(a, "%.*s%s", (int)origin, url, named);
	while (path > origin && named[0] != '?' && url[path - 1] != '/')
		path--;
	return arena_printf(a, "%.*s%s%s", (int)path, url, path == origin ? "/" : "", named);
}

static int on_event(void *source, const struct sse_event *event)
{
	struct mcp_source *s = source;
	struct mcp *m = s->m;

	if (m->era != MCP_EVENTS || strcmp(event->name, "message") == 0) {
		mcp_take_text(s, event->data, event->size);
	} else if (strcmp(event->name, "endpoint") == 0 && !m->wire->endpoint && !m->wire->misled) {
		m->wire->endpoint =
		    resolve(m->url, arena_strndup(m->arena, event->data, event->size), m->arena);
		m->wire->misled = !m->wire->endpoint;
	}
	return 0;
}

/* Why there is no address. */
static bool not_open(struct mcp *m, int more)
{
	struct mcp_wire *w = m->wire;
	const struct egress_response *answer = egress_stream_response(w->side.stream);
	struct mcp_answer refusal = { .status = answer->status };

	if (w->misled)
		error_set(w->err, ERROR_UPSTREAM, "the server names an address that is not its own");
	else if (refusal.status == 401 || refusal.status == 403)
		mcp_refused(m, &refusal, w->err);
	else if (!refusal.status && more > 0)
		error_set(w->err, ERROR_UNKNOWN_OUTCOME, "the server does not answer in time");
	m->challenge = arena_strdup(m->arena, egress_header(answer, "www-authenticate"));
	if (refusal.status && !w->misled && refusal.status != 401 && refusal.status != 403)
		error_clear(w->err); /* it answers, with something else */
	mcp_source_end(&w->side, 0);
	if (w->err->code)
		return mcp_fail(m);
	w->step = w->no_events;
	return false;
}

static bool await_endpoint(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	int more = mcp_source_read(&w->side, w->err);

	if (w->endpoint) {
		m->heard = true;
		error_clear(w->err);
		w->step = w->opened;
		return false;
	}
	if (more <= 0 || w->misled || clock_mono_ms() >= w->endpoint_by)
		return not_open(m, more);
	mcp_wake_at(m, w->endpoint_by);
	return true;
}

static void open_side(struct mcp *m)
{
	mcp_source_start(&m->wire->side,
	                 &(struct egress_request){ .method = "GET",
	                                           .url = m->url,
	                                           .headers = mcp_headers(m, NULL, NULL),
	                                           .timeout_ms = mcp_time_left(m),
	                                           .max_bytes = STREAM_BYTES },
	                 on_event);
}

bool mcp_open_events(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	int64_t by = clock_mono_ms() + ENDPOINT_MS;

	w->endpoint = NULL;
	w->misled = false;
	w->endpoint_by = by < m->deadline ? by : m->deadline;
	open_side(m);
	w->step = await_endpoint;
	return false;
}

/* --- Listening ------------------------------------------------------------------------------------------------------------ */

void mcp_listen(struct mcp *m)
{
	if (!m->ask_user || m->era != MCP_SESSIONS || !m->session || m->silent || m->wire->listened++)
		return;
	open_side(m);
}

int mcp_hear_side(struct mcp *m, struct error *err)
{
	struct mcp_wire *w = m->wire;
	int more;
	bool again;

	if (w->listen_at && clock_mono_ms() >= w->listen_at) {
		w->listen_at = 0;
		open_side(m);
	}
	if (w->listen_at)
		mcp_wake_at(m, w->listen_at);
	if (!w->side.stream)
		return 0;
	more = mcp_source_read(&w->side, err);
	if (more > 0)
		return 1;
	again = more == 0 && (w->side.streams ||
	                      w->side.status == 409); /* 409: it has not noticed the end of the one before */
	if (m->era == MCP_SESSIONS)
		m->silent |= w->side.status == 405;
	mcp_source_end(&w->side, 0);
	if (m->era == MCP_SESSIONS && again && w->listened++ < MOST_TIMES) {
		w->listen_at = clock_mono_ms() + AGAIN_MS;
		mcp_wake_at(m, w->listen_at);
	}
	return more;
}

/* --- What it tells, and asks ------------------------------------------------------------------------------------------------ */

void mcp_hear(struct mcp *m, const char *method, json_object *params)
{
	if (strcmp(method, "notifications/progress") == 0 && m->on_progress)
		m->on_progress(m->arg, json_real(params, "progress", 0), json_real(params, "total", 0),
		               json_string(params, "message"));
	if (strcmp(method, "notifications/tools/list_changed") == 0)
		m->tools_changed = true;
}

/* That it cannot be sent is the server's to notice. Takes the result over; NULL: it is an error. */
static void reply(struct mcp *m, json_object *request, json_object *result)
{
	OWN(json) json_object *message = json_object_new_object();

	json_object_object_add(message, "jsonrpc", json_object_new_string("2.0"));
	json_object_object_add(message, "id", json_object_get(json_get(request, "id")));
	if (result) {
		json_object_object_add(message, "result", result);
	} else {
		json_object *error = json_object_new_object();

		json_object_object_add(error, "code", json_object_new_int(MCP_METHOD_NOT_FOUND));
		json_object_object_add(error, "message", json_object_new_string("not supported"));
		json_object_object_add(message, "error", error);
	}
	mcp_tell(m, message);
}

/* A form without anybody to fill it in would wait for ever. */
static json_object *decline(void)
{
	json_object *answer = json_object_new_object();

	json_object_object_add(answer, "action", json_object_new_string("decline"));
	return answer;
}

/* The call, and what it waits on, have so much more time. */
static void give_time(struct mcp *m, int64_t ms)
{
	m->deadline += ms;
	if (m->wire->main.stream)
		egress_stream_more_time(m->wire->main.stream, ms);
	if (m->wire->side.stream)
		egress_stream_more_time(m->wire->side.stream, ms);
}

/* The next that is held is asked, until one has to be waited for. */
static void ask_next(struct mcp *m)
{
	struct mcp_wire *w = m->wire;

	while (w->held && !w->asking) {
		struct mcp_held *first = w->held;
		json_object *answer = m->ask_user(m->arg, json_get(first->request, "params"));

		if (!answer) {
			w->asking = true;
			w->asked_at = clock_mono_ms();
			give_time(m, HOLD_MS);
			return;
		}
		w->held = first->next;
		reply(m, first->request, answer);
		json_object_put(first->request);
	}
}

static void hold(struct mcp *m, json_object *request)
{
	struct mcp_held **last = &m->wire->held, *one;
	int n = 0;

	for (; *last; last = &(*last)->next)
		n++;
	if (n == HELD_MOST) {
		reply(m, request, decline());
		return;
	}
	*last = one = arena_new(m->arena, struct mcp_held, 1);
	one->request = json_object_get(request);
	ask_next(m);
}

void mcp_answer(struct mcp *m, json_object *answer)
{
	struct mcp_wire *w = m->wire;
	struct mcp_held *first = w->held;

	if (!first || !w->asking)
		return;
	w->asking = false;
	w->held = first->next;
	give_time(m, clock_mono_ms() - w->asked_at - HOLD_MS);
	reply(m, first->request, json_object_get(answer));
	json_object_put(first->request);
	ask_next(m);
}

/* Each is answered by a request of ours, for which nobody waits: a server that asks without end must not make us open
 * connections without end. */
static bool asks_too_much(struct mcp_wire *w)
{
	int64_t now = clock_mono_ms(), earliest = now - (int64_t)SERVED_AT_ONCE * SERVED_EVERY_MS;

	if (w->served < earliest)
		w->served = earliest;
	if (w->served + SERVED_EVERY_MS > now)
		return true;
	w->served += SERVED_EVERY_MS;
	return false;
}

void mcp_serve(struct mcp *m, json_object *request)
{
	const char *method = json_string(request, "method");

	if (asks_too_much(m->wire))
		return;
	if (strcmp(method, "ping") == 0)
		reply(m, request, json_object_new_object());
	else if (strcmp(method, "elicitation/create") != 0 || !m->elicits)
		reply(m, request, NULL); /* roots and sampling: not declared */
	else if (!m->ask_user)
		reply(m, request, decline());
	else
		hold(m, request);
}

/* --- What is asked by an answer ---------------------------------------------------------------------------------------------- */

static json_object *ask_now(struct mcp *m, json_object *params)
{
	json_object *answer = m->ask_user ? m->ask_user(m->arg, params) : NULL;

	return answer ? answer : decline();
}

bool mcp_visit_urls(struct mcp *m, json_object *elicitations)
{
	size_t n =
	    json_object_is_type(elicitations, json_type_array) ? json_object_array_length(elicitations) : 0;

	for (size_t i = 0; i < n; i++) {
		OWN(json) json_object *answer = ask_now(m, json_object_array_get_idx(elicitations, i));
		const char *action = json_string(answer, "action");

		if (!action || strcmp(action, "accept") != 0)
			return false;
	}
	return n > 0;
}

json_object *mcp_gather_inputs(struct mcp *m, json_object *requests)
{
	json_object *responses = json_object_new_object();

	if (!json_object_is_type(requests, json_type_object))
		return responses;
	json_object_object_foreach(requests, key, request)
	{
		const char *method = json_string(request, "method");

		if (method && strcmp(method, "elicitation/create") == 0)
			json_object_object_add(responses, key, ask_now(m, json_get(request, "params")));
	}
	return responses;
}
