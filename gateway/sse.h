/*
 * sse: a stream of a service as text/event-stream (https://html.spec.whatwg.org/#server-sent-events), framed as the
 * contract says.
 *
 * The gateway asks the service for what came after the last event and writes it; while it waits it holds nothing at
 * the service but a parked request. Each event's id is "stream.sequence": a client that comes back with it as
 * Last-Event-ID, to any gateway, goes on after it. Once a second it is looked at whether the client is still there (what
 * has hung up gets a comment, and another a second later, which fails) and whether its credentials still are good. Then
 * the asking stops, the service is told so, and finishes on its own unless nobody could ever ask for the rest.
 */
#ifndef PARLEY_SSE_H
#define PARLEY_SSE_H

#include "gateway/gateway.h"

/* at: what the service answered. Returns 0 when the stream is over, however it ended. */
int sse_follow(struct exchange *x, const Rpc__Started *at) CHECKED;

#endif
