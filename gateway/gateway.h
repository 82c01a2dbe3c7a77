/*
 * gateway: what every request may need, made once in main.c and only read afterwards.
 *
 * The way of a request: server.c (civetweb) -> dispatch.c (which route, may this client, who is calling) -> one of
 *   transcode.c   JSON in, a call, JSON out: nearly every route
 *   list.c        a plain array, gathered page by page
 *   upload.c      multipart/form-data, passed on in pieces
 *   sse.c         a stream of events
 *   file.c        a file, piece by piece
 *   webhook.c     bytes passed on as they are
 *   pages.c       what the gateway itself answers: health, documentation
 * No file here knows a single endpoint: the contracts (proto/) say all there is to say about one.
 */
#ifndef PARLEY_GATEWAY_H
#define PARLEY_GATEWAY_H

#include "common/base/metrics.h"
#include "common/rpc/rpc.h"
#include "common/service/admin.h"
#include "gateway/cors.h"
#include "gateway/gate.h"
#include "gateway/identity.h"
#include "gateway/limits.h"
#include "gateway/proxies.h"
#include "gateway/router.h"
#include "gateway/server.h"
#include "gateway/settings.h"

struct gateway {
	struct gateway_settings settings;
	struct peer *peers[SERVICES]; /* in the order of services[] */
	struct proxies proxies;
	struct cors *cors;
	struct rates *rates;
	struct router *router;
	struct identity *identity;
	struct server *server;
	struct admin *admin;
	struct gate *calls, *streams;  /* each exchange is in one of them, */
	struct gate *bodies, *uploads; /* and what it receives takes a place beside that */
	struct metrics *metrics;
	struct metric *open_streams;
};

/* Connects, and begins to serve. settings_load() has filled g->settings; the rest is zero. */
int gateway_open(struct gateway *g, struct arena *a, struct error *err) CHECKED;
void gateway_close(struct gateway *g); /* lets finish what is under way; of a gateway that was opened */

struct peer *gateway_peer(const struct gateway *g, const char *service);

/* A request on its way through a route. */
struct exchange {
	struct gateway *gateway;
	struct request *req;
	const struct route_match *match;
	const struct route *route; /* match->route */
	struct peer *peer;         /* of the route's service */
	const char *address;       /* of a route for programs (gateway/identity.h); else NULL */
	char *extra;               /* JSON members that a service gave along with an error */
	struct rpc_context rpc;    /* for calls: caller, ids, deadline */
	struct gate *gate;         /* that it has a place in; NULL: none */
	struct gate_place place;
};

#endif
