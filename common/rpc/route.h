/*
 * route: how a method is seen from outside: one row per public method, made by the build from the contracts
 * (build/gen/routes.c).
 */
#ifndef PARLEY_ROUTE_H
#define PARLEY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/json/shape.h"
#include "common/rpc/method.h"

/* The words of parley.StreamMode, Framing and ErrorForm (proto/http.proto). */
enum stream_mode { STREAM_NONE, STREAM_START, STREAM_RESUME, STREAM_EITHER };
enum framing { FRAMING_EVENTS, FRAMING_DATA, FRAMING_MESSAGES };
enum error_form { ERRORS_DETAIL, ERRORS_OPENAI, ERRORS_JSONRPC };

struct route {
	const char *verb;            /* "GET" */
	const char *path;            /* "/api/documents/{id}": names are JSON names of the request's fields */
	const char *service;         /* "documents" */
	const struct method *method; /* handler is NULL */
	const struct shape *in, *out;
	const char *request_body, *response_body, *upload, *scope, *page, *redirect; /* NULL when not said */
	const char *set_cookie, *page_status, *file;
	enum stream_mode stream;
	enum framing framing;
	enum error_form errors;
	bool raw, hidden, ends_session;
	int status, rate_per_minute, caller_per_minute, timeout_seconds;
	int64_t body_limit;
};

extern const struct route routes[];
extern const unsigned route_count;

#endif
