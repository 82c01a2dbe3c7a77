#include "gateway/guard.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/client.h"
#include "common/base/clock.h"
#include "common/base/thread.h"
#include "gateway/proxies.h"

enum { SWEEP_MS = 100, VICTIMS = 64, GREEDY_PART = 8 /* of the threads */ };
enum waits { WAITS_FOR_US, WAITS_FOR_HEADER, WAITS_FOR_BODY, WAITS_FOR_READER };

struct guard_slot {
	const struct mg_connection *conn; /* NULL: free. Under the guard's lock */
	struct guard *guard;
	struct guard_slot *next_free;
	atomic_ullong client;
	int fd; /* once it was looked for; else -1. The serving thread's */
	atomic_int waits;
	atomic_llong until; /* monotonic ms */
	atomic_bool expired;
};

struct guard {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool stop;
	int threads, descriptors;
	const struct proxies *proxies;
	atomic_int count;
	struct guard_slot *free;
	struct waiting *waiting; /* room for all, for the thread */
	struct guard_slot slots[];
};

/* What tells a connection from all others. */
struct endpoint {
	char address[48]; /* the client's */
	int port, own_port;
};

/* A connection to be ended. */
struct victim {
	struct endpoint at;
	int how; /* SHUT_RD leaves us the possibility to answer */
};

/* A connection that waits for its client. */
struct waiting {
	uint64_t client;
	int64_t until;
	struct guard_slot *slot;
};

static bool endpoint_of(int fd, struct endpoint *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer = { 0 }, own = { 0 };
	socklen_t peer_size = sizeof peer, own_size = sizeof own;
	const void *bytes = &peer.v4.sin_addr;

	if (getpeername(fd, &peer.any, &peer_size) < 0 || getsockname(fd, &own.any, &own_size) < 0)
		return false;
	if (peer.any.sa_family == AF_INET6)
		bytes = &peer.v6.sin6_addr;
	else if (peer.any.sa_family != AF_INET)
		return false;
	ret->port = ntohs(peer.v4.sin_port); /* at the same place in both families */
	ret->own_port = ntohs(own.v4.sin_port);
	return inet_ntop(peer.any.sa_family, bytes, ret->address, sizeof ret->address) != NULL;
}

static const struct victim *find(const struct victim *list, int count, int fd)
{
	struct endpoint at;

	if (!endpoint_of(fd, &at))
		return NULL;
	for (int i = 0; i < count; i++)
		if (list[i].at.port == at.port && list[i].at.own_port == at.own_port &&
		    !strcmp(list[i].at.address, at.address))
			return &list[i];
	return NULL;
}

static void end(const struct victim *list, int count, int descriptors)
{
	for (int fd = 0; fd < descriptors; fd++) {
		int copy = find(list, count, fd) ? dup(fd) : -1;
		const struct victim *v = copy < 0 ? NULL : find(list, count, copy);

		if (v)
			shutdown(copy, v->how);
		if (copy >= 0)
			close(copy);
	}
}

/* Marks the connection, and notes how to find it. With the lock held, like the next three. */
static bool condemn(struct guard_slot *s, struct victim *ret)
{
	const struct mg_request_info *info =
	    mg_get_request_info(s->conn); /* the client's address is there from the start */

	if (!info)
		return false;
	atomic_store(&s->expired, true);
	ret->how = atomic_load(&s->waits) == WAITS_FOR_READER ? SHUT_RDWR : SHUT_RD;
	ret->at.port = info->remote_port;
	ret->at.own_port = info->server_port;
	memcpy(ret->at.address, info->remote_addr, sizeof info->remote_addr);
	return true;
}

static bool waits_for_client(const struct guard_slot *s)
{
	return s->conn && atomic_load(&s->waits) != WAITS_FOR_US && !atomic_load(&s->expired);
}

/* Half of the threads are taken. */
static bool is_crowded(const struct guard *g)
{
	return atomic_load(&g->count) * 2 >= g->threads;
}

/* The connections whose time is up. */
static int collect_late(struct guard *g, struct victim *list)
{
	int64_t now = clock_mono_ms();
	int64_t header_now = is_crowded(g) ? now + GUARD_HEADER_MS - GUARD_HEADER_CROWDED_MS : now;
	int count = 0;

	for (int i = 0; i < g->threads && count < VICTIMS; i++) {
		struct guard_slot *s = &g->slots[i];
		bool header = atomic_load(&s->waits) == WAITS_FOR_HEADER;

		if (waits_for_client(s) && atomic_load(&s->until) <= (header ? header_now : now))
			count += condemn(s, &list[count]);
	}
	return count;
}

/* By client; of one, the slowest first: whose time ends first, since each byte that comes moves that end. */
static int compare(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return x->until < y->until ? -1 : x->until > y->until;
}

/* 0: a proxy, whose client is not known yet. */
static uint64_t client_of(struct guard *g, struct guard_slot *s)
{
	const struct mg_request_info *info = mg_get_request_info(s->conn);

	if (!atomic_load(&s->client) && info && !proxies_trust(g->proxies, info->remote_addr))
		guard_client(s, client_number(info->remote_addr));
	return atomic_load(&s->client);
}

/* Of the client that keeps most threads waiting, what is more than its part. */
static int collect_greedy(struct guard *g, struct victim *list)
{
	int all = 0, from = 0, most = 0, count = 0;

	for (int i = 0; i < g->threads; i++) {
		struct guard_slot *s = &g->slots[i];

		if (waits_for_client(s) && client_of(g, s))
			g->waiting[all++] = (struct waiting){ client_of(g, s), atomic_load(&s->until), s };
	}
	qsort(g->waiting, (size_t)all, sizeof *g->waiting, compare);
	for (int i = 0, n; i < all; i += n) {
		for (n = 1; i + n < all && g->waiting[i + n].client == g->waiting[i].client;)
			n++;
		if (n > most) {
			most = n;
			from = i;
		}
	}
	for (int i = 0; i < most - g->threads / GREEDY_PART && count < VICTIMS; i++)
		count += condemn(g->waiting[from + i].slot, &list[count]);
	return count;
}

static int collect(struct guard *g, struct victim list[VICTIMS])
{
	int count = collect_late(g, list);

	return count || !is_crowded(g) ? count : collect_greedy(g, list);
}

static void *watch(void *arg)
{
	struct guard *g = arg;
	struct victim list[VICTIMS];
	int count = 0;

	pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		count = collect(g, list);
		if (count) {
			pthread_mutex_unlock(&g->lock);
			end(list, count, g->descriptors);
			pthread_mutex_lock(&g->lock);
			continue;
		}
		cond_wait_until(&g->wake, &g->lock, clock_mono_ms() + SWEEP_MS);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

struct guard *guard_new(int threads, int descriptors, const struct proxies *proxies)
{
	struct guard *g = calloc(1, sizeof *g + sizeof g->slots[0] * (size_t)threads);

	if (!g || !(g->waiting = calloc((size_t)threads, sizeof *g->waiting)))
		abort();
	g->threads = threads;
	g->descriptors = descriptors;
	g->proxies = proxies;
	for (int i = threads - 1; i >= 0; i--) {
		g->slots[i].guard = g;
		g->slots[i].next_free = g->free;
		g->free = &g->slots[i];
	}
	pthread_mutex_init(&g->lock, NULL);
	cond_init_monotonic(&g->wake);
	g->thread = thread_start(watch, g);
	return g;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stop = true;
	pthread_cond_signal(&g->wake);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->thread, NULL);
	pthread_cond_destroy(&g->wake);
	pthread_mutex_destroy(&g->lock);
	free(g->waiting);
	free(g);
}

static void set(struct guard_slot *slot, enum waits waits, int64_t until)
{
	if (!slot)
		return;
	atomic_store(&slot->waits,
	             WAITS_FOR_US); /* so that nobody pairs the new deadline with the old state */
	atomic_store(&slot->until, until);
	atomic_store(&slot->waits, waits);
}

struct guard_slot *guard_open(struct guard *g, const struct mg_connection *conn)
{
	struct guard_slot *s;

	pthread_mutex_lock(&g->lock);
	s = g->free;
	if (s) {
		g->free = s->next_free;
		atomic_store(&s->expired, false);
		guard_client(s, 0);
		set(s, WAITS_FOR_HEADER, clock_mono_ms() + GUARD_HEADER_MS);
		s->fd = -1;
		s->conn = conn;
		atomic_fetch_add(&g->count, 1);
	}
	pthread_mutex_unlock(&g->lock);
	return s;
}

void guard_client(struct guard_slot *slot, uint64_t client)
{
	if (slot)
		atomic_store(&slot->client, client);
}

void guard_close(struct guard *g, struct guard_slot *slot)
{
	if (!slot)
		return;
	pthread_mutex_lock(&g->lock);
	slot->conn = NULL;
	slot->next_free = g->free;
	g->free = slot;
	atomic_fetch_sub(&g->count, 1);
	pthread_mutex_unlock(&g->lock);
}

void guard_busy(struct guard_slot *slot)
{
	set(slot, WAITS_FOR_US, 0);
}

void guard_body(struct guard_slot *slot, int64_t until_ms)
{
	set(slot, WAITS_FOR_BODY, until_ms);
}

void guard_answer(struct guard_slot *slot, int64_t until_ms)
{
	set(slot, WAITS_FOR_READER, until_ms);
}

bool guard_answering(const struct guard_slot *slot)
{
	return slot && atomic_load(&slot->waits) == WAITS_FOR_READER;
}

bool guard_expired(const struct guard_slot *slot)
{
	return slot && atomic_load(&slot->expired);
}

static int socket_of(const struct guard_slot *slot)
{
	const struct mg_request_info *info = mg_get_request_info(slot->conn);
	struct victim one = { .at = { .port = info->remote_port, .own_port = info->server_port } };

	memcpy(one.at.address, info->remote_addr, sizeof info->remote_addr);
	for (int fd = 0; fd < slot->guard->descriptors; fd++)
		if (find(&one, 1, fd))
			return fd;
	return -1;
}

/* Looked for once: nobody else closes it while we are here. */
static int socket_of_slot(struct guard_slot *slot)
{
	if (slot->fd < 0)
		slot->fd = socket_of(slot);
	return slot->fd;
}

bool guard_unread(struct guard_slot *slot)
{
	int bytes = 0, fd = slot ? socket_of_slot(slot) : -1;

	return fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

bool guard_hung_up(struct guard_slot *slot)
{
	struct pollfd at = { .events = POLLRDHUP };

	if (!slot)
		return false;
	at.fd = socket_of_slot(slot);
	return at.fd < 0 ||
	       poll(&at, 1, 0) == 1; /* one that was reset has no peer any more by which to find it */
}

bool guard_full(const struct guard *g)
{
	return atomic_load(&g->count) * 5 >= g->threads * 4;
}
