#include "gateway/gate.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/client.h"
#include "common/base/hash.h"

enum {
	USERS_PART = 1, /* of the free places, that one user may hold */
	CLIENTS_PART = 31,
	RESERVED = 8 /* one in so many places is kept for those that hold none */
};

/* One that holds places. There are two at most for each place: its user and their client. */
struct holder {
	uint64_t who;
	int places;
	struct holder *next;
};

struct gate {
	pthread_mutex_t lock;
	int room, inside;
	unsigned heads_count; /* a power of two */
	struct holder **heads, *spare, *all;
};

struct gate *gate_new(int room)
{
	struct gate *g = calloc(1, sizeof *g);
	unsigned holders = (unsigned)room * 2;

	if (!g || !(g->all = calloc(holders, sizeof *g->all)))
		abort();
	for (g->heads_count = 1; g->heads_count < holders;)
		g->heads_count *= 2;
	if (!(g->heads = calloc(g->heads_count, sizeof *g->heads)))
		abort();
	for (unsigned i = 0; i < holders; i++) {
		g->all[i].next = g->spare;
		g->spare = &g->all[i];
	}
	pthread_mutex_init(&g->lock, NULL);
	g->room = room;
	return g;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g->heads);
	free(g->all);
	free(g);
}

/* Where the holder is, or would be. */
static struct holder **find(const struct gate *g, uint64_t who)
{
	struct holder **at = &g->heads[(who * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (g->heads_count - 1)];

	while (*at && (*at)->who != who)
		at = &(*at)->next;
	return at;
}

static bool may_hold_more(const struct gate *g, uint64_t who, int part)
{
	const struct holder *h = *find(g, who);

	return !h || h->places < part * (g->room - g->inside - g->room / RESERVED);
}

static void take(struct gate *g, uint64_t who)
{
	struct holder **at = find(g, who), *h = *at;

	if (!h) {
		h = *at = g->spare;
		g->spare = h->next;
		*h = (struct holder){ .who = who };
	}
	h->places++;
}

static void give(struct gate *g, uint64_t who)
{
	struct holder **at = find(g, who), *h = *at;

	assert(h); /* they came in */
	if (--h->places > 0)
		return;
	*at = h->next;
	h->next = g->spare;
	g->spare = h;
}

/* A user's number cannot be a client's: those that are addresses have bits of their own there. */
static uint64_t user_number(const char *user)
{
	return UINT64_C(0xfffe) << 48 | fnv1a(user);
}

bool gate_enter(struct gate *g, const char *user, const char *ip, struct gate_place *ret)
{
	struct gate_place p = { .user = user ? user_number(user) : 0, .client = client_number(ip) };
	bool allowed;

	pthread_mutex_lock(&g->lock);
	allowed = g->inside < g->room && may_hold_more(g, p.client, user ? CLIENTS_PART : USERS_PART) &&
	          (!user || may_hold_more(g, p.user, USERS_PART));
	if (allowed) {
		g->inside++;
		take(g, p.client);
		if (user)
			take(g, p.user);
	}
	pthread_mutex_unlock(&g->lock);
	*ret = allowed ? p : (struct gate_place){ 0 };
	return allowed;
}

void gate_leave(struct gate *g, struct gate_place *place)
{
	if (!place->client)
		return;
	pthread_mutex_lock(&g->lock);
	g->inside--;
	give(g, place->client);
	if (place->user)
		give(g, place->user);
	pthread_mutex_unlock(&g->lock);
	*place = (struct gate_place){ 0 };
}
