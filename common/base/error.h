/*
 * error: what went wrong, told twice: a sentence for the person calling, a detail for the log.
 *
 * A function that can fail takes a struct error, returns -1 and has it filled. error_set() and its kin
 * return -1, so that refusing is one line. The meaning becomes an HTTP status in the gateway alone.
 * An error lives on the stack or in a call; field errors live in the arena they were made with.
 */
#ifndef PARLEY_ERROR_H
#define PARLEY_ERROR_H

#include <stddef.h>

#include "common/base/arena.h"

#define CHECKED __attribute__((warn_unused_result))

/* The numbers travel on the wire (rpc.proto: Reply.code); never reuse one. */
enum error_code {
	ERROR_NONE = 0,
	ERROR_MALFORMED = 1,        /* 400: the bytes are not what they claim to be */
	ERROR_UNAUTHENTICATED = 2,  /* 401 */
	ERROR_FORBIDDEN = 3,        /* 403 */
	ERROR_NOT_FOUND = 4,        /* 404: missing, or somebody else's */
	ERROR_CONFLICT = 5,         /* 409 */
	ERROR_TOO_LARGE = 6,        /* 413 */
	ERROR_UNSUPPORTED_TYPE = 7, /* 415 */
	ERROR_INVALID = 8,          /* 422: understood and refused; fields say which */
	ERROR_TOO_MANY = 9,         /* 429, with retry_after */
	ERROR_INTERNAL = 10,        /* 500 */
	ERROR_UPSTREAM = 11,        /* 502: a model, an MCP server, Slack, a web page */
	ERROR_UNAVAILABLE = 12,     /* 503: certainly not done; with retry_after */
	ERROR_UNKNOWN_OUTCOME = 13, /* 504: sent, and no answer came */
	ERROR_METHOD = 14,          /* 405: the gateway's own */
	ERROR_CODES
};

/* One bad field of a request: {"loc": [where, field], "msg": msg, "type": type}. */
struct field_error {
	const char *where; /* "body", "path", "query" or "header" */
	const char *field; /* JSON name; a nested one is "settings.temperature" */
	const char *msg;
	const char *type; /* "missing", "type_error", "value_error", ... */
	struct field_error *next;
};

struct error {
	enum error_code code;
	int retry_after;            /* seconds; 0 where it makes no sense */
	char message[320];          /* one sentence for the caller */
	char detail[640];           /* for the log only: SQL state, errno, peers' words */
	struct field_error *fields; /* of ERROR_INVALID, in the order found */
};

void error_clear(struct error *err);

/* Each returns -1. The first error set wins, so that a cause is not painted over. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int error_internal(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_busy(struct error *err, int retry_after, const char *format, ...) /* ERROR_UNAVAILABLE */
    __attribute__((format(printf, 3, 4)));
int error_too_many(struct error *err, int retry_after, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Add what the log should know; does not change the code. */
void error_detail(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Add a bad field; the code becomes ERROR_INVALID and the message names the first field. Copies into the arena. */
int error_field(struct error *err, struct arena *a, const char *where, const char *field, const char *type,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

const char *error_name(enum error_code code); /* "not_found": for logs and metrics */

#endif
