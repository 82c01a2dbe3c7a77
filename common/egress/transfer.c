/* A stream, from the side of the loop's thread, to which all functions here belong: how it begins, what comes in, how it
 * ends. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/egress/internal.h"

enum {
	QUEUE_MAX = 256 << 10,  /* bytes that wait for a reader; then its peer does */
	READ_AT_ONCE = 4 << 10, /* libcurl's own buffer, of each: a thousand streams say little at a time */
};

void transfer_free(struct egress_stream *s)
{
	curl_slist_free_all(s->fetch.headers);
	pthread_mutex_destroy(&s->lock);
	arena_done(&s->arena);
	free(s->queue);
	free(s);
}

static CURL *easy_take(struct loop *loop)
{
	CURL *easy = loop->kept_count ? loop->kept[--loop->kept_count] : curl_easy_init();

	if (!easy)
		abort();
	return easy;
}

static void easy_give_back(struct loop *loop, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_COOKIEFILE, NULL); /* which the next line forgets to free */
	curl_easy_reset(easy);
	if (loop->kept_count < LOOP_KEPT)
		loop->kept[loop->kept_count++] = easy;
	else
		curl_easy_cleanup(easy);
}

static void tell(struct egress_stream *s)
{
	if (!s->closing)
		s->wake(s->arg);
}

static int on_headers(void *arg, int status)
{
	struct egress_stream *s = arg;

	pthread_mutex_lock(&s->lock);
	s->status = status;
	if (!s->req.whole)
		tell(s);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int on_data(void *arg, const char *bytes, size_t size)
{
	struct egress_stream *s = arg;
	bool first;

	pthread_mutex_lock(&s->lock);
	first = s->size == 0;
	if (!s->closing) {
		if (s->size + size > s->room) {
			s->room = (s->size + size) * 2;
			s->queue = realloc(s->queue, s->room);
			if (!s->queue)
				abort();
		}
		memcpy(s->queue + s->size, bytes, size);
		s->size += size;
		if (first)
			tell(s);
	}
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* Then its peer waits, until the reader has taken what there is. */
bool transfer_is_full(void *arg)
{
	struct egress_stream *s = arg;
	bool full;

	pthread_mutex_lock(&s->lock);
	full = s->size >= QUEUE_MAX && !s->closing;
	s->paused |= full;
	pthread_mutex_unlock(&s->lock);
	return full;
}

/* It is over, one way or another. */
static void finish(struct egress_stream *s, int result, const struct error *err)
{
	pthread_mutex_lock(&s->lock);
	s->over = true;
	s->result = result;
	s->err = *err;
	tell(s);
	pthread_mutex_unlock(&s->lock);
}

void transfer_leave(struct egress_stream *s)
{
	struct loop *loop = s->loop;

	curl_multi_remove_handle(loop->multi, s->fetch.x.line.easy);
	easy_give_back(loop, s->fetch.x.line.easy);
	s->running = false;
	loop->running_count--;
	*s->before = s->next;
	if (s->next)
		s->next->before = s->before;
}

static void conclude(struct egress_stream *s, CURLcode code)
{
	struct error err = { 0 };
	int result = fetch_conclude(&s->fetch, code, &err);
	long sent = 0;

	curl_easy_getinfo(s->fetch.x.line.easy, CURLINFO_REQUEST_SIZE, &sent);
	s->sent = sent > 0; /* and is read when it is over */
	transfer_leave(s);
	finish(s, result, &err);
}

static void begin(struct loop *loop, struct egress_stream *s)
{
	CURL *easy = easy_take(loop);
	struct error err = { 0 };

	s->req.on_headers = on_headers;
	s->req.on_data = s->req.whole ? NULL : on_data;
	s->req.arg = s;
	if (fetch_open(&s->fetch, loop->egress, &s->req, &s->response, easy, &s->arena, &err) < 0) {
		easy_give_back(loop, easy);
		finish(s, -1, &err);
		return;
	}
	s->fetch.is_full = s->req.whole ? NULL : transfer_is_full;
	s->fetch.x.end_by = &s->end_by;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
	if (!s->req.whole)
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_AT_ONCE);
	s->running = true;
	s->next = loop->running;
	s->before = &loop->running;
	if (s->next)
		s->next->before = &s->next;
	loop->running = s;
	loop->running_count++;
	curl_multi_add_handle(loop->multi, easy);
}

/* Nobody asks for one that lingers any more. */
void transfer_end(struct egress_stream *s, CURLcode code)
{
	conclude(s, code);
	if (s->lingering)
		transfer_free(s);
}

/* What somebody wants of it: to begin, to go on, to end. */
void transfer_attend(struct loop *loop, struct egress_stream *s)
{
	bool closing, over, resume;
	int64_t linger, more, now;

	pthread_mutex_lock(&s->lock);
	more = s->more_ms;
	s->more_ms = 0;
	closing = s->closing;
	over = s->over;
	linger = s->linger_until;
	resume = s->paused && (s->size == 0 || closing);
	if (resume)
		s->paused = false;
	if (s->end_soon && (!s->end_by || s->end_soon < s->end_by))
		s->end_by = s->end_soon;
	pthread_mutex_unlock(&s->lock);
	now = clock_mono_ms();
	if (!s->running && !over && (!closing || linger > now)) /* egress_tell() closes what has not begun */
		begin(loop, s);
	if (s->running && !s->gone && s->fetch.x.deadline)
		s->fetch.x.deadline += more;
	if (s->gone && (!s->running || linger <= now)) {
		if (s->running)
			transfer_leave(s);
		transfer_free(s);
		return;
	}
	if (s->gone) {
		s->lingering = true;
		s->end_by = linger;
	}
	if (resume && s->running)
		curl_easy_pause(s->fetch.x.line.easy, CURLPAUSE_CONT);
}
