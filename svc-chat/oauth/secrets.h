/*
 * oauth/secrets: what of a sign-in or a token nobody may read at rest: sealed for its user, server and issuer.
 */
#ifndef PARLEY_OAUTH_SECRETS_H
#define PARLEY_OAUTH_SECRETS_H

#include "common/service/call.h"

struct oauth_secrets { /* each may be NULL */
	const char *verifier, *access, *refresh, *client_secret;
};
/* kind: "flow" or "token". */
int secrets_seal(struct call *call, const char *kind, const char *owner, int64_t server_id,
                 const char *issuer, const struct oauth_secrets *secrets, char **ret) CHECKED;
int secrets_open(struct call *call, const char *kind, const char *owner, int64_t server_id,
                 const char *issuer, const char *sealed, struct oauth_secrets *ret) CHECKED;

#endif
