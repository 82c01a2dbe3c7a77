/*
 * providers: whom the operator lets people sign in with (OIDC_1_ISSUER, ...): where their doors are, and what they say.
 *
 * What a provider publishes (its metadata, its keys) is asked for when it is needed and kept for ten minutes, in memory.
 * A token by a key that is not among those is a reason to ask anew (one that anybody may send: not more than once in ten
 * seconds), so that keys rotate without a pause. One thread asks; the others wait for it, as long as it may take (five
 * seconds), and fail with it. The operator names a provider, nobody else: it may be on a private network.
 */
#ifndef PARLEY_AUTH_PROVIDERS_H
#define PARLEY_AUTH_PROVIDERS_H

#include "common/json/json.h"
#include "common/oauth/jwt.h"
#include "common/oauth/oauth.h"
#include "common/service/call.h"

enum { PROVIDERS = 3 };

struct provider_settings {
	const char *issuer, *client_id, *client_secret, *name, *scopes;
	const char *admin_claim; /* "groups=parley-admins"; "": nobody */
};

struct provider {
	const struct provider_settings *set;
	char id[40]; /* of its name: letters, digits and dashes; goes into addresses */
};

struct providers;

/* Those of the list that have an issuer. -1: a sentence for each setting that cannot be. */
int providers_check(const struct provider_settings *list, size_t count, bool only, struct arena *a,
                    struct error *err) CHECKED;
struct providers *providers_open(const struct provider_settings *list, size_t count, struct egress *egress);
void providers_close(struct providers *p); /* NULL is fine */

size_t providers_count(const struct providers *p);
const struct provider *providers_at(const struct providers *p, size_t i);
const struct provider *providers_find(const struct providers *p, const char *id); /* NULL: no such */

/* What the provider can do. */
int providers_server(struct providers *p, struct call *call, const struct provider *who,
                     struct oauth_server *ret) CHECKED;
/* The code of a response for tokens. */
int providers_exchange(struct providers *p, struct call *call, const struct provider *who,
                       const struct oauth_server *server, const struct oauth_request *r, const char *code,
                       struct oauth_tokens *ret) CHECKED;
/* The claims of a token that the provider has signed, and that says what it must: the caller's. */
int providers_claims(struct providers *p, struct call *call, const struct provider *who,
                     const struct oauth_server *server, const char *token, const char *nonce, int64_t oldest,
                     json_object **ret) CHECKED;
/* What it says of the same person elsewhere: the caller's, or NULL when it has no such door. */
int providers_person(struct providers *p, struct call *call, const struct oauth_server *server,
                     const char *access_token, const char *subject, json_object **ret) CHECKED;

/* Does a claim of that form ("groups=parley-admins", "parley_admin=true") hold? */
bool providers_claim_holds(json_object *claims, const char *wanted);

#endif
