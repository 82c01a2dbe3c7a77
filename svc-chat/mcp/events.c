#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "svc-chat/mcp/internal.h"

enum {
	LOOK_MS = 200,      /* at whether it is cancelled */
	ENDPOINT_MS = 5000, /* until the stream has named the address */
	STREAM_BYTES = 16 << 20,
};

struct mcp_events {
	struct mcp *m;
	struct egress_stream *stream;
	struct sse_reader reader;
	struct arena arena; /* of what has come */
	struct text raw;
	const char *endpoint;
	bool misled;                 /* the address is of another server */
	struct mcp_reading *waiting; /* for a response; NULL: nobody is */
	pthread_mutex_t lock;        /* guards `woken` */
	pthread_cond_t come;
	bool woken;
};

static void wake(void *arg)
{
	struct mcp_events *e = arg;

	pthread_mutex_lock(&e->lock);
	e->woken = true;
	pthread_cond_signal(&e->come);
	pthread_mutex_unlock(&e->lock);
}

/* --- The address ------------------------------------------------------------------------------------------------------------ */

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

/* --- Reading ---------------------------------------------------------------------------------------------------------------- */

static void take_endpoint(struct mcp_events *e, const struct sse_event *event)
{
	if (e->endpoint || e->misled)
		return;
	e->endpoint = resolve(e->m->url, arena_strndup(&e->arena, event->data, event->size), e->m->arena);
	e->misled = !e->endpoint;
}

static int on_event(void *arg, const struct sse_event *event)
{
	struct mcp_events *e = arg;
	struct mcp_reading nobody = { .m = e->m, .id = -1 };

	if (strcmp(event->name, "endpoint") == 0)
		take_endpoint(e, event);
	else if (strcmp(event->name, "message") == 0 &&
	         mcp_take_text(e->waiting ? e->waiting : &nobody, event->data, event->size))
		e->waiting = NULL;
	return 0;
}

static bool is_cancelled(const struct mcp *m)
{
	return m->cancelled && atomic_load(m->cancelled);
}

/* Reads what has come, and waits for it. 1: more may come, 0: it is over, -1: time is up, or it is no stream of events. */
static int pump(struct mcp_events *e, int64_t deadline, struct error *err)
{
	int64_t now = clock_mono_ms();
	bool woken, more;

	if (now >= deadline || is_cancelled(e->m))
		return error_set(err, ERROR_UNKNOWN_OUTCOME, "the server does not answer in time");
	pthread_mutex_lock(&e->lock);
	if (!e->woken)
		(void)cond_wait_until(&e->come, &e->lock,
		                      now + LOOK_MS < deadline ? now + LOOK_MS : deadline);
	woken = e->woken;
	e->woken = false;
	pthread_mutex_unlock(&e->lock);
	if (!woken)
		return 1;
	e->raw.length = 0;
	more = egress_stream_read(e->stream, &e->raw);
	if (e->raw.length && sse_reader_feed(&e->reader, e->raw.at, e->raw.length, err) < 0)
		return -1;
	return more;
}

/* --- The stream -------------------------------------------------------------------------------------------------------------- */

void mcp_events_close(struct mcp *m)
{
	struct mcp_events *e = m->events;

	if (!e)
		return;
	egress_stream_close(e->stream, 0);
	sse_reader_done(&e->reader);
	arena_done(&e->arena);
	pthread_cond_destroy(&e->come);
	pthread_mutex_destroy(&e->lock);
	free(e);
	m->events = NULL;
}

static struct mcp_events *start(struct mcp *m)
{
	struct mcp_events *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	e->m = m;
	arena_init(&e->arena, 0);
	text_init(&e->raw, &e->arena);
	sse_reader_init(&e->reader, MCP_MAX_BYTES, on_event, e);
	pthread_mutex_init(&e->lock, NULL);
	cond_init_monotonic(&e->come);
	e->stream = egress_stream_start(m->egress,
	                                &(struct egress_request){ .method = "GET",
	                                                          .url = m->url,
	                                                          .headers = mcp_headers(m, NULL, NULL),
	                                                          .timeout_ms = mcp_time_left(m),
	                                                          .max_bytes = STREAM_BYTES },
	                                wake, e);
	return e;
}

/* Why there is no address. */
static int not_open(struct mcp *m, int more, struct error *err)
{
	const struct egress_response *answer = egress_stream_response(m->events->stream);
	struct mcp_answer refusal = { .status = answer->status };

	if (m->events->misled)
		return error_set(err, ERROR_UPSTREAM, "the server names an address that is not its own");
	if (refusal.status == 401 || refusal.status == 403) {
		m->challenge = arena_strdup(m->arena, egress_header(answer, "www-authenticate"));
		return mcp_refused(m, &refusal, err);
	}
	if (refusal.status) { /* it answers, with something else */
		error_clear(err);
		return 0;
	}
	return more < 0 ? -1 : egress_stream_result(m->events->stream, err);
}

int mcp_events_open(struct mcp *m, struct error *err)
{
	int64_t deadline = clock_mono_ms() + ENDPOINT_MS;
	int more = 1;

	mcp_events_close(m);
	m->events = start(m);
	if (deadline > m->deadline)
		deadline = m->deadline;
	while (!m->events->endpoint && !m->events->misled && more > 0)
		more = pump(m->events, deadline, err);
	if (m->events->endpoint) {
		m->heard = true;
		error_clear(err);
		return 1;
	}
	more = not_open(m, more, err);
	mcp_events_close(m);
	return more;
}

/* POST it; what comes back here says only whether it was taken. */
static int send(struct mcp *m, json_object *message, struct egress_response *ret, struct error *err)
{
	const char *body = json_print(message, m->arena);

	return egress_fetch(m->egress,
	                    &(struct egress_request){ .method = "POST",
	                                              .url = m->events->endpoint,
	                                              .headers = mcp_headers(m, NULL, NULL),
	                                              .body = body,
	                                              .body_size = strlen(body),
	                                              .timeout_ms = mcp_time_left(m),
	                                              .max_bytes = MCP_MAX_BYTES,
	                                              .once = true,
	                                              .cancelled = m->cancelled },
	                    ret, m->arena, err);
}

int mcp_events_post(struct mcp *m, json_object *message, bool expects, struct mcp_answer *ret,
                    struct error *err)
{
	struct mcp_reading reading = { .m = m, .answer = ret, .id = json_int(message, "id", -1) };
	struct mcp_reading *before;
	struct egress_response answer;
	int more;

	*ret = (struct mcp_answer){ 0 };
	if (!m->events)
		return error_set(err, ERROR_UPSTREAM, "the server has ended the conversation");
	before = m->events->waiting; /* an answer to what the server asks on the way to its own */
	if (expects)
		m->events->waiting = &reading;
	more = send(m, message, &answer, err) < 0 ? -1 : 1;
	if (more > 0)
		ret->status = answer.status;
	if (ret->status == 401 || ret->status == 403)
		m->challenge = egress_header(&answer, "www-authenticate");
	while (expects && ret->status < 300 && m->events->waiting && more > 0)
		more = pump(m->events, mcp_deadline(m), err);
	m->events->waiting = before;
	if (more >= 0 && expects && ret->status < 300 && !ret->message)
		more =
		    error_set(err, ERROR_UNKNOWN_OUTCOME, "the server ended the stream before it answered");
	if (more < 0)
		mcp_answer_done(ret);
	return more < 0 ? -1 : 0;
}
