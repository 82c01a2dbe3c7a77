#include "gateway/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/thread.h"
#include "common/secret/secret.h"
#include "gateway/dispatch.h"
#include "gateway/pages.h"

enum {
	BODIES = 256, /* requests with a large body in memory */
	UPLOADS = 32,
	DRAIN_MS = 10000, /* for what is under way; a silent stream takes up to 5 s to notice */
};

struct peer *gateway_peer(const struct gateway *g, const char *service)
{
	for (int i = 0; i < SERVICES; i++)
		if (!strcmp(services[i].name, service))
			return g->peers[i];
	abort(); /* routes and services are made of the same contracts */
}

static int ready(void *arg, char *why, size_t size)
{
	return pages_ready(arg, why, size);
}

static int open_peers(struct gateway *g, struct error *err)
{
	unsigned char key[KEY_SIZE];
	struct secret secret;
	int rc = 0;

	if (secret_load(&secret, g->settings.secret, 0, err) < 0)
		return -1;
	secret_derive(&secret, RPC_KEY_PURPOSE, key);
	secret_forget(&secret);
	for (int i = 0; i < SERVICES && rc == 0; i++)
		rc = peer_open(&(struct peer_config){ .service = services[i].name,
		                                      .addresses = g->settings.addresses[i],
		                                      .key = key,
		                                      .metrics = g->metrics },
		               &g->peers[i], err);
	explicit_bzero(key, sizeof key);
	return rc;
}

/* A bad list is told with the name of its setting. */
static int parse_lists(struct gateway *g, struct arena *a, struct error *err)
{
	struct error bad = { 0 };

	if (proxies_parse(&g->proxies, g->settings.trusted_proxies, &bad) < 0)
		return error_set(err, ERROR_INVALID, "PARLEY_TRUSTED_PROXIES: %.250s", bad.message);
	if (cors_parse(g->settings.cors_origins, a, &g->cors, &bad) < 0)
		return error_set(err, ERROR_INVALID, "CORS_ORIGINS: %.250s", bad.message);
	return 0;
}

static int start_server(struct gateway *g, struct error *err)
{
	const struct server_config config = { .listen = g->settings.listen,
		                              .host = g->settings.host,
		                              .threads = (int)g->settings.threads,
		                              .proxies = &g->proxies,
		                              .metrics = g->metrics,
		                              .handle = dispatch,
		                              .arg = g };

	return server_start(&config, &g->server, err);
}

int gateway_open(struct gateway *g, struct arena *a, struct error *err)
{
	if (parse_lists(g, a, err) < 0)
		return -1;
	g->metrics = metrics_new("parley");
	g->open_streams = metrics_get(g->metrics, METRIC_GAUGE, "http_streams", NULL, "Open event streams");
	g->calls = gate_new((int)g->settings.threads * 3 / 4);
	g->streams = gate_new((int)g->settings.streams);
	g->bodies = gate_new(BODIES);
	g->uploads = gate_new(UPLOADS);
	g->rates = rates_new();
	g->router = router_new(routes, route_count);
	if (open_peers(g, err) < 0 ||
	    identity_start(gateway_peer(g, "auth"), g->rates, &g->identity, err) < 0 ||
	    start_server(g, err) < 0)
		return -1;
	return admin_start(g->settings.admin, g->metrics, ready, g, &g->admin, err);
}

static void *stop_admin(void *admin)
{
	admin_stop(admin);
	return NULL;
}

void gateway_close(struct gateway *g)
{
	pthread_t admin;

	server_drain(g->server, DRAIN_MS);
	/* Each of these takes up to two seconds to notice: side by side. */
	identity_leave(g->identity);
	admin = thread_start(stop_admin, g->admin);
	server_stop(g->server);
	pthread_join(admin, NULL); /* it has asked the others whether all is ready, until now */
	server_free(g->server);
	identity_stop(g->identity);
	for (int i = 0; i < SERVICES; i++)
		peer_close(g->peers[i]);
	router_free(g->router);
	rates_free(g->rates);
	gate_free(g->calls);
	gate_free(g->streams);
	gate_free(g->bodies);
	gate_free(g->uploads);
	metrics_free(g->metrics);
}
