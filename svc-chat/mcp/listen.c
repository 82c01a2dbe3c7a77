#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "svc-chat/mcp/internal.h"

enum { PAUSE_MS = 200, MOST_TIMES = 20 /* that a stream is opened anew in one conversation */ };

struct mcp_listener {
	struct mcp m; /* of its own: it shares only what is not changed any more */
	struct arena arena;
	atomic_bool stop;
	pthread_t thread;
};

static void *listen_to(void *arg)
{
	struct mcp_listener *l = arg;

	for (int i = 0; i < MOST_TIMES && !atomic_load(&l->stop); i++) {
		struct error err = { 0 };

		if (mcp_read_stream(&l->m, &err) != 0 || clock_mono_ms() >= mcp_deadline(&l->m))
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000 }, NULL);
	}
	return NULL;
}

void mcp_listen(struct mcp *m)
{
	struct mcp_listener *l;

	if (!m->ask_user || m->listener)
		return;
	l = calloc(1, sizeof *l);
	if (!l)
		abort();
	arena_init(&l->arena, 0);
	l->m = *m;
	l->m.arena = &l->arena;
	l->m.cancelled = &l->stop;
	if (thread_try(&l->thread, listen_to, l) == 0) {
		m->listener = l;
		return;
	}
	arena_done(&l->arena); /* without a thread the server asks in vain */
	free(l);
}

void mcp_stop_listening(struct mcp *m)
{
	struct mcp_listener *l = m->listener;

	if (!l)
		return;
	atomic_store(&l->stop, true);
	pthread_join(l->thread, NULL);
	arena_done(&l->arena);
	free(l);
	m->listener = NULL;
}
