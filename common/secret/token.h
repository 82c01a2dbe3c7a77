/*
 * token: the signed proof of who is calling (JWT, HS256). Made by svc-auth, checked by the gateway.
 *
 * A ring of keys: the newest signs, all verify, each named by its `kid`. Only read after loading, so one serves every
 * thread. A session's token has no audience and is good for the API; an access token of a program (OAuth, svc-auth/grants.h)
 * has one and is good there alone. libjwt accepts other algorithms and expired tokens: alg, exp, iss and kid are checked here (pinned HS256).
 */
#ifndef PARLEY_TOKEN_H
#define PARLEY_TOKEN_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/secret/keyring.h"
#include "common/secret/secret.h"

#define TOKEN_ISSUER "parley"

struct token_claims {
	char user_id[37];        /* sub */
	char session_id[37];     /* sid */
	int64_t user_number;     /* num: the ChatConnect id */
	int64_t issued, expires; /* iat, exp: Unix seconds */
	int admin;               /* adm */
	const char
	    *audience; /* aud: the one address that it is for; NULL: all of the API. For signing alone */
};

/* The signed text in the arena. */
int token_sign(const struct keyring *ring, const struct token_claims *claims, struct arena *a, char **ret,
               struct error *err) CHECKED;

/* 0, or -1 with ERROR_UNAUTHENTICATED and a sentence ("the token has expired"). now: Unix seconds. audience: where it is
 * shown, exactly as it was signed; NULL: at the API, where a token for one address is good for nothing. */
int token_verify(const struct keyring *ring, const char *text, int64_t now, const char *audience,
                 struct token_claims *ret, struct error *err) CHECKED;

#endif
