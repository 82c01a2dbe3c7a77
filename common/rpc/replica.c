/*
 * Who is there: one socket per address with two connections, a watcher that resolves names again and asks every
 * connected replica Hello each second. NNG's callbacks take no lock of ours but in probe_landed(), which runs on its
 * task threads; so nothing here closes, dials or frees with the lock held.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/rpc/internal.h"
#include "rpc.client.h"

enum { DIALS = 2, PROBE_EVERY_MS = 1000, PROBE_WAIT_MS = 1500, RESOLVE_EVERY_MS = 3000, MISSES = 2 };

bool replica_usable(const struct replica *r)
{
	return atomic_load(&r->pipes) > 0 && !r->ejected && !r->draining && !r->stranger;
}

static void tell(const struct replica *r, enum log_level level, const char *what)
{
	log_line(level, what, LOG_TEXT("service", r->peer->service), LOG_TEXT("address", r->address));
}

void replica_answered(struct replica *r, const Rpc__Reply *reply)
{
	if (r->ejected)
		tell(r, LOG_INFO, "replica answers again");
	r->misses = 0;
	r->ejected = r->stranger = false;
	if (reply->has_replica && reply->replica != r->id) {
		tell(r, LOG_INFO, "replica found");
		r->id = reply->replica;
		r->met = true;
		r->draining = false;
		pthread_cond_broadcast(&r->peer->changed);
	}
}

void replica_silent(struct replica *r)
{
	r->misses++; /* Hello decides: a method may just be slow */
	sem_post(&r->peer->look);
}

/* Leave it out until it answers Hello again; reads under way are given up, so that they can be asked elsewhere. */
static void eject(struct replica *r)
{
	tell(r, LOG_WARN, "replica does not answer; left out");
	r->ejected = true;
	for (struct flight *f = r->busy; f; f = f->next) {
		if (f->reads)
			nng_aio_cancel(f->aio);
	}
}

/* --- Hello ------------------------------------------------------------------------------------------------------------ */

static void probe_landed(struct flight *f)
{
	struct replica *r = f->replica;
	struct peer *peer = r->peer;
	Rpc__HelloReply *hello = NULL;
	Rpc__Reply *reply = NULL;
	struct error err = { 0 };
	bool stranger = false;
	struct arena a;

	arena_init(&a, 4096);
	if (f->reply)
		reply = flight_reply(f, peer->key, &a, &stranger, &err);
	if (reply && !reply->code)
		hello = rpc__hello_reply__unpack(NULL, reply->payload.len, reply->payload.data);

	pthread_mutex_lock(&peer->lock);
	r->probing = false;
	if (hello) {
		replica_answered(r, reply);
		if (hello->draining && !r->draining)
			tell(r, LOG_INFO, "replica is draining");
		r->draining = hello->draining;
	} else if (stranger) {
		if (!r->stranger)
			tell(r, LOG_ERROR, "replica does not share our PARLEY_SECRET; left out");
		r->stranger = true;
	} else if (++r->misses >= MISSES && !r->ejected && atomic_load(&r->pipes) > 0) {
		eject(r);
	}
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
	rpc__hello_reply__free_unpacked(hello, NULL);
	arena_done(&a);
}

static void probe(struct replica *r, int64_t now)
{
	Rpc__Request request = RPC__REQUEST__INIT;
	Rpc__Caller caller = RPC__CALLER__INIT;

	caller.has_kind = request.has_method = request.has_deadline = true;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	request.caller = &caller;
	request.method = rpc_client_methods[RPC_METHOD_HELLO].id;
	request.request_id = (char *)"hello";
	request.deadline = clock_unix_ms() + PROBE_WAIT_MS;
	flight_start(r->probe, &request, r->peer->key, PROBE_WAIT_MS, now + PROBE_WAIT_MS);
}

/* --- Addresses -------------------------------------------------------------------------------------------------------- */

static void pipe_event(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct replica *r = arg;

	(void)pipe;
	/* ADD_PRE and REM_POST come in pairs; ADD_POST does not come for a connection that is lost early. */
	atomic_fetch_add(&r->pipes, event == NNG_PIPE_EV_ADD_PRE ? 1 : -1);
	sem_post(&r->peer->look);
}

static int must(int result, const char *what, struct error *err)
{
	return result ? error_internal(err, "%s: %s", what, nng_strerror(result)) : 0;
}

static int open_socket(struct replica *r, struct error *err)
{
	if (must(nng_req0_open(&r->socket), "nng_req0_open", err) < 0)
		return -1;
	/* Never sent again by NNG: it would execute things twice. Before any context is made. */
	if (must(nng_socket_set_ms(r->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), "resend time",
	         err) < 0 ||
	    must(nng_socket_set_size(r->socket, NNG_OPT_RECVMAXSZ, RPC_MESSAGE_MAX), "receive limit", err) <
	        0 ||
	    must(nng_socket_set_ms(r->socket, NNG_OPT_RECONNMINT, 100), "reconnect time", err) < 0 ||
	    must(nng_socket_set_ms(r->socket, NNG_OPT_RECONNMAXT, 2000), "reconnect time", err) < 0 ||
	    must(nng_pipe_notify(r->socket, NNG_PIPE_EV_ADD_PRE, pipe_event, r), "pipe events", err) < 0 ||
	    must(nng_pipe_notify(r->socket, NNG_PIPE_EV_REM_POST, pipe_event, r), "pipe events", err) < 0)
		return -1;
	r->probe = flight_new(r, probe_landed);
	for (int i = 0; i < DIALS; i++) {
		if (nng_dial(r->socket, r->address, NULL, NNG_FLAG_NONBLOCK))
			return error_set(err, ERROR_INVALID, "\"%s\" is not an address (tcp://host:port)",
			                 r->address);
	}
	return 0;
}

static void replica_free(struct replica *r)
{
	/* NNG threads may still be in a callback of this socket; they are through with it when close returns. */
	nng_close(r->socket);
	flight_free(r->probe);
	for (struct flight *f = r->idle, *next; f; f = next) {
		next = f->next;
		flight_free(f);
	}
	outbox_done(&r->outbox);
	free(r);
}

/* A place in the table; when it is full, that of the address that was gone for longest, which is returned. */
static struct replica *make_room(struct peer *peer, int *place)
{
	struct replica *oldest = NULL;

	*place = peer->count;
	if (peer->count < REPLICAS_MAX) {
		peer->count++;
		return NULL;
	}
	for (int i = 0; i < peer->count; i++) {
		struct replica *r = peer->replicas[i];

		if (atomic_load(&r->pipes) || r->outstanding || r->probing ||
		    (oldest && r->seen >= oldest->seen))
			continue;
		oldest = r;
		*place = i;
	}
	return oldest;
}

static int add_address(struct peer *peer, const char *address, struct error *err)
{
	struct replica *r, *gone;
	int place;

	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count; i++) {
		r = peer->replicas[i];
		if (!strcmp(r->address, address)) {
			r->seen = clock_mono_ms();
			pthread_mutex_unlock(&peer->lock);
			return 0;
		}
	}
	pthread_mutex_unlock(&peer->lock);

	if (!(r = calloc(1, sizeof *r)))
		abort();
	r->peer = peer;
	outbox_init(&r->outbox);
	r->seen = clock_mono_ms();
	snprintf(r->address, sizeof r->address, "%s", address);
	if (open_socket(r, err) < 0) {
		replica_free(r);
		return -1;
	}
	pthread_mutex_lock(&peer->lock);
	gone = make_room(peer, &place);
	if (place < REPLICAS_MAX)
		peer->replicas[place] = r;
	pthread_mutex_unlock(&peer->lock);
	if (place == REPLICAS_MAX) { /* all are in use: more than we serve */
		tell(r, LOG_WARN, "too many replicas; this one is left out");
		replica_free(r);
	}
	if (gone)
		replica_free(gone);
	return 0;
}

/* "tcp://name:port" or "tcp://[v6]:port" in its parts; 0 when it is nothing to resolve. */
static int split(const char *address, char host[ADDRESS_MAX], char port[16])
{
	const char *at = address + strlen("tcp://"), *colon = strrchr(address, ':');
	int bracket = *at == '[';

	if (strncmp(address, "tcp://", 6) || !colon || colon <= at + 2 * bracket || strlen(colon) > 6)
		return 0;
	snprintf(host, ADDRESS_MAX, "%.*s", (int)(colon - at) - 2 * bracket, at + bracket);
	snprintf(port, 16, "%s", colon + 1);
	return 1;
}

static void resolve(struct peer *peer, const char *address)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *all = NULL;
	char host[ADDRESS_MAX], port[16], numeric[NI_MAXHOST], found[ADDRESS_MAX];
	struct error err = { 0 };

	if (!split(address, host, port)) {
		if (add_address(peer, address, &err) < 0)
			log_line(LOG_WARN, err.message, LOG_TEXT("service", peer->service),
			         LOG_TEXT("detail", err.detail));
		return;
	}
	if (getaddrinfo(host, port, &want, &all))
		return; /* not there yet, or DNS is away: what we have goes on */
	for (struct addrinfo *i = all; i; i = i->ai_next) {
		if (getnameinfo(i->ai_addr, i->ai_addrlen, numeric, sizeof numeric, NULL, 0, NI_NUMERICHOST))
			continue;
		snprintf(found, sizeof found,
		         i->ai_family == AF_INET6 ? "tcp://[%.200s]:%s" : "tcp://%.200s:%s", numeric, port);
		if (add_address(peer, found, &err) < 0)
			log_line(LOG_WARN, err.message, LOG_TEXT("service", peer->service),
			         LOG_TEXT("detail", err.detail));
	}
	freeaddrinfo(all);
}

int rpc_check_addresses(const char *service, const char *addresses, struct error *err)
{
	char *copy = strdup(addresses), *rest = copy, *item;
	struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST }, *all;
	char host[ADDRESS_MAX], port[16];
	int names = 0, items = 0;

	while (names >= 0 && (item = strtok_r(rest, ", ", &rest))) {
		items++;
		if (!strncmp(item, "inproc://", 9) || !strncmp(item, "ipc://", 6))
			continue;
		all = NULL;
		if (strlen(item) >= ADDRESS_MAX || !split(item, host, port) || !*port ||
		    strspn(port, "0123456789") != strlen(port))
			names = error_set(err, ERROR_INVALID,
			                  "the address of %s is not of the form tcp://host:port: \"%.100s\"",
			                  service, item);
		else if (getaddrinfo(host, port, &numeric, &all))
			names = 1;
		if (all)
			freeaddrinfo(all);
	}
	if (!items)
		names = error_set(err, ERROR_INVALID, "the address of %s is empty", service);
	free(copy);
	return names;
}

static void resolve_all(struct peer *peer)
{
	char *copy = strdup(peer->addresses), *rest = copy, *item;

	while ((item = strtok_r(rest, ", ", &rest)))
		resolve(peer, item);
	free(copy);
}

/* --- The watcher ------------------------------------------------------------------------------------------------------ */

static void look_round(struct peer *peer)
{
	struct replica *ask[REPLICAS_MAX];
	int64_t now = clock_mono_ms();
	int asking = 0;

	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count; i++) {
		struct replica *r = peer->replicas[i];

		if (atomic_load(&r->pipes) <=
		    0) { /* whoever comes back at this address may be another process */
			if (r->id)
				tell(r, LOG_INFO, "replica is gone");
			r->id = 0;
			r->misses = 0;
			r->ejected = r->draining = r->stranger = false;
		} else if (!r->probing && (!r->id || r->misses || now - r->probed >= PROBE_EVERY_MS)) {
			r->probing = true;
			r->probed = now;
			ask[asking++] = r;
		}
	}
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
	for (int i = 0; i < asking; i++)
		probe(ask[i], now);
}

static void *watch(void *arg)
{
	struct peer *peer = arg;
	struct error ignored = { 0 };
	int64_t resolved = INT64_MIN / 2;
	bool by_name = rpc_check_addresses(peer->service, peer->addresses, &ignored) > 0;

	pthread_setname_np(pthread_self(), peer->service);
	while (!atomic_load(&peer->stopping)) {
		struct timespec until;

		if (by_name && clock_mono_ms() - resolved >= RESOLVE_EVERY_MS) {
			resolve_all(peer);
			resolved = clock_mono_ms();
		}
		look_round(peer);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		sem_timedwait(&peer->look, &until);
		while (sem_trywait(&peer->look) == 0)
			;
	}
	return NULL;
}

int watcher_start(struct peer *peer, struct error *err)
{
	int names = rpc_check_addresses(peer->service, peer->addresses, err);

	if (names < 0)
		return -1;
	if (!names)
		resolve_all(peer);
	peer->watcher = thread_start(watch, peer);
	return 0;
}

void watcher_stop(struct peer *peer)
{
	atomic_store(&peer->stopping, true);
	sem_post(&peer->look);
	pthread_join(peer->watcher, NULL);
	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count;
	     i++) { /* NNG 1.5.2 may hang when it closes while an answer arrives */
		while (peer->replicas[i]->probing)
			pthread_cond_wait(&peer->changed, &peer->lock);
	}
	pthread_mutex_unlock(&peer->lock);
	for (int i = 0; i < peer->count; i++)
		replica_free(peer->replicas[i]);
}
