#include "gateway/sse.h"

#include <string.h>

#include "common/base/clock.h"
#include "gateway/answer.h"

enum {
	WAIT_MS = 5000,  /* of one question; also how long a shutdown waits for a silent stream */
	PING_MS = 10000, /* of silence */
};

static void add_event(struct text *out, const char *stream, const Rpc__Event *e)
{
	text_addf(out, "id: %s.%lld\nevent: %s\ndata: ", stream, (long long)e->sequence, e->name);
	for (const char *line = e->data ? e->data : "";;) { /* one line of JSON; if not, still well-formed */
		size_t length = strcspn(line, "\n");

		text_add(out, line, length);
		if (!line[length])
			break;
		text_adds(out, "\ndata: ");
		line += length + 1;
	}
	text_adds(out, "\n\n");
}

/* The answer has begun, so an error can only be told as an event. It has no id: it is not part of the stream. */
static int tell_error(struct request *req, const struct error *err)
{
	struct text out;

	text_init(&out, req->arena);
	text_adds(&out, "event: error\ndata: {\"detail\":");
	text_add_json(&out, err->message, strlen(err->message));
	text_adds(&out, "}\n\n");
	return answer_stream_write(req, out.at, out.length);
}

struct follower {
	struct exchange *x;
	const char *stream;
	int64_t after;
	int64_t spoke_ms; /* when something was last written */
	bool over;
};

/* One question and what it brought. -1: nothing more can be written. */
static int step(struct follower *f, struct arena *a)
{
	struct error err = { 0 };
	struct rpc_context ctx = f->x->rpc;
	int64_t now;
	Rpc__NextReply *news;
	struct text out;

	ctx.arena = a;
	ctx.err = &err;
	ctx.extra = NULL;
	if (rpc_next(f->x->peer, &ctx, f->stream, f->after, WAIT_MS, &news) < 0) {
		f->x->req->err = err; /* for the log */
		f->x->req->err.fields = NULL;
		f->over = true;
		return tell_error(f->x->req, &err);
	}
	f->over = news->end;
	text_init(&out, a);
	for (size_t i = 0; i < news->n_events; i++) {
		add_event(&out, f->stream, news->events[i]);
		f->after = news->events[i]->sequence;
	}
	now = clock_mono_ms();
	if (!out.length && now - f->spoke_ms >= PING_MS)
		text_adds(&out, ": ping\n\n");
	if (!out.length)
		return 0;
	f->spoke_ms = now;
	return answer_stream_write(f->x->req, out.at, out.length);
}

int sse_follow(struct exchange *x, const ProtobufCMessage *started)
{
	const Rpc__Started *at = (const Rpc__Started *)started;
	struct follower f = { .x = x, .stream = at->stream, .after = at->after, .spoke_ms = clock_mono_ms() };
	struct arena a;

	if (!at->stream)
		return error_internal(&x->req->err, "%s started no stream", x->route->method->name);
	if (answer_stream_begin(x->req, "text/event-stream; charset=utf-8") < 0 || x->req->head)
		return 0;
	arena_init(&a, 0);
	while (!f.over && !server_draining(x->gateway->server)) {
		if (step(&f, &a) < 0)
			break;
		arena_reset(&a);
	}
	arena_done(&a);
	return 0;
}

int sse_serve(struct exchange *x, int (*call)(struct exchange *x))
{
	struct gateway *g = x->gateway;
	int rc;

	if (!gate_enter(&g->streams))
		return error_busy(&x->req->err, 5, "too many streams are open");
	metric_add(g->open_streams, 1);
	rc = call(x);
	metric_add(g->open_streams, -1);
	gate_leave(&g->streams);
	return rc;
}
