#include "common/rpc/internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/rpc/envelope.h"

static void flight_step(void *arg)
{
	struct flight *f = arg;
	int64_t rest = f->until - clock_mono_ms();

	f->result = nng_aio_result(f->aio);
	if (f->receiving) {
		f->reply = f->result ? NULL : nng_aio_get_msg(f->aio);
		f->landed(f);
	} else if (f->result) { /* never left: the message is ours again */
		nng_msg_free(nng_aio_get_msg(f->aio));
		f->landed(f);
	} else {
		f->receiving = true;
		nng_aio_set_timeout(f->aio, rest > 1 ? (nng_duration)rest : 1);
		nng_ctx_recv(f->ctx, f->aio);
	}
}

struct flight *flight_new(struct replica *r, void (*landed)(struct flight *f))
{
	struct flight *f = calloc(1, sizeof *f);

	if (!f || nng_aio_alloc(&f->aio, flight_step, f))
		abort();
	f->replica = r;
	f->landed = landed;
	sem_init(&f->done, 0, 0);
	if (nng_ctx_open(&f->ctx, r->socket)) {
		flight_free(f);
		return NULL;
	}
	return f;
}

void flight_free(struct flight *f)
{
	if (!f)
		return;
	nng_aio_stop(f->aio);
	nng_ctx_close(f->ctx);
	nng_aio_free(f->aio);
	sem_destroy(&f->done);
	free(f);
}

static void leave(struct outgoing *item)
{
	struct flight *f = (struct flight *)((char *)item - offsetof(struct flight, outgoing));

	nng_ctx_send(f->ctx, f->aio);
}

void flight_start(struct flight *f, const Rpc__Request *request, const unsigned char *key, int send_ms,
                  int64_t until)
{
	size_t size = envelope_size(&request->base);
	nng_msg *msg;

	if (nng_msg_alloc(&msg, size))
		abort();
	envelope_seal(&request->base, key, NULL, nng_msg_body(msg), size);
	memcpy(f->mac, nng_msg_body(msg), MAC_SIZE);
	f->receiving = false;
	f->result = 0;
	f->reply = NULL;
	f->until = until;
	nng_aio_set_msg(f->aio, msg);
	nng_aio_set_timeout(f->aio, send_ms);
	f->outgoing.send = leave;
	outbox_send(&f->replica->outbox, &f->outgoing);
}

Rpc__Reply *flight_reply(struct flight *f, const unsigned char *key, struct arena *a, bool *stranger,
                         struct error *err)
{
	ProtobufCMessage *reply = envelope_open(&rpc__reply__descriptor, key, f->mac, nng_msg_body(f->reply),
	                                        nng_msg_len(f->reply), a, err);

	*stranger = !reply && err->code == ERROR_UNAUTHENTICATED;
	nng_msg_free(f->reply);
	f->reply = NULL;
	return (Rpc__Reply *)reply;
}
