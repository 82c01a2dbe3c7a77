#include "common/rpc/internal.h"

#include <stddef.h>
#include <stdlib.h>

#include "common/base/clock.h"

static void exchange_step(void *arg)
{
	struct exchange *x = arg;
	int64_t rest = x->until - clock_mono_ms();

	x->result = nng_aio_result(x->aio);
	if (x->receiving) {
		x->reply = x->result ? NULL : nng_aio_get_msg(x->aio);
		x->done(x);
	} else if (x->result) { /* never left: the message is ours again */
		nng_msg_free(nng_aio_get_msg(x->aio));
		x->done(x);
	} else {
		x->receiving = true;
		nng_aio_set_timeout(x->aio, rest > 1 ? (nng_duration)rest : 1);
		nng_ctx_recv(x->ctx, x->aio);
	}
}

struct exchange *exchange_new(struct replica *r, void (*done)(struct exchange *x))
{
	struct exchange *x = calloc(1, sizeof *x);

	if (!x || nng_aio_alloc(&x->aio, exchange_step, x))
		abort();
	x->replica = r;
	x->done = done;
	sem_init(&x->wake, 0, 0);
	if (nng_ctx_open(&x->ctx, r->socket)) {
		exchange_free(x);
		return NULL;
	}
	return x;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	nng_aio_stop(x->aio);
	nng_ctx_close(x->ctx);
	nng_aio_free(x->aio);
	sem_destroy(&x->wake);
	free(x);
}

static void send_request(struct outgoing *item)
{
	struct exchange *x = (struct exchange *)((char *)item - offsetof(struct exchange, outgoing));

	nng_ctx_send(x->ctx, x->aio);
}

void exchange_send(struct exchange *x, nng_msg *msg, int send_ms, int64_t until)
{
	x->receiving = false;
	x->result = 0;
	x->reply = NULL;
	x->until = until;
	nng_aio_set_msg(x->aio, msg);
	nng_aio_set_timeout(x->aio, send_ms);
	x->outgoing.send = send_request;
	outbox_send(&x->replica->outbox, &x->outgoing);
}

void exchange_start(struct exchange *x, Rpc__Request *request, int send_ms, int64_t until)
{
	size_t size;
	nng_msg *msg;

	request->deadline = until + x->ahead / 1000;
	size = envelope_size(&request->base);
	msg = outbox_message(size);
	envelope_seal(ENVELOPE_REQUEST, &x->session, x->counter, &request->base, nng_msg_body(msg), size);
	envelope_proof(nng_msg_body(msg), size, x->proof);
	exchange_send(x, msg, send_ms, until);
}

static enum verdict read_reply(struct exchange *x, void *bytes, size_t size, struct arena *a,
                               Rpc__Reply **reply)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCBinaryData packed;
	uint64_t session, counter, process;

	if (envelope_is_unknown(x->replica->peer->denial_key, x->proof, bytes, size, &process))
		return process == x->process ? REPLY_NO_SESSION : REPLY_ELSEWHERE;
	if (envelope_open(ENVELOPE_REPLY, &x->session, bytes, size, &packed) < 0)
		return REPLY_FORGED;
	envelope_names(bytes, &session, &counter);
	if (counter != x->counter) /* of ours, and to something else */
		return REPLY_FORGED;
	*reply = rpc__reply__unpack(&allocator, packed.len, packed.data);
	return *reply ? REPLY_GOOD : REPLY_MALFORMED;
}

enum verdict exchange_reply(struct exchange *x, struct arena *a, Rpc__Reply **reply)
{
	enum verdict verdict = read_reply(x, nng_msg_body(x->reply), nng_msg_len(x->reply), a, reply);

	nng_msg_free(x->reply);
	x->reply = NULL;
	return verdict;
}
