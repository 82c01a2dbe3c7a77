/* Hello: which process is behind an address, is it the service that we want, and does it still answer? */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/rpc/internal.h"

/* With the peer's lock held. */
static void met(struct replica *r, const Rpc__HelloReply *hello, int64_t now)
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
	offset_measured(&r->offset, r->asked, (int64_t)hello->clock, now);
	if (hello->session != r->session.id) /* its counter goes on: it may be one that we have had before */
		session_derive(r->peer->key, r->hello.sender, hello->session, &r->session);
	r->events_known = r->events_asked;
	if (hello->draining && !r->draining)
		replica_tell(r, LOG_INFO, "replica is draining");
	r->draining = hello->draining;
}

void hello_done(struct exchange *x)
{
	struct replica *r = x->replica;
	struct peer *peer = r->peer;
	int64_t now = clock_mono_us();
	Rpc__HelloReply *hello = NULL;
	bool other_key = false;
	struct arena a;

	arena_init(&a, 4096);
	if (x->reply) {
		void *bytes = nng_msg_body(x->reply);
		size_t size = nng_msg_len(x->reply);

		other_key = envelope_kind(bytes, size) == ENVELOPE_OTHER_KEY;
		hello = envelope_open_welcome(&r->hello, r->hello_header, bytes, size, &a);
		nng_msg_free(x->reply);
		x->reply = NULL;
	}
	pthread_mutex_lock(&peer->lock);
	r->probing = false;
	if (hello) {
		met(r, hello, now);
	} else if (other_key) {
		if (!r->other_key)
			replica_tell(r, LOG_ERROR, "replica does not share our PARLEY_SECRET; left out");
		r->other_key = true;
	} else {
		replica_missed(r);
	}
	if (atomic_load(&r->events) != r->events_known) /* connections came or went meanwhile: ask again */
		sem_post(&peer->wake);
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
	arena_done(&a);
}

static void ask(struct replica *r)
{
	Rpc__HelloRequest request = RPC__HELLO_REQUEST__INIT;
	size_t size = envelope_hello_size(&request);
	nng_msg *msg = outbox_message(size);

	envelope_hello(&r->hello, &request, nng_msg_body(msg), size);
	memcpy(r->hello_header, nng_msg_body(msg), ENVELOPE_HELLO_HEADER);
	r->asked = clock_mono_us();
	exchange_send(r->probe, msg, r->peer->pace.ask_wait, clock_mono_ms() + r->peer->pace.ask_wait);
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
		} else if (!r->probing &&
		           (!r->session.id || r->misses || atomic_load(&r->events) != r->events_known ||
		            now - r->probed >= peer->pace.ask_every)) {
			r->probing = true;
			r->probed = now;
			r->events_asked = atomic_load(&r->events);
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
		look_round(peer);
		(void)sem_wait_until(&peer->wake, clock_mono_ms() + peer->pace.ask_every);
		while (sem_trywait(&peer->wake) == 0)
			;
	}
	return NULL;
}
