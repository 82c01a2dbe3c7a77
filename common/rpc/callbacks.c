#include "common/rpc/callbacks.h"

#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

/* --- On one thread ---------------------------------------------------------------------------------------------------- */

/* A callback that does not come back, and so keeps the other thread. */
struct occupant {
	nng_aio *aio;
	sem_t end;
};

static void idle(void *arg)
{
	struct occupant *one = arg;

	while (sem_wait(&one->end) < 0)
		;
}

/* NNG ends its threads at exit(), and waits for them. What was registered after that comes before it. */
static void let_go(int status, void *arg)
{
	struct occupant *one = arg;

	(void)status;
	sem_post(&one->end);
}

static void keep_one(void)
{
	struct occupant *one = calloc(1, sizeof *one);

	if (!one || sem_init(&one->end, 0, 0) < 0 || nng_aio_alloc(&one->aio, idle, one) ||
	    on_exit(let_go, one))
		abort();
	nng_sleep_aio(0, one->aio);
}

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
	keep_one();
}

void callbacks_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}
