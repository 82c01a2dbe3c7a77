/*
 * jwt: tokens that somebody else has signed (OpenID Connect's id_token and logout_token), and the keys to know them by.
 *
 * The keys are a JWKS document as it came (RFC 7517): public ones of RSA (2048 to 8192 bits), P-256 and Ed25519. The kind
 * of the key decides how it signs (RS256, ES256, EdDSA): what the token says of `alg` must be just that, so that neither
 * "none" nor a secret made of a public key passes. Pure: no clock, no network, nothing kept; serves every thread.
 */
#ifndef PARLEY_OAUTH_JWT_H
#define PARLEY_OAUTH_JWT_H

#include "common/base/arena.h"
#include "common/json/json.h"

enum { JWT_BYTES = 16 * 1024, JWT_KEYS = 50, JWT_SKEW = 120 /* seconds that clocks may differ */ };

/* The claims of a token that one of the keys has signed. 1 with *ret the caller's; 0: none of the keys is the one that it
 * names (there may be newer ones); -1 with ERROR_UNAUTHENTICATED: it is no token, or not signed as it says. */
int jwt_verify(const char *text, const char *keys, json_object **ret, struct error *err) CHECKED;

struct jwt_expectation {
	const char *issuer, *audience; /* who says it, to whom: exactly */
	const char *nonce;             /* NULL: it must have none */
	int64_t now;                   /* Unix seconds */
	int64_t oldest;                /* it was made not longer ago than so many seconds; 0: whenever */
};
/* iss, aud (and azp), exp, nbf, iat, nonce. 0, or -1 with ERROR_UNAUTHENTICATED. An id_token needs exp. */
int jwt_expect(json_object *claims, const struct jwt_expectation *e, struct error *err) CHECKED;

#endif
