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

/* One of them; ERROR_NOT_FOUND otherwise. */
int servers_load(struct call *call, int64_t id, struct server_row *ret) CHECKED;

/* Its user says that it is of 2024-11-05 (mcp_first_era()). */
bool servers_of_events(const struct server_row *row);

/* Where their headers are sealed to. */
const char *servers_headers_context(const struct call *call);
/* The user's own headers, "Name: value" each, ended by NULL. */
int servers_headers(struct call *call, const struct server_row *row, const char *const **ret) CHECKED;

/* Ask one for its tools as the call's owner, and store what that shows: 0 whether it answers or not (asked->err). *url:
 * where to sign in, when that is wanted and can be begun; else NULL. */
int servers_ask(struct call *call, struct server_row *row, int ms, struct inventory *asked,
                const char **url) CHECKED;
/* What it demands of a stranger (WWW-Authenticate), or NULL. ERROR_UPSTREAM when it cannot be reached. */
int servers_challenge(struct call *call, const struct server_row *row, int ms, const char **ret) CHECKED;
/* One of them was called and said nothing: its tools are not offered until it is asked again, and answers. */
int servers_note_silence(struct call *call, const struct server_row *server, const struct error *why) CHECKED;
/* Ask those of which nothing is known, or nothing fresh: all at once, for at most SERVERS_REFRESH_MS. again_seconds: how
 * long one that failed is left alone. */
int servers_refresh(struct call *call, struct server_row *rows, size_t count, int again_seconds) CHECKED;

/* ERROR_UNAUTHENTICATED, and beside it what the documents promise: which server, and where to sign in (url may be NULL). */
int servers_refuse_sign_in(struct call *call, const char *name, int64_t id, const char *url);
bool servers_wants_sign_in(const struct inventory *asked, struct arena *a);

#endif
