/*
 * Many exchanges at once on one thread: libcurl's multi interface over epoll.
 *
 * The thread owns every handle. Others put a stream into the inbox when it is new, to be resumed, or to be closed, and
 * wake the thread, which does what they want (transfer.c).
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/egress/internal.h"

enum {
	LOOK_MS = 100, /* at deadlines */
	EVENTS = 256,
	CONNECTIONS_KEPT = 256,
	CROWD = 200,   /* with more streams than that */
	ROUND_MS = 90, /* sockets are looked at so often */
};

/* --- What libcurl tells us ---------------------------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct loop *loop = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	curl_multi_assign(loop->multi, fd, loop);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct loop *loop = arg;

	(void)multi;
	loop->timer_at = ms < 0 ? -1 : clock_mono_ms() + ms;
	return 0;
}

/* --- The thread --------------------------------------------------------------------------------------------------- */

/* One at a time: the moment it is taken, its reader may post it again. */
static struct egress_stream *take_one(struct loop *loop, bool *stop)
{
	struct egress_stream *s;

	pthread_mutex_lock(&loop->lock);
	s = loop->inbox;
	if (s) {
		loop->inbox = s->next_in;
		if (!loop->inbox)
			loop->inbox_end = &loop->inbox;
		s->in = false;
		s->gone = s->closed;
	}
	loop->rests = !s && loop->quiet && !loop->running && loop->timer_at < 0;
	*stop = loop->stop;
	pthread_mutex_unlock(&loop->lock);
	return s;
}

static bool take_inbox(struct loop *loop)
{
	struct egress_stream *s;
	bool stop;

	while ((s = take_one(loop, &stop)))
		transfer_attend(loop, s);
	return !stop;
}

static void take_messages(struct loop *loop)
{
	int queued;

	for (CURLMsg *msg; (msg = curl_multi_info_read(loop->multi, &queued)) != NULL;) {
		struct egress_stream *s = NULL;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&s);
		transfer_end(s, code);
	}
}

static void look_at_deadlines(struct loop *loop)
{
	int64_t now = clock_mono_ms();

	if (now - loop->looked_at < LOOK_MS)
		return;
	loop->looked_at = now;
	for (struct egress_stream *s = loop->running, *next; s; s = next) {
		next = s->next;
		if (transfer_is_full(s)) /* it is we who are silent */
			s->fetch.x.last_heard = now;
		if (exchange_ended_by_us(&s->fetch.x, now))
			transfer_end(s, CURLE_ABORTED_BY_CALLBACK);
	}
}

static int patience(const struct loop *loop)
{
	int64_t left = loop->timer_at < 0 ? LOOK_MS : loop->timer_at - clock_mono_ms();

	if (left < 0)
		return 0;
	if (loop->rests)
		return -1;
	return left < LOOK_MS ? (int)left : LOOK_MS;
}

/* Of a crowd each says little at a time: what comes in one round is read, judged and passed on together. Whoever posts
 * something need not wait for the round. It is over when each has been read once: who goes on for as long as somebody has more
 * reads every word by itself, and never catches up. */
static void gather(struct loop *loop)
{
	struct pollfd posted = { .fd = loop->event, .events = POLLIN };
	int64_t now = clock_mono_ms(), left = loop->round_at + ROUND_MS - now;

	if (loop->running_count > CROWD && left > 0 && poll(&posted, 1, (int)left) != 0)
		return;
	loop->round_at = clock_mono_ms();
}

static void *run(void *arg)
{
	struct loop *loop = arg;
	struct epoll_event events[EVENTS];
	int running, n = 0;

	pthread_setname_np(pthread_self(), "egress");

	while (take_inbox(loop)) {
		if (n < EVENTS || loop->round_events >= loop->running_count) {
			gather(loop);
			loop->round_events = 0;
		}
		n = epoll_wait(loop->epoll, events, EVENTS, patience(loop));
		loop->quiet = n == 0;
		loop->round_events += n > 0 ? n : 0;
		for (int i = 0; i < n; i++) {
			uint64_t count;
			unsigned flags =
			    (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0U) |
			    (events[i].events & (EPOLLOUT | EPOLLERR) ? CURL_CSELECT_OUT : 0U);

			if (events[i].data.fd != loop->event)
				curl_multi_socket_action(loop->multi, events[i].data.fd, (int)flags,
				                         &running);
			else if (read(loop->event, &count, sizeof count) < 0)
				continue; /* another has read it */
		}
		if (loop->timer_at >= 0 && clock_mono_ms() >= loop->timer_at) {
			loop->timer_at = -1;
			curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		}
		take_messages(loop);
		look_at_deadlines(loop);
	}
	return NULL;
}

static struct loop *loop_open(struct egress *e)
{
	struct loop *loop = calloc(1, sizeof *loop);

	if (!loop)
		abort();
	loop->egress = e;
	loop->timer_at = -1;
	loop->inbox_end = &loop->inbox;
	loop->multi = curl_multi_init();
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!loop->multi || loop->epoll < 0 || loop->event < 0 ||
	    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->event,
	              &(struct epoll_event){ .events = EPOLLIN, .data.fd = loop->event }) < 0)
		abort();
	pthread_mutex_init(&loop->lock, NULL);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	loop->thread = thread_start(run, loop);
	return loop;
}

static void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	if (write(loop->event, &one, sizeof one) < 0)
		return; /* it is full: awake anyway */
}

struct loop *loop_of(struct egress *e)
{
	pthread_mutex_lock(&e->lock);
	if (!e->loop)
		e->loop = loop_open(e);
	pthread_mutex_unlock(&e->lock);
	return e->loop;
}

void loop_post(struct egress_stream *s, bool last, bool now)
{
	struct loop *loop = s->loop;

	pthread_mutex_lock(&loop->lock);
	s->closed = last;
	if (!s->in) {
		s->in = true;
		s->next_in = NULL;
		*loop->inbox_end = s;
		loop->inbox_end = &s->next_in;
	}
	if (now || loop->rests)
		loop_wake(loop); /* under the lock: afterwards both may be gone */
	pthread_mutex_unlock(&loop->lock);
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->stop = true;
	pthread_mutex_unlock(&loop->lock);
	loop_wake(loop);
	pthread_join(loop->thread, NULL);
	for (struct egress_stream *s = loop->running, *next; s; s = next) { /* closed, and lingering */
		next = s->next;
		transfer_leave(s);
		transfer_free(s);
	}
	while (loop->kept_count > 0)
		curl_easy_cleanup(loop->kept[--loop->kept_count]);
	curl_multi_cleanup(loop->multi);
	close(loop->epoll);
	close(loop->event);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}
