/*
 * grants: what our authorization server gives to programs (OAuth 2.1), and how each thing of it dies.
 *
 * A person says yes on our page: a code (one minute, once; it names client, redirect_uri, PKCE challenge and resource).
 * The code becomes a session of the kind "program", with an access token (a JWT whose `sid` is that session and whose
 * `aud` is the one chatbot's address; an hour) and a refresh token (a ticket with a number: only the latest counts).
 *   - a code that comes again ends the session it became;
 *   - so does a refresh token that was used before, whoever shows it: of two who have it one is a thief;
 *   - the owner ends it (DELETE /auth/sessions/{id}), the program does (revocation), a new password does, the provider
 *     that let its owner in does when it signs them out everywhere, 30 days without a refresh do. Gateways hear of each within a second.
 *
 * How a gateway knows an access token: identity_caller() with the address of the route (gateway/identity.h), which
 * token_verify() compares with `aud`. It does so for routes that say `access: PROGRAM`, and for none else.
 */
#ifndef PARLEY_AUTH_GRANTS_H
#define PARLEY_AUTH_GRANTS_H

#include "svc-auth/auth.h"
#include "svc-auth/client.h"
#include "svc-auth/web.h"

#define GRANTS_SCOPE "chatbot"

enum { GRANTS_CODE_SECONDS = 60, GRANTS_ACCESS_SECONDS = 3600, GRANTS_DAYS = 30 };

/* "https://chat.example.com/mcp/chatbots/<uuid>" -> the chatbot's id; NULL: no resource of ours, or not written so. */
const char *grants_chatbot(struct call *call, const char *resource);

/* A code for a program that somebody has allowed in: 1; 0: they are not signed in any more; -1. */
int grants_code(struct web *w, const struct account *who, const struct client *c, const char *redirect_uri,
                const char *challenge, const char *resource, char **code) CHECKED;

/* A verifier has 43 to 128 characters, a challenge 43. */
bool grants_challenge_fits(const char *challenge);
bool grants_proves(const char *verifier, const char *challenge); /* either may be NULL: then it does not */

struct grants_tokens {
	char *access, *refresh;
};
/* 1 with tokens; 0: refused, and *why (in plain characters) says why; -1. Each is a transaction of its own. */
int grants_exchange(struct web *w, struct grants_tokens *ret, const char **why) CHECKED;
int grants_refresh(struct web *w, struct grants_tokens *ret, const char **why) CHECKED;
/* Whatever was shown: an answer of 200 tells nothing of it. */
int grants_revoke(struct call *call, const char *token, const char *client_id) CHECKED;

#endif
