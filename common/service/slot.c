/*
 * A slot's context and aio belong to whoever works on the request, then to NNG until the next one is there: only one
 * operation is under way on them at any time.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/util/platform.h>
#include <nng/transport/tcp/tcp.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/callbacks.h"
#include "common/rpc/envelope.h"
#include "common/service/internal.h"

/* Slots kept for telling others that there is no room. */
enum { SPARE = 16, SEND_MS = 30 * 1000, FULL_MS = 50 };

static void slot_receive(struct slot *slot)
{
	slot->step = SLOT_RECEIVING;
	slot->load = false;
	atomic_fetch_add(&slot->service->receiving, 1);
	nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
	nng_ctx_recv(slot->ctx, slot->aio);
}

static void slot_leave(struct outgoing *item)
{
	struct slot *slot = (struct slot *)((char *)item - offsetof(struct slot, outgoing));

	nng_ctx_send(slot->ctx, slot->aio);
}

static void slot_send(struct slot *slot, nng_msg *msg)
{
	slot->step = SLOT_SENDING;
	nng_aio_set_msg(slot->aio, msg);
	nng_aio_set_timeout(slot->aio, SEND_MS);
	slot->outgoing.send = slot_leave;
	outbox_send(&slot->service->outbox, &slot->outgoing);
}

int slot_park(struct slot *slot, struct error *err)
{
	struct service *s = slot->service;

	slot->parked = lane_hold(&s->parked, slot->job.owner);
	if (!slot->parked)
		return error_busy(err, 1, "too many readers wait for %s", s->config->contract->name);
	metric_set(s->gauge_parked, lane_busy(&s->parked));
	return 0;
}

static void unpark(struct slot *slot)
{
	if (!slot->parked)
		return;
	lane_release(&slot->service->parked, slot->parked);
	slot->parked = NULL;
	metric_set(slot->service->gauge_parked, lane_busy(&slot->service->parked));
}

static void let_go(struct slot *slot)
{
	slot_through(slot);
	unpark(slot);
	nng_msg_free(slot->request);
	slot->request = NULL;
}

void slot_reply(struct slot *slot, Rpc__Reply *reply, int pause_ms)
{
	Rpc__Reply too_large = RPC__REPLY__INIT;
	size_t size;
	nng_msg *msg;

	reply->has_replica = reply->has_draining = true;
	reply->replica = slot->service->replica;
	reply->draining = atomic_load(&slot->service->draining);
	size = envelope_size(&reply->base);
	if (size > RPC_MESSAGE_MAX) { /* sent, it would take the connection down for all */
		too_large.has_code = too_large.has_replica = true;
		too_large.code = ERROR_TOO_LARGE;
		too_large.message = (char *)"the answer is too large; ask for less at a time (limit)";
		too_large.replica = reply->replica;
		reply = &too_large;
		size = envelope_size(&reply->base);
	}
	msg = outbox_message(size);
	envelope_seal(ENVELOPE_REPLY, &slot->session, slot->counter, &reply->base, nng_msg_body(msg), size);
	let_go(slot);
	if (pause_ms <= 0) {
		slot_send(slot, msg);
		return;
	}
	slot->step = SLOT_PAUSING;
	slot->reply = msg;
	nng_sleep_aio(pause_ms, slot->aio);
}

void slot_answer(struct slot *slot, nng_msg *msg)
{
	let_go(slot);
	slot_send(slot, msg);
}

static void refuse(struct slot *slot, const char *why)
{
	Rpc__Reply reply = RPC__REPLY__INIT;

	metric_add(slot->service->refused, 1);
	reply.has_code = reply.has_retry_after = reply.has_not_taken = reply.not_taken = true;
	reply.code = ERROR_UNAVAILABLE;
	reply.retry_after = 1;
	reply.message = (char *)why;
	slot_reply(slot, &reply, 0);
}

/* What is none of ours, or comes a second time, is not answered. */
static void drop(struct slot *slot)
{
	metric_add(slot->service->refused, 1);
	let_go(slot);
	slot_receive(slot);
}

static void say_unknown(struct slot *slot)
{
	nng_msg *msg = outbox_message(ENVELOPE_UNKNOWN_SIZE);

	envelope_unknown(slot->service->denial_key, nng_msg_body(slot->request), nng_msg_len(slot->request),
	                 slot->service->replica, nng_msg_body(msg));
	slot_answer(slot, msg);
}

/* false: the slot is somebody else's already. */
static bool open_request(struct slot *slot)
{
	struct sessions *sessions = slot->service->sessions;
	void *bytes = nng_msg_body(slot->request);
	size_t size = nng_msg_len(slot->request);
	uint64_t id;

	envelope_names(bytes, &id, &slot->counter);
	if (!sessions_find(sessions, id, &slot->session)) {
		say_unknown(slot);
		return false;
	}
	if (envelope_open(ENVELOPE_REQUEST, &slot->session, bytes, size, &slot->packed) < 0) {
		drop(slot);
		return false;
	}
	switch (sessions_take(sessions, id, slot->counter)) {
	case SESSION_TAKEN: return true;
	case SESSION_REPEATED: drop(slot); break;
	case SESSION_UNKNOWN: say_unknown(slot); break;
	}
	return false;
}

/* The lane that a request belongs to, and whose it is there. */
static struct lane *lane_of(struct slot *slot)
{
	struct glance g = request_glance(slot->packed.data, slot->packed.len);
	struct service *s = slot->service;
	struct served *served;

	slot->job.owner = g.owner;
	if (builtin_id(g.method))
		return &s->control;
	served = service_method(s, g.method);
	return &s->lanes[served ? served->method->waits : WAITS_DATABASE];
}

static void take_request(struct slot *slot)
{
	struct service *s = slot->service;
	struct lane *lane = lane_of(slot);
	int spare = atomic_load(&s->receiving);

	slot->job.run = dispatch;
	slot->lane = lane;
	slot_taken(slot);
	if (lane != &s->control)
		atomic_store(&s->asked_at, clock_mono_ms());
	if (lane != &s->control && spare < SPARE)
		refuse(slot, "there is more to do than this service can take right now");
	else if (lane_push(lane, &slot->job) < 0)
		refuse(slot, "too much of this kind is under way right now");
}

static void received(struct slot *slot)
{
	slot->step = SLOT_BUSY;
	switch (envelope_kind(nng_msg_body(slot->request), nng_msg_len(slot->request))) {
	case ENVELOPE_REQUEST:
		if (open_request(slot))
			take_request(slot);
		break;
	case ENVELOPE_HELLO:
		slot->job.run = answer_hello;
		slot->job.owner = 0;
		if (lane_push(&slot->service->control, &slot->job) < 0)
			drop(slot);
		break;
	default: drop(slot); break;
	}
}

void slot_sleep(struct slot *slot, int64_t ms)
{
	slot->step = SLOT_PARKED;
	nng_sleep_aio((nng_duration)ms, slot->aio);
}

/* Its wait is over: back to its lane, which may be full for a moment. */
static void go_on(struct slot *slot)
{
	slot->step = SLOT_BUSY;
	if (lane_push(slot->lane, &slot->job) < 0)
		slot_sleep(slot, FULL_MS);
}

static void slot_step(void *arg)
{
	struct slot *slot = arg;
	int result = nng_aio_result(slot->aio);

	switch (slot->step) {
	case SLOT_RECEIVING:
		atomic_fetch_sub(&slot->service->receiving, 1);
		if (!result) {
			slot->request = nng_aio_get_msg(slot->aio);
			received(slot);
			return;
		}
		break;
	case SLOT_PARKED: go_on(slot); return;
	case SLOT_PAUSING:
		if (!result) {
			slot_send(slot, slot->reply);
			return;
		}
		nng_msg_free(slot->reply);
		break;
	case SLOT_SENDING:
		if (result)
			nng_msg_free(nng_aio_get_msg(slot->aio));
		if (result != NNG_ECLOSED)
			result = 0;
		break;
	case SLOT_BUSY: break; /* no operation is under way then */
	}
	if (result == NNG_ECLOSED || result == NNG_ECANCELED)
		atomic_fetch_add(&slot->service->ended, 1);
	else
		slot_receive(slot);
}

int slots_open(struct service *s, struct error *err)
{
	int count = (int)s->set.contexts, rc;

	callbacks_start();
	if ((rc = nng_rep0_open(&s->socket)) != 0 ||
	    (rc = nng_socket_set_size(s->socket, NNG_OPT_RECVMAXSZ, RPC_MESSAGE_MAX)) != 0 ||
	    (rc = nng_socket_set_bool(s->socket, NNG_OPT_TCP_KEEPALIVE, true)) != 0)
		return error_internal(err, "nng: %s", nng_strerror(rc));
	s->slots = arena_new(&s->arena, struct slot, (size_t)count);
	for (int i = 0; i < count; i++) {
		struct slot *slot = &s->slots[i];

		slot->service = s;
		pthread_mutex_init(&slot->lock, NULL);
		if (nng_ctx_open(&slot->ctx, s->socket) || nng_aio_alloc(&slot->aio, slot_step, slot))
			abort();
		slot_receive(slot);
	}
	rc = nng_listen(s->socket, s->set.listen, NULL, 0);
	if (rc)
		return error_set(err, ERROR_INVALID, "cannot listen on %s: %s", s->set.listen,
		                 nng_strerror(rc));
	return 0;
}

void slots_close(struct service *s)
{
	int64_t patience = clock_mono_ms() + 2000;

	if (!s->slots)
		return;
	nng_close(s->socket);
	while (atomic_load(&s->ended) < (int)s->set.contexts && clock_mono_ms() < patience)
		nng_msleep(1);
	for (int i = 0; i < (int)s->set.contexts; i++) {
		nng_aio_free(s->slots[i].aio);
		pthread_mutex_destroy(&s->slots[i].lock);
	}
	s->slots = NULL;
}
