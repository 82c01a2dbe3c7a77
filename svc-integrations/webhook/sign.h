/*
 * webhook/sign: the signature of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over "id.timestamp.body" under a
 * secret that is written "whsec_" and base64.
 */
#ifndef PARLEY_WEBHOOK_SIGN_H
#define PARLEY_WEBHOOK_SIGN_H

#include <stdint.h>

#include "common/base/arena.h"

/* A new secret. */
char *webhook_secret(struct arena *a);

/* Whether it is one: "whsec_" and base64 of 24 to 64 bytes. */
int webhook_secret_fits(const char *secret);

/* The value of the header webhook-signature: "v1,...". NULL: the secret is none. */
char *webhook_sign(const char *secret, const char *id, int64_t timestamp, const char *body, struct arena *a);

/* The one before goes on signing beside a new secret for so long, so that the receiver may change to it meanwhile. */
enum { WEBHOOK_OVERLAP_SECONDS = 24 * 3600 };

#endif
