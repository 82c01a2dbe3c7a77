#include "common/rpc/callbacks.h"

#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>

#include <semaphore.h>
#include <stdlib.h>

/* A callback that does not come back, and so keeps the other thread. */
struct idler {
	nng_aio *aio;
	sem_t end;
};

static void idle(void *arg)
{
	struct idler *i = arg;

	while (sem_wait(&i->end) < 0)
		;
}

/* NNG ends its threads at exit(), and waits for them. What was registered after that comes before it. */
static void let_go(int status, void *arg)
{
	struct idler *i = arg;

	(void)status;
	sem_post(&i->end);
}

void callbacks_on_one_thread(void)
{
	struct idler *i = calloc(1, sizeof *i);

	if (!i || sem_init(&i->end, 0, 0) < 0 || nng_aio_alloc(&i->aio, idle, i) || on_exit(let_go, i))
		abort();
	nng_sleep_aio(0, i->aio);
}
