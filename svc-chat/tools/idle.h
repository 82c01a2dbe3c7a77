/*
 * tools/idle: the sessions of MCP servers that are open and not in use, so that a call need not open one. One is used by
 * one call at a time; who finds none opens its own. What a server has forgotten meanwhile is opened anew (mcp.h).
 *
 * A session belongs to one user, one address, and what was sent with its requests: no other finds it. It is as secret as a
 * token, and stays in memory. Those that nobody has used for IDLE_MS, and the oldest of more than IDLE_MOST, are
 * ended, and their servers are told.
 */
#ifndef PARLEY_TOOLS_IDLE_H
#define PARLEY_TOOLS_IDLE_H

#include "svc-chat/mcp/mcp.h"
#include "svc-chat/store_servers.h"

enum { IDLE_MOST = 512, IDLE_EACH = 8 /* of one key */, IDLE_MS = 2 * 60 * 1000 };

struct idle;
/* ms: IDLE_MS, but in tests. */
struct idle *idle_open(struct egress *egress, int64_t ms);
void idle_close(struct idle *s);

/* Of all that a session depends on. headers: ended by NULL, may be NULL; so may bearer. */
const char *idle_key(const char *owner, const struct server_row *server, const char *const *headers,
                     const char *bearer, struct arena *a);
/* One of that key into m (version, session, last_id), where there is one. */
void idle_take(struct idle *s, const char *key, struct mcp *m);
/* That of m may be taken by another call; m has none any more. */
void idle_keep(struct idle *s, const char *key, struct mcp *m);

#endif
