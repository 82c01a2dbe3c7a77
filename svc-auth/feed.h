/*
 * feed: tells the gateways what stopped working, within milliseconds, without a query per request.
 *
 * PostgreSQL notifies every svc-auth (triggers of migrations/100_accounts.sql), each appends to a stream of its own, the
 * gateways follow one of them. Each svc-auth also hears its own beat every second through the same connection: one that
 * does not is deaf, says "reset" and answers feed_place() with an error, so that gateways turn to another one, or trust
 * nobody. Events: revoked {auth.Revocation} · keys {} (fetch the keyring again) · reset (ask FollowRevocations again).
 */
#ifndef PARLEY_AUTH_FEED_H
#define PARLEY_AUTH_FEED_H

#include "common/service/call.h"
#include "svc-auth/keystore.h"

struct feed;

/* Keeps the keystore fresh, too. */
int feed_start(struct service *s, struct keystore *keys, struct feed **ret, struct error *err) CHECKED;
void feed_stop(struct feed *f); /* NULL is fine */

/* Where the feed is now: events after `after` are yet to be told. ERROR_UNAVAILABLE while deaf. */
int feed_place(struct feed *f, const char **stream, int64_t *after, struct error *err) CHECKED;

#endif
