/*
 * route: one row per public method, made by the build from the contracts (build/gen/routes.c), and the finding of rows.
 *
 * A path works with and without a trailing slash. Per segment a literal beats a parameter among the routes of that
 * method; a path that is known but not for the method is 405 with Allow.
 */
#ifndef PARLEY_ROUTE_H
#define PARLEY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/json/shape.h"
#include "common/rpc/method.h"

enum stream_mode { STREAM_NONE, STREAM_START, STREAM_RESUME };

struct route {
	const char *verb;            /* "GET" */
	const char *path;            /* "/api/documents/{id}": names are JSON names of the request's fields */
	const char *service;         /* "documents" */
	const struct method *method; /* handler is NULL */
	const struct shape *in, *out;
	const char *request_body, *response_body, *upload, *scope, *page, *redirect; /* NULL when not said */
	enum stream_mode stream;
	bool raw, ends_session;
	int status, rate_per_minute, timeout_seconds;
	int64_t body_limit;
};

extern const struct route routes[];
extern const unsigned route_count;

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
	char allow[64]; /* of a 405: "DELETE, GET, HEAD" */
};

struct router;
struct router *router_new(const struct route *list, unsigned count);
void router_free(struct router *r);

/* path: the raw one, without query. 0, or -1 with ERROR_NOT_FOUND, ERROR_METHOD (allow is set) or ERROR_MALFORMED. */
int router_match(const struct router *r, const char *verb, const char *path, struct route_match *ret,
                 struct arena *a, struct error *err) CHECKED;

#endif
