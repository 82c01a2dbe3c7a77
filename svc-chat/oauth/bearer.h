/*
 * oauth/bearer: the token that a user has for an MCP server. It is refreshed before it is over, by one worker at a time
 * over all replicas: others go on with the one that is still good, or wait for the new one.
 *
 *	found = bearer_find(call, server, ms, &bearer);          0: there is none; the server may need none
 *	... 401 or 403 ...
 *	found = bearer_after(call, server, bearer, code, challenge, ms, &bearer, &url);   1: once more; 0: sign in at url
 *
 * All of them wait for the outside, and are not for transactions.
 */
#ifndef PARLEY_OAUTH_BEARER_H
#define PARLEY_OAUTH_BEARER_H

#include "common/oauth/oauth.h"
#include "common/service/call.h"
#include "svc-chat/store_servers.h"

/* 1, 0 or -1 (ERROR_UPSTREAM, ERROR_UNAVAILABLE: it is over, and its provider is away, or slow). ms: how long the caller
 * waits; a refresh that takes longer goes on without it. */
int bearer_find(struct call *call, const struct server_row *server, int ms, const char **ret) CHECKED;

/* After the server has refused `bearer` (NULL: there was none) with ERROR_UNAUTHENTICATED or ERROR_FORBIDDEN.
 * 1: *ret is another one. 0: its user must sign in at *url, which is NULL when a sign-in cannot be begun; call->err says
 * why, and is the caller's to clear. -1. url NULL: none is begun. */
int bearer_after(struct call *call, const struct server_row *server, const char *bearer, enum error_code code,
                 const char *challenge, int ms, const char **ret, const char **url) CHECKED;

/* Whether such a refusal asks for a sign-in at all. */
bool bearer_is_wanted(enum error_code code, const char *challenge, struct arena *a);

/* Forgets it, and has its provider revoke it: now, or when the provider is back (farewell.h). 1, 0 there was none, -1. */
int bearer_revoke(struct call *call, int64_t server_id) CHECKED;
/* All of the owner's; their providers are told by jobs. */
int bearer_revoke_all(struct call *call) CHECKED;

#endif
