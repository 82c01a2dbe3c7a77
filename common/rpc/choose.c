#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/rpc/internal.h"

enum {
	OUTSTANDING_MAX = SESSION_WINDOW / 2, /* at one replica: what it is sent lies in its window */
	LOOK_MS = 20,
};

static bool was_tried(const struct call_out *call, int place)
{
	return call->tried[place] && call->tried[place] == call->peer->replicas[place]->id;
}

static struct replica *least_busy(struct call_out *call, bool anew)
{
	struct peer *peer = call->peer;
	struct replica *best = NULL;

	peer->turn++;
	for (int i = 0; i < peer->count; i++) {
		int place = (int)((peer->turn + (unsigned)i) % (unsigned)peer->count);
		struct replica *r = peer->replicas[place];

		if (replica_usable(r) && r->outstanding < OUTSTANDING_MAX &&
		    (anew || !was_tried(call, place)) && (!best || r->outstanding < best->outstanding))
			best = r;
	}
	return best;
}

/* The replica of that id, even when it drains. *unsure: it may be one that has not told its id yet. */
static struct replica *of_id(struct call_out *call, uint64_t id, bool *unsure)
{
	struct peer *peer = call->peer;

	*unsure = false;
	for (int i = 0; i < peer->count; i++) {
		struct replica *r = peer->replicas[i];

		if (r->ejected || r->other_key || r->other_service || was_tried(call, i))
			continue;
		if (replica_reachable(r) && r->id == id)
			return r;
		*unsure = *unsure || (!replica_reachable(r) && (atomic_load(&r->pipes) > 0 || !r->met));
	}
	return NULL;
}

static struct replica *choose(struct call_out *call, bool last_chance)
{
	struct replica *r = NULL;
	bool unsure = false;

	if (call->wanted)
		r = of_id(call, call->wanted, &unsure);
	if (!r && (!unsure || last_chance))
		r = least_busy(call, false);
	if (!r && call->lost) /* a read, and nobody else: whom we lost may be back */
		r = least_busy(call, true);
	return r;
}

static bool any_usable(const struct peer *peer)
{
	for (int i = 0; i < peer->count; i++) {
		if (replica_usable(peer->replicas[i]))
			return true;
	}
	return false;
}

/* Until when a call waits for somebody who could be asked: monotonic ms. */
static int64_t patience(const struct call_out *call)
{
	const struct peer *peer = call->peer;
	int64_t until = call->began + peer->pace.grace, revived = peer->alive_at + peer->pace.revival;

	if (call->method->reads && until < revived)
		until = revived;
	return until < call->until ? until : call->until;
}

/* Whom to ask. Where nobody can be asked there may soon be somebody; where all have refused there is no use in waiting. */
static struct replica *find(struct call_out *call)
{
	struct peer *peer = call->peer;
	int64_t now = clock_mono_ms();
	struct replica *r;

	while (!(r = choose(call, now >= patience(call)))) {
		if (now >= patience(call) || (!call->wanted && any_usable(peer)))
			return NULL;
		/* Connections come without a signal (no lock may be taken there), so look often. */
		cond_wait_until(&peer->changed, &peer->lock, clock_mono_ms() + LOOK_MS);
		now = clock_mono_ms();
	}
	peer->alive_at = now;
	return r;
}

static void link_busy(struct replica *r, struct exchange *x)
{
	x->next = r->busy;
	x->link = &r->busy;
	if (x->next)
		x->next->link = &x->next;
	r->busy = x;
}

static void unlink_busy(struct exchange *x)
{
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
}

static void wake_caller(struct exchange *x)
{
	sem_post(&x->wake);
}

struct exchange *begin_try(struct call_out *call)
{
	struct peer *peer = call->peer;
	struct exchange *x = NULL;
	struct replica *r;

	pthread_mutex_lock(&peer->lock);
	r = find(call);
	if (r) {
		x = r->idle;
		if (x)
			r->idle = x->next;
		else
			x = exchange_new(r, wake_caller);
	}
	if (x) {
		x->reads = call->method->reads;
		x->process = r->id;
		x->session = r->session;
		x->counter = ++r->counter;
		x->ahead = offset_ahead(&r->offset);
		r->outstanding++;
		link_busy(r, x);
	}
	pthread_mutex_unlock(&peer->lock);
	return x;
}

static void count(struct replica *r, enum error_code code)
{
	struct peer *peer = r->peer;
	char labels[ADDRESS_MAX + 128];

	if (!peer->metrics)
		return;
	if (!r->results[code]) {
		snprintf(labels, sizeof labels, "service=\"%s\",replica=\"%s\",result=\"%s\"", peer->service,
		         r->address, error_name(code));
		r->results[code] = metrics_get(peer->metrics, METRIC_COUNTER, "rpc_client_calls_total",
		                               labels, "Calls to other services, by replica and result.");
	}
	if (!r->gauge) {
		snprintf(labels, sizeof labels, "service=\"%s\",replica=\"%s\"", peer->service, r->address);
		r->gauge = metrics_get(peer->metrics, METRIC_GAUGE, "rpc_client_outstanding", labels,
		                       "Calls to other services under way.");
	}
	metric_add(r->results[code], 1);
	metric_set(r->gauge, r->outstanding);
}

void end_try(struct call_out *call, struct exchange *x, const Rpc__Reply *reply, bool stale, bool spent,
             enum error_code code)
{
	struct peer *peer = call->peer;
	struct replica *r = x->replica;

	pthread_mutex_lock(&peer->lock);
	unlink_busy(x);
	r->outstanding--;
	if (reply) {
		replica_answered(r, reply->replica);
		r->draining = reply->draining;
	} else if (stale && r->session.id == x->session.id) {
		r->session.id = 0;
		sem_post(&peer->wake);
	} else if (x->receiving && x->result == NNG_ETIMEDOUT) {
		replica_silent(r);
	}
	for (int i = 0; spent && i < peer->count; i++) {
		if (peer->replicas[i] == r)
			call->tried[i] = x->process;
	}
	count(r, code);
	x->next = r->idle;
	r->idle = x;
	pthread_mutex_unlock(&peer->lock);
}
