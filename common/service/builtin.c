#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/envelope.h"
#include "common/service/internal.h"
#include "rpc.client.h"

enum { NOTHING_YET_MS = 1000 };

bool builtin_id(uint32_t id)
{
	return id == rpc_client_methods[RPC_METHOD_NEXT].id || id == rpc_client_methods[RPC_METHOD_GONE].id;
}

/* Reply with that message, packed. */
static void reply_with(struct slot *slot, const ProtobufCMessage *out, int pause_ms)
{
	Rpc__Reply reply = RPC__REPLY__INIT;

	reply.has_payload = true;
	reply.payload.len = protobuf_c_message_get_packed_size(out);
	reply.payload.data = malloc(reply.payload.len + 1);
	if (!reply.payload.data)
		abort();
	protobuf_c_message_pack(out, reply.payload.data);
	slot_reply(slot, &reply, pause_ms);
	free(reply.payload.data);
}

static void reply_error(struct slot *slot, const struct error *err)
{
	Rpc__Reply reply = RPC__REPLY__INIT;

	reply.has_code = true;
	reply.code = err->code;
	reply.message = (char *)err->message;
	reply.has_retry_after = true;
	reply.retry_after = err->retry_after;
	slot_reply(slot, &reply, 0);
}

void answer_hello(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct slot *slot = (struct slot *)((char *)job - offsetof(struct slot, job));
	struct service *s = slot->service;
	unsigned char header[ENVELOPE_HELLO_HEADER];
	Rpc__HelloReply out = RPC__HELLO_REPLY__INIT;
	struct hello_keys keys;
	nng_msg *msg;

	(void)ahead;
	memcpy(header, nng_msg_body(slot->request), sizeof header);
	if (!envelope_open_hello(s->key, nng_msg_body(slot->request), nng_msg_len(slot->request), &keys, a)) {
		metric_add(s->refused, 1);
		msg = outbox_message(ENVELOPE_START);
		envelope_other_key(nng_msg_body(msg));
		slot_answer(slot, msg);
		return;
	}
	out.has_replica = out.has_draining = out.has_session = out.has_clock = true;
	out.replica = s->replica;
	out.service = (char *)s->config->contract->name;
	out.draining = atomic_load(&s->draining);
	out.session = sessions_open(s->sessions, keys.sender);
	out.clock = (uint64_t)clock_mono_us();
	msg = outbox_message(envelope_welcome_size(&out));
	envelope_welcome(&keys, header, &out, nng_msg_body(msg), nng_msg_len(msg));
	slot_answer(slot, msg);
}

/* --- Next --------------------------------------------------------------------------------------------------------------- */

static void reply_events(void *token, const Rpc__NextReply *events)
{
	reply_with(token, &events->base, 0);
}

/* The stream is not in this process's memory: what does the database know? On a worker's thread. */
static void load(struct slot *slot, const Rpc__Request *request, const Rpc__NextRequest *in, struct arena *a)
{
	Rpc__NextReply out = RPC__NEXT_REPLY__INIT;
	struct error err = { 0 };
	struct call call;
	struct db db;
	int found, wait = in->wait < NOTHING_YET_MS ? in->wait : NOTHING_YET_MS;

	call_init(&call, slot->service, a, &err, &db, &rpc_client_methods[RPC_METHOD_NEXT], request);
	found = slot->service->config->load_stream(&call, in, &out);
	db_done(&db);
	if (found < 0) {
		log_line(LOG_WARN, "stream not loaded", LOG_TEXT("request", call.request_id),
		         LOG_TEXT("result", error_name(err.code)), LOG_TEXT("detail", err.detail));
		reply_error(slot, &err);
	} else if (!found) {
		error_clear(&err);
		error_set(&err, ERROR_NOT_FOUND, "no such stream");
		reply_error(slot, &err);
	} else {
		reply_with(slot, &out.base, out.n_events || out.end ? 0 : wait);
	}
}

static void next(struct slot *slot, const Rpc__Request *request, const Rpc__NextRequest *in, struct arena *a)
{
	struct stream_waiter waiter = { .token = slot, .reply = reply_events };
	struct service *s = slot->service;
	Rpc__Caller nobody = RPC__CALLER__INIT;
	struct error err = { 0 };

	if (slot->load) {
		load(slot, request, in, a);
		return;
	}
	if (slot_park(slot, &err) == 0 &&
	    stream_next(s->hub, stream_reader(request->caller ? request->caller : &nobody), in, waiter,
	                &err) == 0)
		return; /* answered, or parked: not ours any more */
	if (err.code == ERROR_NOT_FOUND && s->config->load_stream && !in->leaves) {
		slot->load = true;
		if (lane_push(&s->lanes[WAITS_READER], &slot->job) == 0)
			return;
		error_clear(&err);
		error_busy(&err, 1, "%s has more to do than it can take", s->config->contract->name);
	}
	reply_error(slot, &err);
}

/* --- Gone --------------------------------------------------------------------------------------------------------------- */

static void gone(struct slot *slot, const Rpc__GoneRequest *in)
{
	Rpc__Empty out = RPC__EMPTY__INIT;

	if (in->session == slot->session.id && in->counter && in->counter != slot->counter)
		slots_gone(slot->service, in->session, in->counter);
	reply_with(slot, &out.base, 0);
}

int builtin(struct slot *slot, const Rpc__Request *request, struct arena *a)
{
	const struct method *methods = rpc_client_methods;
	bool asks_next = request->method == methods[RPC_METHOD_NEXT].id;
	ProtobufCAllocator allocator = arena_allocator(a);
	struct error err = { 0 };
	ProtobufCMessage *in;

	if (!builtin_id(request->method))
		return 0;
	in = protobuf_c_message_unpack(methods[asks_next ? RPC_METHOD_NEXT : RPC_METHOD_GONE].in, &allocator,
	                               request->payload.len, request->payload.data);
	if (!in) {
		error_set(&err, ERROR_MALFORMED, "the request cannot be read");
		reply_error(slot, &err);
	} else if (asks_next) {
		next(slot, request, (const Rpc__NextRequest *)in, a);
	} else {
		gone(slot, (const Rpc__GoneRequest *)in);
	}
	return 1;
}
