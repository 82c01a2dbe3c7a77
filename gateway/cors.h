/*
 * cors: which web pages may read our answers (https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * A listed origin (CORS_ORIGINS: "https://app.example.com, http://localhost:*"; "*" as the port means any, and as
 * the first label of a host any below it; "localhost" alone is every page of this machine) is echoed with
 * Allow-Credentials. Routes for visitors of websites echo whatever origin asks, without credentials: the
 * service that owns the chatbot judges the origin, and no cookie is ever looked at.
 */
#ifndef PARLEY_CORS_H
#define PARLEY_CORS_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/text.h"

struct cors; /* lives in the arena it was made with; only read after */

int cors_parse(const char *list, struct arena *a, struct cors **ret, struct error *err) CHECKED;
bool cors_listed(const struct cors *c, const char *origin);

/* Add the header lines of an answer. any: a route for visitors. Nothing but Vary for an origin that is not allowed. */
void cors_headers(const struct cors *c, const char *origin, bool any, struct text *out);

/* The same for a preflight: which methods and headers may be sent, and for how long that holds. headers: what is asked
 * for (Access-Control-Request-Headers), all of which is allowed: the list of origins is the gate. NULL is fine. */
void cors_preflight_headers(const struct cors *c, const char *origin, bool any, const char *allow,
                            const char *headers, struct text *out);

#endif
