/*
 * wire: is this a request that everybody on the way reads alike? (RFC 9112, sections 2.2, 5 and 6.)
 *
 * Request smuggling lives on messages that a proxy in front and we cut at different places. civetweb is lenient:
 * Transfer-Encoding with Content-Length, doubled or odd Content-Length, folded lines, bare LF, and it drops what
 * comes after 64 header lines or after a line it does not understand without a word. All of these are refused.
 */
#ifndef PARLEY_WIRE_H
#define PARLEY_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct mg_request_info;

struct wire {
	int64_t length;  /* of the body as declared; -1: chunked; 0: none */
	bool keep_alive; /* the client's wish */
	bool wants_100;  /* waits for "100 Continue" before it sends the body */
};

/* -1 with ERROR_MALFORMED: answer and close, since nobody knows where the next request starts. */
int wire_check(const struct mg_request_info *info, struct wire *ret, struct error *err) CHECKED;

#endif
