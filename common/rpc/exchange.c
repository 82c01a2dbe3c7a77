#include "common/rpc/internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/rpc/envelope.h"

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

void exchange_start(struct exchange *x, const Rpc__Request *request, const unsigned char *key, int send_ms,
                    int64_t until)
{
	size_t size = envelope_size(&request->base);
	nng_msg *msg;

	if (nng_msg_alloc(&msg, size))
		abort();
	envelope_seal(&request->base, key, NULL, nng_msg_body(msg), size);
	memcpy(x->mac, nng_msg_body(msg), MAC_SIZE);
	x->receiving = false;
	x->result = 0;
	x->reply = NULL;
	x->until = until;
	nng_aio_set_msg(x->aio, msg);
	nng_aio_set_timeout(x->aio, send_ms);
	x->outgoing.send = send_request;
	outbox_send(&x->replica->outbox, &x->outgoing);
}

Rpc__Reply *exchange_reply(struct exchange *x, const unsigned char *key, struct arena *a, bool *other_key,
                           struct error *err)
{
	ProtobufCMessage *reply = envelope_open(&rpc__reply__descriptor, key, x->mac, nng_msg_body(x->reply),
	                                        nng_msg_len(x->reply), a, err);

	*other_key = !reply && err->code == ERROR_UNAUTHENTICATED;
	nng_msg_free(x->reply);
	x->reply = NULL;
	return (Rpc__Reply *)reply;
}
