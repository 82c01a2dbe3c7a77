#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/rpc/internal.h"

enum { RESOLVE_EVERY_MS = 3 * 1000 };

/* "tcp://name:port" or "tcp://[v6]:port" in its parts; 0 when it is neither. */
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

static char *copy(const char *text)
{
	char *mine = strdup(text);

	if (!mine)
		abort();
	return mine;
}

struct config_key rpc_address_key(const struct service_place *place, size_t offset, struct arena *a)
{
	return (struct config_key){
		.name = config_prefixed(a, place->name, "ADDRESS"),
		.fallback = arena_printf(a, "tcp://127.0.0.1:%d", place->port),
		.about =
		    "where that service is: a list, or a DNS name of all its replicas; abstract://name: on this machine",
		.offset = offset,
		.kind = CONFIG_KIND_TEXT,
	};
}

int rpc_check_addresses(const char *service, const char *addresses, struct error *err)
{
	char *mine = copy(addresses), *rest = mine, *item;
	struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST }, *all;
	char host[ADDRESS_MAX], port[16];
	int names = 0, items = 0;

	while (names >= 0 && (item = strtok_r(rest, ", ", &rest))) {
		items++;
		all = NULL;
		if (config_is_local(item))
			continue;
		if (strlen(item) >= ADDRESS_MAX || !split(item, host, port) || !*port ||
		    strspn(port, "0123456789") != strlen(port))
			names = error_set(
			    err, ERROR_INVALID,
			    "the address of %s is not of the form tcp://host:port or abstract://name: \"%.100s\"",
			    service, item);
		else if (getaddrinfo(host, port, &numeric, &all))
			names = 1;
		if (all)
			freeaddrinfo(all);
	}
	if (!items)
		names = error_set(err, ERROR_INVALID, "the address of %s is empty", service);
	free(mine);
	return names;
}

/* --- The table -------------------------------------------------------------------------------------------------------- */

static bool known(struct peer *peer, const char *address)
{
	bool found = false;

	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count && !found; i++) {
		found = strcmp(peer->replicas[i]->address, address) == 0;
		if (found)
			peer->replicas[i]->seen = clock_mono_ms();
	}
	pthread_mutex_unlock(&peer->lock);
	return found;
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

	if (known(peer, address))
		return 0;
	r = replica_new(peer, address, err);
	if (!r)
		return -1;
	pthread_mutex_lock(&peer->lock);
	gone = make_room(peer, &place);
	if (place < REPLICAS_MAX)
		peer->replicas[place] = r;
	pthread_mutex_unlock(&peer->lock);
	if (place == REPLICAS_MAX) { /* all are in use: more than we serve */
		replica_tell(r, LOG_WARN, "too many replicas; this one is left out");
		replica_free(r);
	}
	if (gone)
		replica_free(gone);
	return 0;
}

/* --- Names ------------------------------------------------------------------------------------------------------------ */

static int resolve(struct peer *peer, const char *address, struct error *err)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *all = NULL;
	char host[ADDRESS_MAX], port[16], numeric[NI_MAXHOST], found[ADDRESS_MAX];
	int rc = 0;

	if (config_is_local(address))
		return add_address(peer, address, err);
	if (!split(address, host, port) || getaddrinfo(host, port, &want, &all))
		return 0; /* not there yet, or DNS is away: what we have goes on */
	for (struct addrinfo *i = all; i && rc == 0; i = i->ai_next) {
		if (getnameinfo(i->ai_addr, i->ai_addrlen, numeric, sizeof numeric, NULL, 0, NI_NUMERICHOST))
			continue;
		snprintf(found, sizeof found,
		         i->ai_family == AF_INET6 ? "tcp://[%.200s]:%s" : "tcp://%.200s:%s", numeric, port);
		rc = add_address(peer, found, err);
	}
	freeaddrinfo(all);
	return rc;
}

static int resolve_all(struct peer *peer, struct error *err)
{
	char *mine = copy(peer->addresses), *rest = mine, *item;
	int rc = 0;

	while (rc == 0 && (item = strtok_r(rest, ", ", &rest)))
		rc = resolve(peer, item, err);
	free(mine);
	return rc;
}

/* A thread of its own: a resolver that hangs must not keep the watcher from seeing who is dead. */
void *resolver(void *arg)
{
	struct peer *peer = arg;

	pthread_setname_np(pthread_self(), "resolver");
	while (!atomic_load(&peer->stopping)) {
		struct error err = { 0 };

		if (resolve_all(peer, &err) < 0)
			log_line(LOG_WARN, err.message, LOG_TEXT("service", peer->service),
			         LOG_TEXT("detail", err.detail));
		(void)sem_wait_until(&peer->resolve_wake, clock_mono_ms() + RESOLVE_EVERY_MS);
	}
	return NULL;
}

int addresses_open(struct peer *peer, struct error *err)
{
	int names = rpc_check_addresses(peer->service, peer->addresses, err);

	if (names < 0)
		return -1;
	peer->by_name = names > 0;
	return peer->by_name ? 0 : resolve_all(peer, err);
}
