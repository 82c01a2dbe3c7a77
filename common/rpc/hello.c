/* Hello: which process is behind an address, is it the service that we want, and does it still answer? */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/rpc/internal.h"
#include "rpc.client.h"

enum { PROBE_EVERY_MS = 1000, PROBE_WAIT_MS = 1500 };

/* With the peer's lock held. */
static void met(struct replica *r, const Rpc__HelloReply *hello)
{
	bool other = !hello->service || strcmp(hello->service, r->peer->service) != 0;

	if (other && !r->other_service)
		log_line(LOG_ERROR, "another service is at this address; left out",
		         LOG_TEXT("service", r->peer->service), LOG_TEXT("address", r->address),
		         LOG_TEXT("found", hello->service));
	r->other_service = other;
	if (other)
		return;
	replica_answered(r, hello->replica);
	if (hello->draining && !r->draining)
		replica_tell(r, LOG_INFO, "replica is draining");
	r->draining = hello->draining;
}

void hello_done(struct exchange *x)
{
	struct replica *r = x->replica;
	struct peer *peer = r->peer;
	Rpc__HelloReply *hello = NULL;
	Rpc__Reply *reply = NULL;
	struct error err = { 0 };
	bool other_key = false;
	struct arena a;

	arena_init(&a, 4096);
	if (x->reply)
		reply = exchange_reply(x, peer->key, &a, &other_key, &err);
	if (reply && !reply->code)
		hello = rpc__hello_reply__unpack(NULL, reply->payload.len, reply->payload.data);

	pthread_mutex_lock(&peer->lock);
	r->probing = false;
	if (hello) {
		met(r, hello);
	} else if (other_key) {
		if (!r->other_key)
			replica_tell(r, LOG_ERROR, "replica does not share our PARLEY_SECRET; left out");
		r->other_key = true;
	} else {
		replica_missed(r);
	}
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
	rpc__hello_reply__free_unpacked(hello, NULL);
	arena_done(&a);
}

static void ask(struct replica *r)
{
	Rpc__Request request = RPC__REQUEST__INIT;
	Rpc__Caller caller = RPC__CALLER__INIT;

	caller.has_kind = request.has_method = request.has_deadline = true;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	request.caller = &caller;
	request.method = rpc_client_methods[RPC_METHOD_HELLO].id;
	request.request_id = (char *)"hello";
	request.deadline = clock_unix_ms() + PROBE_WAIT_MS;
	exchange_start(r->probe, &request, r->peer->key, PROBE_WAIT_MS, clock_mono_ms() + PROBE_WAIT_MS);
}

/* Asks who is to be asked. Places in the table change hands only between replicas that are not being asked. */
static void look_round(struct peer *peer)
{
	struct replica *asked[REPLICAS_MAX], *dead[REPLICAS_MAX];
	int64_t now = clock_mono_ms();
	int asking = 0, dying = 0;

	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count; i++) {
		struct replica *r = peer->replicas[i];

		if (atomic_load(&r->pipes) <= 0) {
			replica_gone(r);
		} else if (!r->probing && (!r->id || r->misses || now - r->probed >= PROBE_EVERY_MS)) {
			r->probing = true;
			r->probed = now;
			if (r->redial)
				dead[dying++] = r;
			r->redial = false;
			asked[asking++] = r;
		}
	}
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
	for (int i = 0; i < dying; i++)
		replica_redial(dead[i]);
	for (int i = 0; i < asking; i++)
		ask(asked[i]);
}

void *watch(void *arg)
{
	struct peer *peer = arg;

	pthread_setname_np(pthread_self(), peer->service);
	while (!atomic_load(&peer->stopping)) {
		struct timespec until;

		look_round(peer);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += 1;
		while (sem_clockwait(&peer->wake, CLOCK_MONOTONIC, &until) < 0 && errno == EINTR)
			;
		while (sem_trywait(&peer->wake) == 0)
			;
	}
	return NULL;
}
