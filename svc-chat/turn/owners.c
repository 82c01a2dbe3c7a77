#include "svc-chat/turn/owners.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/db/db.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/retrieve.h"

enum { LOOK_MS = 1000, ASK_MS = 1000, OWNERS_MAX = 256 };

struct owners {
	struct service *service;
	struct keeper *keeper;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ending;
};

static bool disabled(struct service *s, const char *owner)
{
	struct error err = { 0 };
	struct call call;
	struct arena a;
	struct db db;
	bool closed;

	arena_init(&a, 0);
	service_call_init(&call, s, &a, &err, &db, owner, "owners", ASK_MS);
	closed = retrieve_open_owner(&call) < 0;
	db_done(&db);
	arena_done(&a);
	return closed;
}

static bool ends(struct owners *o)
{
	bool ending;

	pthread_mutex_lock(&o->lock);
	ending = o->ending;
	pthread_mutex_unlock(&o->lock);
	return ending;
}

/* An svc-auth that is away takes a second for each: whoever ends us does not wait for all of them. */
static void look(struct owners *o)
{
	char list[OWNERS_MAX][UUID_TEXT];
	size_t n = keeper_owners(o->keeper, clock_mono_ms() - LOOK_MS, list, OWNERS_MAX);

	for (size_t i = 0; i < n && !ends(o); i++)
		if (disabled(o->service, list[i]))
			keeper_disabled(o->keeper, list[i]);
}

static void *watch(void *arg)
{
	struct owners *o = arg;
	int64_t next;

	pthread_mutex_lock(&o->lock);
	while (!o->ending) {
		pthread_mutex_unlock(&o->lock);
		look(o);
		next = clock_mono_ms() + LOOK_MS;
		pthread_mutex_lock(&o->lock);
		while (!o->ending && clock_mono_ms() < next)
			(void)cond_wait_until(&o->wake, &o->lock, next);
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

struct owners *owners_open(struct service *s, struct keeper *k)
{
	struct owners *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	o->service = s;
	o->keeper = k;
	pthread_mutex_init(&o->lock, NULL);
	cond_init_monotonic(&o->wake);
	o->thread = thread_start(watch, o);
	return o;
}

void owners_close(struct owners *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->ending = true;
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
	pthread_cond_destroy(&o->wake);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
