#include "common/rpc/callbacks.h"

#include <nng/nng.h>

#include <dlfcn.h>
#include <pthread.h>

/* --- None is lost ----------------------------------------------------------------------------------------------------- */

typedef void transfer(nng_stream *stream, nng_aio *aio);

/* NNG's own; callbacks_start() finds them. */
static struct {
	transfer *recv, *send;
} nng;

/*
 * One part of a message. What else may come to a part that has begun is never ECANCELED; NNG holds the connection's lock,
 * for which the part's callback waits, so the aio is still there, and its result that of this part.
 */
static void pass(transfer *really, nng_stream *stream, nng_aio *aio)
{
	really(stream, aio);
	if (nng_aio_result(aio) == NNG_ECANCELED)
		nng_aio_finish(aio, NNG_ECLOSED);
}

/* Ours stand in front of NNG's for NNG itself, too: that is where its connections call. */
#pragma GCC visibility push(default)
void nng_stream_recv(nng_stream *stream, nng_aio *aio)
{
	callbacks_start(); /* whoever opened the socket */
	pass(nng.recv, stream, aio);
}

void nng_stream_send(nng_stream *stream, nng_aio *aio)
{
	callbacks_start();
	pass(nng.send, stream, aio);
}
#pragma GCC visibility pop

static void start(void)
{
	*(void **)&nng.recv = dlsym(RTLD_NEXT, "nng_stream_recv");
	*(void **)&nng.send = dlsym(RTLD_NEXT, "nng_stream_send");
}

void callbacks_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}
