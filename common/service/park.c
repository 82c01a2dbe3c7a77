/*
 * Calls that wait for an event and hold no thread: their slot sleeps on its aio, which a call_wake() cuts short. What is
 * the call's (its arena, with all that it made so far) waits in the slot and goes to the thread that resumes it.
 *
 * A wake-up that comes before the sleep has begun is found in `woken` right after; one that comes when the slot does
 * something else again must not come at all: whoever resumed has seen to that (call.h).
 */
#include "common/base/clock.h"
#include "common/service/internal.h"

struct parked *call_park(struct call *call, int64_t until, call_resume *resume, void *arg)
{
	struct parked *p = call->parked;
	struct error full = { 0 };

	if (!p || p->resume || atomic_load(&call->service->draining) || atomic_load(&p->slot->gone) ||
	    (!p->slot->parked && slot_park(p->slot, &full) < 0))
		return NULL;
	p->until = until < call->deadline ? until : call->deadline;
	p->resume = resume;
	p->arg = arg;
	return p;
}

void call_wake(struct parked *p)
{
	atomic_store(&p->woken, true);
	nng_aio_cancel(p->slot->aio);
}

void parked_sleep(struct parked *p, struct arena *a)
{
	struct service *s = p->slot->service;
	int64_t ms = p->until - clock_unix_ms();

	p->slot->arena = *a;
	arena_init(a, 0);
	pthread_mutex_lock(&s->lock);
	p->next = s->waiting;
	p->link = &s->waiting;
	if (p->next)
		p->next->link = &p->next;
	s->waiting = p;
	if (atomic_load(&s->draining) || atomic_load(&p->slot->gone))
		atomic_store(&p->woken, true);
	slot_sleep(p->slot, ms > 0 ? ms : 0);
	if (atomic_load(&p->woken))
		nng_aio_cancel(p->slot->aio);
	pthread_mutex_unlock(&s->lock); /* from here on who resumes it may be through with it */
}

void parked_wakes(struct parked *p, struct arena *a)
{
	struct service *s = p->slot->service;

	pthread_mutex_lock(&s->lock);
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	pthread_mutex_unlock(&s->lock);
	arena_done(a);
	*a = p->slot->arena;
	atomic_store(&p->woken, false);
}

void parked_wake_all(struct service *s)
{
	pthread_mutex_lock(&s->lock);
	for (struct parked *p = s->waiting; p; p = p->next)
		call_wake(p);
	pthread_mutex_unlock(&s->lock);
}

void parked_wake(struct slot *slot)
{
	struct service *s = slot->service;

	pthread_mutex_lock(&s->lock);
	for (struct parked *p = s->waiting; p; p = p->next)
		if (p->slot == slot)
			call_wake(p);
	pthread_mutex_unlock(&s->lock);
}

bool parked_any(struct service *s)
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->waiting != NULL;
	pthread_mutex_unlock(&s->lock);
	return any;
}
