/*
 * revocations: which sessions no longer count, although the signature of their tokens is good.
 *
 * A hash table of ids, kept by the identity module from svc-auth's feed. What is in it may be forgotten once the last
 * token it speaks of has expired. Not locked: whoever keeps it does that.
 */
#ifndef PARLEY_REVOCATIONS_H
#define PARLEY_REVOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "auth.pb-c.h"
#include "common/secret/token.h"

struct revocations;

struct revocations *revocations_new(void);
void revocations_free(struct revocations *r); /* NULL is fine */

/* Take in one entry of the feed; an entry about an API key is not ours to keep. now: Unix seconds. */
void revocations_add(struct revocations *r, const Auth__Revocation *what, int64_t now);

bool revocations_hit(const struct revocations *r, const struct token_claims *claims);

#endif
