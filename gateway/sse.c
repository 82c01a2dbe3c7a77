#include "gateway/sse.h"

#include <string.h>

#include "common/base/clock.h"
#include "gateway/answer.h"
#include "gateway/guard.h"

enum {
	LOOK_MS =
	    800, /* at the client and its credentials; also how long a shutdown waits for a silent stream */
	PING_MS = 10000, /* of silence */
};

/* One line of JSON; if not, still well-formed. */
static void add_data(struct text *out, const char *data)
{
	for (const char *line = data ? data : "";;) {
		size_t length = strcspn(line, "\n");

		text_adds(out, "data: ");
		text_add(out, line, length);
		text_addc(out, '\n');
		if (!line[length])
			break;
		line += length + 1;
	}
	text_addc(out, '\n');
}

static void add_event(struct text *out, enum framing framing, const char *stream, const Rpc__Event *e)
{
	switch (framing) {
	case FRAMING_EVENTS:
		text_addf(out, "id: %s.%lld\nevent: %s\n", stream, (long long)e->sequence, e->name);
		break;
	case FRAMING_MESSAGES: text_adds(out, "event: message\n"); break;
	case FRAMING_DATA: break;
	}
	add_data(out, e->data);
}

/* The answer has begun, so an error can only be told as an event. It has no id: it is not part of the stream. */
static int tell_error(struct exchange *x, const struct error *err)
{
	struct text out, body;

	if (x->route->framing == FRAMING_MESSAGES) /* its client knows an answer that never came */
		return 0;
	text_init(&out, x->req->arena);
	text_init(&body, x->req->arena);
	answer_error_body(x->req, err, NULL, &body);
	if (x->route->framing == FRAMING_EVENTS)
		text_adds(&out, "event: error\n");
	add_data(&out, body.at);
	return answer_stream_write(x->req, out.at, out.length);
}

struct follower {
	struct exchange *x;
	const char *stream;
	int64_t after;
	int64_t spoke_ms;  /* when something was last written */
	int64_t looked_ms; /* when its client was last looked at */
	bool over;
};

static int give_up(struct follower *f, const struct error *err)
{
	f->x->req->err = *err; /* for the log */
	f->x->req->err.fields = NULL;
	f->over = true;
	return tell_error(f->x, err);
}

/* Whoever shows these credentials now: are they refused? That nobody can tell at the moment ends no stream. */
static bool refused(const struct exchange *x, struct arena *a, struct error *err)
{
	const struct route *route = x->route;
	struct request again = *x->req;
	Rpc__Caller *caller;

	again.arena = a;
	error_clear(&again.err);
	if (identity_caller(x->gateway->identity, &again, route->method->access, route->scope, x->address,
	                    &caller) == 0 ||
	    again.err.code == ERROR_UNAVAILABLE || again.err.code == ERROR_TOO_MANY)
		return false;
	*err = again.err;
	return true;
}

static void add_news(struct follower *f, Rpc__Event *const *events, size_t n, struct text *out)
{
	for (size_t i = 0; i < n; i++) {
		add_event(out, f->x->route->framing, f->stream, events[i]);
		f->after = events[i]->sequence;
	}
}

/* What came with the word that the stream has begun. */
static int tell_beginning(struct follower *f, const Rpc__Started *at, struct arena *a)
{
	struct text out;

	text_init(&out, a);
	add_news(f, at->events, at->n_events, &out);
	return out.length ? answer_stream_write(f->x->req, out.at, out.length) : 0;
}

/* One question and what it brought. -1: nothing more can be written. */
static int step(struct follower *f, struct arena *a)
{
	struct error err = { 0 };
	struct rpc_context ctx = f->x->rpc;
	int64_t now;
	Rpc__NextReply *news;
	struct text out;
	bool looks;

	ctx.arena = a;
	ctx.err = &err;
	ctx.extra = NULL;
	if (rpc_next(f->x->peer, &ctx, f->stream, f->after, LOOK_MS, &news) < 0)
		return give_up(f, &err);
	now = clock_mono_ms();
	looks = now - f->looked_ms >= LOOK_MS;
	if (looks)
		f->looked_ms = now;
	if (looks && refused(f->x, a, &err))
		return give_up(f, &err);
	f->over = news->end;
	text_init(&out, a);
	add_news(f, news->events, news->n_events, &out);
	if (f->over && f->x->route->framing == FRAMING_DATA)
		text_adds(&out, "data: [DONE]\n\n");
	if (!out.length && (now - f->spoke_ms >= PING_MS || (looks && guard_hung_up(f->x->req->slot))))
		text_adds(&out, ": ping\n\n");
	if (!out.length)
		return 0;
	f->spoke_ms = now;
	return answer_stream_write(f->x->req, out.at, out.length);
}

/* Its client is gone: a producer whose answer nobody else will ask for need not go on. */
static void leave(struct follower *f, struct arena *a)
{
	struct error err = { 0 };
	struct rpc_context ctx = f->x->rpc;

	ctx.arena = a;
	ctx.err = &err;
	ctx.extra = NULL;
	(void)!rpc_leave(f->x->peer, &ctx, f->stream);
}

int sse_follow(struct exchange *x, const Rpc__Started *at)
{
	int64_t now = clock_mono_ms();
	struct follower f = {
		.x = x, .stream = at->stream, .after = at->after, .spoke_ms = now, .looked_ms = now
	};
	struct arena a;
	bool going;

	if (!at->stream &&
	    x->route->stream == STREAM_RESUME) { /* nothing follows: an EventSource stops then */
		answer_send(x->req, &(struct answer){ .status = 204 });
		return 0;
	}
	if (!at->stream)
		return error_internal(&x->req->err, "%s started no stream", x->route->method->name);
	if (answer_stream_begin(x->req, "text/event-stream; charset=utf-8") < 0 || x->req->head)
		return 0;
	arena_init(&a, 0);
	going = tell_beginning(&f, at, &a) == 0;
	while (going && !f.over && !server_draining(x->gateway->server)) {
		arena_reset(&a);
		going = step(&f, &a) == 0;
	}
	if (!f.over)
		leave(&f, &a);
	arena_done(&a);
	return 0;
}
