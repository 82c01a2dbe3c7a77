/*
 * router: the finding of a route.
 *
 * A path works with and without a trailing slash. Per segment a literal beats a parameter among the routes of that
 * method; a path that is known but not for the method is 405 with Allow.
 */
#ifndef PARLEY_ROUTER_H
#define PARLEY_ROUTER_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/rpc/route.h"

/* A parameter of the path, percent-decoded, in the arena. */
struct route_param {
	const char *name;
	const char *value;
};
enum { ROUTE_PARAMS = 6 };
struct route_match {
	const struct route *route;
	struct route_param params[ROUTE_PARAMS];
	int param_count;
	const char *allow; /* of a 405: "DELETE, GET, HEAD". The router's */
};

struct router;
struct router *router_new(const struct route *list, unsigned count);
void router_free(struct router *r);

/* path: the raw one, without query. 0, or -1 with ERROR_NOT_FOUND, ERROR_METHOD (allow is set) or ERROR_MALFORMED. */
int router_match(const struct router *r, const char *verb, const char *path, struct route_match *ret,
                 struct arena *a, struct error *err) CHECKED;

#endif
