/*
 * tools/servers: the MCP servers of a user: what is sent to them, what is known of their tools, and asking them anew. What
 * asking shows is stored here.
 */
#ifndef PARLEY_TOOLS_SERVERS_H
#define PARLEY_TOOLS_SERVERS_H

#include "common/service/call.h"
#include "svc-chat/store_servers.h"
#include "svc-chat/tools/inventory.h"

enum {
	SERVERS_HEADERS = 10,      /* of the user's own, with each request */
	SERVERS_REFRESH_MS = 2000, /* for all that are asked at once */
};

/* Of the call's owner, newest first. */
int servers_all(struct call *call, struct server_row **rows, size_t *count) CHECKED;

/* Where their headers are sealed to. */
const char *servers_headers_context(const struct call *call);
/* The user's own headers, "Name: value" each, ended by NULL. */
int servers_headers(struct call *call, const struct server_row *row, const char *const **ret) CHECKED;

/* Ask one for its tools, and store what that shows: 0 whether it answers or not (asked->err). */
int servers_ask(struct call *call, struct server_row *row, int ms, struct inventory *asked) CHECKED;
/* Ask those of which nothing is known, or nothing fresh: all at once, for at most SERVERS_REFRESH_MS. again_seconds: how
 * long one that failed is left alone. */
int servers_refresh(struct call *call, struct server_row *rows, size_t count, int again_seconds) CHECKED;

bool servers_wants_sign_in(const struct error *err);

#endif
