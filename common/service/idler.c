#include "common/service/idler.h"

#include "common/base/thread.h"

struct idler {
	sem_t woken;
	struct idler *next;
};

/* false: it was called, and is about to be woken. */
static bool take_off(struct lane *lane, const struct idler *me)
{
	struct idler **link = &lane->idlers;

	while (*link && *link != me)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = me->next;
	return true;
}

int idler_wait(struct lane *lane, int64_t until)
{
	struct idler me = { .next = lane->idlers };
	int late;

	sem_init(&me.woken, 0, 0);
	lane->idlers = &me;
	pthread_mutex_unlock(&lane->lock);
	late = sem_wait_until(&me.woken, until);
	pthread_mutex_lock(&lane->lock);
	if (late && !take_off(lane, &me))
		late = sem_wait_until(&me.woken, INT64_MAX);
	sem_destroy(&me.woken);
	return late;
}

struct idler *idler_call(struct lane *lane)
{
	struct idler *first = lane->idlers;

	if (first)
		lane->idlers = first->next;
	return first;
}

void idler_call_all(struct lane *lane)
{
	for (struct idler *called; (called = idler_call(lane)) != NULL;)
		idler_wake(called);
}

void idler_wake(struct idler *called)
{
	if (called)
		sem_post(&called->woken);
}
