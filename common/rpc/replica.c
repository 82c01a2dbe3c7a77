/*
 * One socket per address, with DIALS connections. NNG's callbacks take no lock of ours but in hello_done(), which runs
 * on its task threads; so nothing here closes, dials or frees with the lock held.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/transport/tcp/tcp.h>

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/rpc/callbacks.h"
#include "common/rpc/internal.h"

enum {
	MISSES = 2,        /* of Hello, in a row: left out */
	MISSES_REDIAL = 4, /* and again after so many: its connections are taken for dead */
};

/* --- Connections ------------------------------------------------------------------------------------------------------ */

static void remember_pipe(struct replica *r, unsigned old, unsigned now)
{
	for (int i = 0; i < 2 * DIALS; i++) {
		unsigned was = old;

		if (atomic_compare_exchange_strong(&r->pipe_ids[i], &was, now))
			return;
	}
}

static void pipe_event(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct replica *r = arg;
	unsigned id = (unsigned)nng_pipe_id(pipe);

	/* ADD_PRE and REM_POST come in pairs; ADD_POST does not come for a connection that is lost early. */
	if (event == NNG_PIPE_EV_ADD_PRE)
		remember_pipe(r, 0, id);
	else
		remember_pipe(r, id, 0);
	atomic_fetch_add(&r->pipes, event == NNG_PIPE_EV_ADD_PRE ? 1 : -1);
	atomic_fetch_add(&r->events, 1); /* whoever is there now may be another process: Hello tells */
	sem_post(&r->peer->wake);
}

void replica_redial(struct replica *r)
{
	for (int i = 0; i < 2 * DIALS; i++) {
		nng_pipe pipe = { .id = atomic_load(&r->pipe_ids[i]) };

		if (pipe.id)
			nng_pipe_close(pipe);
	}
}

static int check(int result, const char *what, struct error *err)
{
	return result ? error_internal(err, "%s: %s", what, nng_strerror(result)) : 0;
}

static int open_socket(struct replica *r, struct error *err)
{
	callbacks_start();
	if (check(nng_req0_open(&r->socket), "nng_req0_open", err) < 0)
		return -1;
	/* Never sent again by NNG: it would execute things twice. Before any context is made. */
	if (check(nng_socket_set_ms(r->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), "resend time",
	          err) < 0 ||
	    check(nng_socket_set_size(r->socket, NNG_OPT_RECVMAXSZ, RPC_MESSAGE_MAX), "receive limit", err) <
	        0 ||
	    check(nng_socket_set_ms(r->socket, NNG_OPT_RECONNMINT, 100), "reconnect time", err) < 0 ||
	    check(nng_socket_set_ms(r->socket, NNG_OPT_RECONNMAXT, 500), "reconnect time", err) < 0 ||
	    check(nng_socket_set_bool(r->socket, NNG_OPT_TCP_KEEPALIVE, true), "keepalive", err) < 0 ||
	    check(nng_pipe_notify(r->socket, NNG_PIPE_EV_ADD_PRE, pipe_event, r), "pipe events", err) < 0 ||
	    check(nng_pipe_notify(r->socket, NNG_PIPE_EV_REM_POST, pipe_event, r), "pipe events", err) < 0)
		return -1;
	r->probe = exchange_new(r, hello_done);
	for (int i = 0; i < DIALS; i++) {
		if (nng_dial(r->socket, r->address, NULL, NNG_FLAG_NONBLOCK))
			return error_set(err, ERROR_INVALID,
			                 "\"%s\" is not an address (tcp://host:port or abstract://name)",
			                 r->address);
	}
	return 0;
}

struct replica *replica_new(struct peer *peer, const char *address, struct error *err)
{
	struct replica *r = calloc(1, sizeof *r);
	unsigned char sender[SESSION_SENDER];

	if (!r)
		abort();
	r->peer = peer;
	outbox_init(&r->outbox);
	r->seen = clock_mono_ms();
	random_bytes(sender, sizeof sender);
	hello_keys_derive(peer->key, sender, &r->hello);
	snprintf(r->address, sizeof r->address, "%s", address);
	if (open_socket(r, err) == 0)
		return r;
	replica_free(r);
	return NULL;
}

void replica_free(struct replica *r)
{
	/* NNG threads may still be in a callback of this socket; they are through with it when close returns. */
	nng_close(r->socket);
	exchange_free(r->probe);
	for (struct exchange *x = r->idle, *next; x; x = next) {
		next = x->next;
		exchange_free(x);
	}
	outbox_done(&r->outbox);
	OPENSSL_cleanse(r, sizeof *r);
	free(r);
}

/* --- Standing --------------------------------------------------------------------------------------------------------- */

void replica_tell(const struct replica *r, enum log_level level, const char *what)
{
	log_line(level, what, LOG_TEXT("service", r->peer->service), LOG_TEXT("address", r->address));
}

bool replica_reachable(const struct replica *r)
{
	return r->session.id && atomic_load(&r->pipes) > 0 && atomic_load(&r->events) == r->events_known &&
	       !r->ejected && !r->other_key && !r->other_service;
}

bool replica_usable(const struct replica *r)
{
	return replica_reachable(r) && !r->draining;
}

void replica_answered(struct replica *r, uint64_t id)
{
	if (r->ejected)
		replica_tell(r, LOG_INFO, "replica answers again");
	r->misses = 0;
	r->ejected = r->other_key = false;
	if (id && id != r->id) {
		replica_tell(r, LOG_INFO, "replica found");
		r->id = id;
		r->met = true;
		r->draining = false;
		r->session.id = 0;
		r->offset = (struct offset){ .count = 0 };
		pthread_cond_broadcast(&r->peer->changed);
	}
}

void replica_silent(struct replica *r)
{
	r->misses++; /* Hello decides: a method may just be slow */
	sem_post(&r->peer->wake);
}

/*
 * Leave it out until it answers Hello again. Reads under way are given up, so that they can be asked elsewhere: every
 * time, since one that was just about to be sent does not notice the first.
 */
void replica_missed(struct replica *r)
{
	if (++r->misses < MISSES || atomic_load(&r->pipes) <= 0)
		return;
	if (!r->ejected)
		replica_tell(r, LOG_WARN, "replica does not answer; left out");
	r->ejected = true;
	for (struct exchange *x = r->busy; x; x = x->next) {
		if (x->reads)
			nng_aio_cancel(x->aio);
	}
	if (r->misses % MISSES_REDIAL == 0)
		r->redial = true;
}

/* Whoever comes back at this address may be another process. */
void replica_gone(struct replica *r)
{
	if (r->id)
		replica_tell(r, LOG_INFO, "replica is gone");
	r->id = 0;
	r->session.id = 0;
	r->misses = 0;
	r->ejected = r->draining = r->other_key = r->other_service = r->redial = false;
}
