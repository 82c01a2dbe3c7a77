/* One request to an endpoint, through egress, from its first byte to its last. */
#include "common/base/clock.h"
#include "svc-chat/model/openai.h"

enum {
	AFTER_FINISH_MS = 1500, /* usage may still come */
	AFTER_DONE_MS = 2000,   /* the end of the answer, so that the connection can be used again */
};

void attempt_begin(struct attempt *x, struct egress *egress, const struct egress_request *request,
                   void (*wake)(void *arg), void *arg)
{
	x->stream = egress_stream_start(egress, request, wake, arg);
}

/* All that has come, of which nothing is kept: it is long until more comes. 0, or what hearing_feed() returns. */
static int feed(struct attempt *x, bool *more)
{
	const struct egress_response *response;
	struct text bytes;
	struct arena a;
	int enough = 0;

	arena_init(&a, 0);
	text_init(&bytes, &a);
	*more = egress_stream_read(x->stream, &bytes);
	response = egress_stream_response(x->stream);
	x->status = response->status;
	x->pause = verdict_pause(response, clock_unix_ms() / 1000);
	if (bytes.length)
		enough = hearing_feed(&x->hearing, x->status, bytes.at, bytes.length);
	arena_done(&a);
	return enough;
}

/* True when more is wanted, and will come. */
static bool read_on(struct attempt *x)
{
	bool more, finished = x->hearing.finished;

	if (feed(x, &more) != 0)
		return false;
	if (!more)
		x->fetched = egress_stream_result(x->stream, &x->why);
	else if (x->hearing.finished && !finished)
		egress_stream_end_soon(x->stream, AFTER_FINISH_MS);
	return more && !x->hearing.done;
}

bool attempt_hear(struct attempt *x, const atomic_bool *cancelled)
{
	if (read_on(x)) {
		if (!atomic_load(cancelled))
			return true;
		x->fetched = error_busy(&x->why, 1, "cancelled");
	}
	egress_stream_close(x->stream, x->hearing.done ? AFTER_DONE_MS : 0);
	x->stream = NULL;
	hearing_end(&x->hearing);
	return false;
}
