/* What the reader of a stream does with it; the thread of loop.c does the rest. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/egress/internal.h"

static void copy_request(struct egress_stream *s, const struct egress_request *req)
{
	size_t n = 0;
	const char **headers;

	while (req->headers && req->headers[n])
		n++;
	headers = arena_new(&s->arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		headers[i] = arena_strdup(&s->arena, req->headers[i]);
	s->req = *req;
	s->req.method = arena_strdup(&s->arena, req->method);
	s->req.url = arena_strdup(&s->arena, req->url);
	s->req.headers = headers;
	s->req.body = req->body_size ? arena_memdup(&s->arena, req->body, req->body_size) : NULL;
	s->req.cancelled = NULL;
	s->req.more_ms = NULL;
}

struct egress_stream *egress_stream_start(struct egress *e, const struct egress_request *req,
                                          void (*wake)(void *arg), void *arg)
{
	struct egress_stream *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->loop = loop_of(e);
	s->wake = wake;
	s->arg = arg;
	arena_init(&s->arena, 0);
	pthread_mutex_init(&s->lock, NULL);
	copy_request(s, req);
	loop_post(s, false, true);
	return s;
}

bool egress_stream_read(struct egress_stream *s, struct text *ret)
{
	bool resume, more;

	pthread_mutex_lock(&s->lock);
	text_add(ret, s->queue, s->size);
	s->size = 0;
	resume = s->paused;
	more = !s->over;
	pthread_mutex_unlock(&s->lock);
	if (resume)
		loop_post(s, false, true);
	return more;
}

bool egress_stream_ended(const struct egress_stream *s)
{
	struct egress_stream *changing = (struct egress_stream *)s;
	bool over;

	pthread_mutex_lock(&changing->lock);
	over = s->over;
	pthread_mutex_unlock(&changing->lock);
	return over;
}

const struct egress_response *egress_stream_response(const struct egress_stream *s)
{
	static const struct egress_response none = { 0 };
	struct egress_stream *changing = (struct egress_stream *)s;
	bool there;

	pthread_mutex_lock(&changing->lock);
	there = s->status != 0;
	pthread_mutex_unlock(&changing->lock);
	return there ? &s->response : &none;
}

int egress_stream_result(const struct egress_stream *s, struct error *err)
{
	if (s->result < 0)
		*err = s->err;
	return s->result;
}

bool egress_stream_sent(const struct egress_stream *s)
{
	return s->sent;
}

void egress_stream_end_soon(struct egress_stream *s, int64_t ms)
{
	pthread_mutex_lock(&s->lock);
	s->end_soon = clock_mono_ms() + ms;
	pthread_mutex_unlock(&s->lock);
	loop_post(s, false, false);
}

void egress_stream_more_time(struct egress_stream *s, int64_t ms)
{
	pthread_mutex_lock(&s->lock);
	s->more_ms += ms;
	pthread_mutex_unlock(&s->lock);
	loop_post(s, false, true);
}

void egress_stream_close(struct egress_stream *s, int64_t linger_ms)
{
	bool now;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	now = !s->over && !linger_ms;
	s->closing = true;
	s->linger_until = linger_ms ? clock_mono_ms() + linger_ms : 0;
	pthread_mutex_unlock(&s->lock);
	loop_post(s, true, now);
}

static void nobody(void *arg)
{
	(void)arg;
}

void egress_tell(struct egress *e, const struct egress_request *req)
{
	egress_stream_close(egress_stream_start(e, req, nobody, NULL), req->timeout_ms);
}
