#include "svc-documents/ingest/await.h"

#include <semaphore.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "documents.methods.h"
#include "svc-documents/ingest/page.h"

enum { MARGIN_MS = 500 /* before the deadline, to say that time is up */, LOOK_MS = 200 };

/* In the call's arena. */
struct awaited {
	struct page_way way;
	struct egress_stream *stream;
	struct parked *parked;
	sem_t woken; /* for a thread that waits after all */
	int64_t until;
	page_then *then;
	void *arg;
};

static void wake(void *arg)
{
	struct awaited *w = arg;

	sem_post(&w->woken);
	call_wake(w->parked);
}

static void ask(struct call *call, struct awaited *w)
{
	struct egress_request request;

	page_request(call, &(struct page_wish){ .url = w->way.at }, &request);
	request.whole = true;
	w->stream = egress_stream_start(documents_state(call)->egress, &request, wake, w);
}

static bool given_up(struct call *call, const struct awaited *w)
{
	return atomic_load(call->cancelled) || clock_unix_ms() >= w->until;
}

static void wait_here(struct call *call, struct awaited *w)
{
	while (!egress_stream_ended(w->stream) && !given_up(call, w))
		(void)sem_wait_until(&w->woken, clock_mono_ms() + LOOK_MS);
}

/* 1: it is there; 0: its reader is sent on; -1 */
static int arrive(struct call *call, struct awaited *w, struct prepared *page)
{
	if (!egress_stream_ended(w->stream))
		return atomic_load(call->cancelled)
		           ? error_busy(call->err, 1, "nobody waits for the page any more")
		           : error_set(call->err, ERROR_UPSTREAM, "the page did not come in time");
	if (egress_stream_result(w->stream, call->err) < 0)
		return page_failed(call->err);
	return page_arrive(call, &(struct target){ 0 }, &w->way, egress_stream_response(w->stream), page);
}

static void leave(struct awaited *w)
{
	egress_stream_close(w->stream, 0); /* it wakes nobody after this */
	w->stream = NULL;
}

static int resume(struct call *call, void *arg, ProtobufCMessage *out)
{
	struct awaited *w = arg;
	struct prepared page;
	int there;

	while (call->parked) { /* without: it has failed already */
		if (!egress_stream_ended(w->stream) && !given_up(call, w) &&
		    call_park(call, w->until, resume, w))
			return 0;
		wait_here(call, w);
		there = arrive(call, w, &page);
		leave(w);
		if (there != 0) {
			sem_destroy(&w->woken);
			return there < 0 ? -1 : w->then(call, w->arg, &page, out);
		}
		ask(call, w);
	}
	leave(w);
	sem_destroy(&w->woken);
	return 0;
}

int page_await(struct call *call, const char *url, page_then *then, void *arg)
{
	struct awaited *w = arena_new(call->arena, struct awaited, 1);

	w->until = call->deadline - MARGIN_MS;
	w->then = then;
	w->arg = arg;
	page_set_out(&w->way, url, call->arena);
	w->parked = call_park(call, w->until, resume, w);
	if (!w->parked)
		return error_busy(call->err, 1, "too many pages are waited for right now");
	sem_init(&w->woken, 0, 0);
	ask(call, w);
	return 0;
}
