/*
 * Requests whose callers do not wait any more (Rpc.Gone). One that is queued leaves its queue, one that is parked wakes up,
 * and a handler that runs finds its call cancelled. All are answered: the caller's thread waits for that.
 *
 * A slot is another request's as soon as it has replied. So what it works on is looked at under its lock, which the reply
 * takes, too.
 */
#include "common/service/internal.h"

void slot_taken(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	slot->begun = false;
	atomic_store(&slot->gone, atomic_load(&slot->service->stop_now));
	atomic_store(&slot->working, slot->counter);
	pthread_mutex_unlock(&slot->lock);
}

void slot_begun(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	slot->begun = true;
	pthread_mutex_unlock(&slot->lock);
}

void slot_through(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	atomic_store(&slot->working, 0);
	pthread_mutex_unlock(&slot->lock);
}

void slots_cancel(struct service *s)
{
	for (int i = 0; s->slots && i < (int)s->set.contexts; i++) {
		pthread_mutex_lock(&s->slots[i].lock);
		atomic_store(&s->slots[i].gone, true);
		pthread_mutex_unlock(&s->slots[i].lock);
	}
}

static void answer_nobody(struct slot *slot)
{
	Rpc__Reply reply = RPC__REPLY__INIT;

	reply.has_code = true;
	reply.code = ERROR_UNAVAILABLE;
	reply.message = (char *)"whoever asked has gone";
	slot_reply(slot, &reply, 0);
}

/* true: it was still queued, and is the caller's now. */
static bool end(struct slot *slot, uint64_t session, uint64_t counter)
{
	bool queued = false;

	pthread_mutex_lock(&slot->lock);
	if (atomic_load(&slot->working) == counter && slot->session.id == session) {
		atomic_store(&slot->gone, true);
		queued = !slot->begun && lane_remove(slot->lane, &slot->job);
		if (!queued)
			parked_wake(slot);
	}
	pthread_mutex_unlock(&slot->lock);
	return queued;
}

void slots_gone(struct service *s, uint64_t session, uint64_t counter)
{
	for (int i = 0; i < (int)s->set.contexts; i++) {
		struct slot *slot = &s->slots[i];

		if (atomic_load_explicit(&slot->working, memory_order_relaxed) == counter &&
		    end(slot, session, counter))
			answer_nobody(slot);
	}
}
