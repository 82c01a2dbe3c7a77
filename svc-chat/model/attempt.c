/* One request to an endpoint, through egress, from its first byte to its last. */
#include "common/base/clock.h"
#include "svc-chat/model/openai.h"

enum {
	AFTER_FINISH_MS = 1500, /* usage may still come */
	AFTER_DONE_MS = 2000,   /* the end of the answer, so that the connection can be used again */
};

void attempt_begin(struct attempt *x, struct egress *egress, const struct egress_request *request,
                   void (*wake)(void *arg), void *arg, struct arena *a)
{
	text_init(&x->bytes, a);
	x->stream = egress_stream_start(egress, request, wake, arg);
}

/* All that has come. True when more is wanted, and will come. */
static bool read_on(struct attempt *x)
{
	bool more = egress_stream_read(x->stream, &x->bytes), finished = x->hearing.finished;
	const struct egress_response *response = egress_stream_response(x->stream);

	x->status = response->status;
	x->pause = verdict_pause(response, clock_unix_ms() / 1000);
	if (x->bytes.length && hearing_feed(&x->hearing, x->status, x->bytes.at, x->bytes.length) != 0)
		return false;
	x->bytes.length = 0;
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
