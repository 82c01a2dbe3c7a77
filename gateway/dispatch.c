#include "gateway/dispatch.h"

#include <string.h>

#include "common/base/clock.h"
#include "gateway/answer.h"
#include "gateway/file.h"
#include "gateway/guard.h"
#include "gateway/list.h"
#include "gateway/pages.h"
#include "gateway/sse.h"
#include "gateway/transcode.h"
#include "gateway/upload.h"
#include "gateway/webhook.h"

enum { KEY_MAX = 200 };

/* --- The route ------------------------------------------------------------------------------------------------------ */

/* A route (*page is NULL), a page of ours, or the error. */
static int find(const struct gateway *g, struct request *req, const char *verb, const struct page **page,
                struct route_match *ret)
{
	*page = NULL;
	if (router_match(g->router, verb, req->path, ret, req->arena, &req->err) == 0)
		return 0;
	if (req->err.code != ERROR_NOT_FOUND || !(*page = pages_find(req->path)))
		return -1;
	error_clear(&req->err);
	ret->allow = "GET, HEAD";
	if (strcmp(verb, "GET") != 0)
		return error_set(&req->err, ERROR_METHOD, "this page can only be read");
	return 0;
}

/* OPTIONS: what is allowed here, for browsers that ask before they send something from another origin. A listed one may ask
 * anything, also of a path that is not there: then its page gets to see the 404. */
static int preflight(const struct gateway *g, struct request *req)
{
	static const char every[] = "DELETE, GET, HEAD, PATCH, POST, PUT"; /* PATCH: to be told 405 */
	const char *wanted = request_header(req, "Access-Control-Request-Method");
	const char *headers = request_header(req, "Access-Control-Request-Headers");
	const struct page *page;
	struct route_match match, ignored;
	bool any;

	if (wanted && req->origin && cors_listed(g->cors, req->origin)) {
		cors_preflight_headers(g->cors, req->origin, false, every, headers, &req->headers);
		answer_send(req, &(struct answer){ .status = 204 });
		return 0;
	}
	if (find(g, req, "OPTIONS", &page, &match) == 0 || req->err.code != ERROR_METHOD)
		return -1;
	error_clear(&req->err);
	any = wanted && find(g, req, !strcmp(wanted, "HEAD") ? "GET" : wanted, &page, &ignored) == 0 &&
	      !page && ignored.route->method->access == ACCESS_VISITOR;
	error_clear(&req->err);
	answer_header(req, "Allow", "%s", match.allow);
	if (wanted)
		cors_preflight_headers(g->cors, req->origin, any, match.allow, headers, &req->headers);
	answer_send(req, &(struct answer){ .status = 204 });
	return 0;
}

/* --- One request through a route ------------------------------------------------------------------------------------ */

static int limited(const struct gateway *g, struct request *req, const struct route *route)
{
	int wait = 0;

	if (route->rate_per_minute)
		wait = rates_take(g->rates, req->ip, (unsigned)(route - routes), route->rate_per_minute,
		                  clock_mono_ms());
	return wait ? error_too_many(&req->err, wait, "too many requests; try again in %d seconds", wait) : 0;
}

static int idempotency_key(struct request *req, const char **ret)
{
	const char *key = request_header(req, "Idempotency-Key");
	size_t length = key ? strlen(key) : 0;

	*ret = key;
	if (!key || strcmp(req->verb, "POST") != 0) {
		*ret = NULL;
		return 0;
	}
	for (size_t i = 0; i < length; i++)
		if (key[i] < ' ' || key[i] > '~')
			length = 0;
	return length && length <= KEY_MAX
	           ? 0
	           : error_field(&req->err, req->arena, "header", "Idempotency-Key", "value_error",
	                         "must be 1 to %d printable ASCII characters", KEY_MAX);
}

/* With a place among the calls or the streams: so one client's that take long are never all there are. */
static int enter(struct exchange *x, bool streams)
{
	struct gateway *g = x->gateway;

	x->gate = streams ? g->streams : g->calls;
	if (!gate_enter(x->gate, x->req->user, x->req->ip, &x->place)) {
		x->gate = NULL;
		return error_busy(&x->req->err, streams ? 5 : 1, "too many %s at once",
		                  streams ? "streams are open" : "requests are under way");
	}
	metric_add(g->open_streams, streams);
	return 0;
}

static void leave(struct exchange *x)
{
	if (!x->gate)
		return;
	metric_add(x->gateway->open_streams, -(x->gate == x->gateway->streams));
	gate_leave(x->gate, &x->place);
	x->gate = NULL;
}

/* What a call has started is a stream from now on. */
static int follow(struct exchange *x, const Rpc__Started *started)
{
	if (x->gate != x->gateway->streams) {
		leave(x);
		if (enter(x, true) < 0)
			return -1;
	}
	return sse_follow(x, started);
}

/* A call with JSON on both ends; a stream or a file begins with such a call too. */
static int call(struct exchange *x)
{
	ProtobufCMessage *in, *out;
	const Rpc__Started *started;
	const Rpc__FilePiece *file;

	if (transcode_request(x, &in) < 0 || rpc_call(x->peer, &x->rpc, x->route->method, in, &out) < 0)
		return -1;
	if (x->route->ends_session)
		identity_end_session(x->gateway->identity, x->rpc.caller);
	started = transcode_started(x->route, out);
	if (started)
		return follow(x, started);
	file = file_of(x->route, out);
	return file ? file_serve(x, in, file) : transcode_answer(x, out);
}

static int serve(struct exchange *x)
{
	if (x->route->raw)
		return webhook_pass(x);
	if (x->route->upload)
		return upload_receive(x);
	return list_is(x->route) ? list_serve(x) : call(x);
}

static int serve_bounded(struct exchange *x)
{
	int rc;

	if (enter(x, x->route->stream == STREAM_START || x->route->stream == STREAM_RESUME) < 0)
		return -1;
	rc = serve(x);
	leave(x);
	return rc;
}

/* Of a route for programs: its address, as tokens for it have it, and where the 401 sends those without (RFC 9728). */
static const char *program_address(const struct gateway *g, struct request *req)
{
	size_t length = strlen(req->path);

	while (length > 1 && req->path[length - 1] == '/')
		length--;
	if (strspn(req->path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~") < length)
		return ""; /* nothing has such an address */
	req->challenge =
	    arena_printf(req->arena, "%s, resource_metadata=\"%s/.well-known/oauth-protected-resource%.*s\"",
	                 request_header(req, "Authorization") ? ", error=\"invalid_token\"" : "",
	                 g->settings.public_url, (int)length, req->path);
	return arena_printf(req->arena, "%s%.*s", g->settings.public_url, (int)length, req->path);
}

/* A route for programs is none for pages of strangers, which a name that leads here would let speak to it. */
static int known_origin(const struct gateway *g, struct request *req)
{
	const char *origin = request_header(req, "Origin"), *own = g->settings.public_url;
	size_t length = strcspn(strstr(own, "://") + 3, "/") + (size_t)(strstr(own, "://") + 3 - own);

	if (!origin || (req->origin && cors_listed(g->cors, req->origin)) ||
	    (strlen(origin) == length && !strncmp(origin, own, length)))
		return 0;
	return error_set(&req->err, ERROR_FORBIDDEN, "pages of this origin may not speak to it");
}

/* However many addresses a key is used from. */
static int caller_limited(const struct gateway *g, struct request *req, const struct route *route,
                          const Rpc__Caller *caller)
{
	const char *who = caller->api_key_id   ? caller->api_key_id
	                  : caller->session_id ? caller->session_id
	                                       : caller->owner_id;
	int wait = 0;

	if (route->caller_per_minute && who)
		wait = rates_take_named(g->rates, who, (unsigned)(route - routes), route->caller_per_minute,
		                        clock_mono_ms());
	return wait ? error_too_many(&req->err, wait, "too many requests; try again in %d seconds", wait) : 0;
}

/* As far as one can see: it has closed its side, as clients do whose patience ends. */
static bool client_gone(void *arg)
{
	struct request *req = arg;

	return guard_hung_up(req->slot);
}

static int exchange(struct gateway *g, struct request *req, const struct route_match *match)
{
	const struct route *route = match->route;
	struct exchange x = { .gateway = g, .req = req, .match = match, .route = route };
	Rpc__Caller *caller;

	req->method = route->method->name;
	req->errors = route->errors;
	x.peer = gateway_peer(g, route->service);
	x.rpc = (struct rpc_context){ .arena = req->arena,
		                      .err = &req->err,
		                      .request_id = req->id,
		                      .traceparent = req->traceparent,
		                      .deadline = clock_unix_ms() + route->timeout_seconds * INT64_C(1000),
		                      .extra = &x.extra,
		                      .gone = client_gone,
		                      .gone_arg = req };
	if (route->method->access == ACCESS_PROGRAM)
		x.address = program_address(g, req);
	if ((x.address && known_origin(g, req) < 0) || limited(g, req, route) < 0 ||
	    identity_caller(g->identity, req, route->method->access, route->scope, x.address, &caller) < 0 ||
	    caller_limited(g, req, route, caller) < 0 || idempotency_key(req, &x.rpc.idempotency_key) < 0)
		return -1;
	x.rpc.caller = caller;
	if (serve_bounded(&x) == 0)
		return 0;
	if (!x.extra)
		return -1;
	answer_error(req, x.extra);
	return 0;
}

int dispatch(void *arg, struct request *req)
{
	struct gateway *g = arg;
	const struct page *page;
	struct route_match match;
	int rc;

	if (!strcmp(req->verb, "OPTIONS"))
		return preflight(g, req);
	rc = find(g, req, req->verb, &page, &match);
	if (rc < 0 || !page || !page->everywhere)
		cors_headers(g->cors, req->origin,
		             rc == 0 && !page && match.route->method->access == ACCESS_VISITOR,
		             &req->headers);
	if (rc < 0 && req->err.code == ERROR_METHOD)
		answer_header(req, "Allow", "%s", match.allow);
	if (rc < 0)
		return -1;
	return page ? page->answer(g, req) : exchange(g, req, &match);
}
