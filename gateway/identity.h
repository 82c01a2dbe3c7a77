/*
 * identity: who is calling. Checks session tokens and API keys without a call per request.
 *
 * Session tokens are judged here: signature (keyring from svc-auth), expiry, and the revocations that a thread of its
 * own follows in svc-auth's feed. Without news from the feed for IDENTITY_TRUST_MS nobody is believed: 503 for
 * whatever needs to know who is calling. API keys are asked of svc-auth once, then kept until the feed says otherwise.
 */
#ifndef PARLEY_IDENTITY_H
#define PARLEY_IDENTITY_H

#include "common/rpc/method.h"
#include "common/rpc/rpc.h"
#include "gateway/limits.h"
#include "gateway/request.h"

enum { IDENTITY_TRUST_MS = 5000 };

struct identity;

int identity_start(struct peer *auth, struct rates *rates, struct identity **ret, struct error *err) CHECKED;
void identity_leave(struct identity *id); /* stop following; nobody is believed for much longer */
void identity_stop(struct identity *id);

/* 1 when the feed is alive. */
int identity_ready(const struct identity *id);

/* The session of the token that was shown has just ended: refuse it from now on, before the feed says so, too. */
void identity_end_session(struct identity *id, const Rpc__Caller *caller);

/*
 * The caller of a method with that access; scope: what an API key must be allowed; address: of an ACCESS_PROGRAM route, as
 * clients know it ("https://chat.example.com/mcp/chatbots/{id}"), else NULL. There an access token counts whose audience
 * is exactly that, and a session's token does not: whoever holds one could do everything. The caller then is the user, and
 * `session_id` the sign-in of that program (/auth/sessions), whose end is heard like that of any session. -1 in req->err: no credentials where
 * some are needed, or bad ones wherever they are looked at (401); a scope or role that is missing (403); no feed (503).
 */
int identity_caller(struct identity *id, struct request *req, enum access access, const char *scope,
                    const char *address, Rpc__Caller **ret) CHECKED;

#endif
