/*
 * oauth: the client's side of OAuth 2.1 and OpenID Connect: from "401" to a token, and what becomes of it.
 *
 *	oauth_challenge_parse()    what a resource says of the sign-in that it wants     (RFC 6750, 9728)
 *	oauth_find_server()        which authorization server an MCP server believes     (RFC 9728)
 *	oauth_discover()           where the doors of one are                            (RFC 8414, OpenID Connect Discovery)
 *	oauth_register()           a client of theirs, where none is known               (RFC 7591)
 *	oauth_random(), oauth_authorize_url()        the browser is sent there           (RFC 7636, 8707)
 *	oauth_check_response()     is what comes back from them at all?                  (RFC 9207)
 *	oauth_exchange(), oauth_refresh(), oauth_revoke()                                (RFC 6749, 7009)
 *
 * Knows no table, user or page: the caller keeps what has to be kept, secrets sealed. Everything that comes from outside
 * is taken to be hostile: bounded, of the right type, in visible characters, and a URL only when it is http or https and
 * no weaker than where it was found. All texts live in the arena of struct oauth.
 *
 * Failures: ERROR_UPSTREAM: the other side is away, or is not what it should be, and err says how; ERROR_INVALID: an
 * address that may not be reached (common/egress); ERROR_UNAUTHENTICATED (exchange, refresh): the code or the grant is
 * not good any more, sign in anew; ERROR_FORBIDDEN (the same): the server does not know this client any more, register
 * anew. Time that is up is ERROR_UPSTREAM where it may be tried again, ERROR_UNKNOWN_OUTCOME where it may not.
 */
#ifndef PARLEY_OAUTH_H
#define PARLEY_OAUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/egress/egress.h"

/* Who asks, and for how long. */
struct oauth {
	struct egress *egress;
	struct arena *arena;
	int64_t deadline; /* monotonic ms: of everything together */
	const atomic_bool *cancelled;
};

/* --- Which sign-in is wanted ----------------------------------------------------------------------------------------- */

struct oauth_challenge { /* each NULL when it was not said, or is nothing that could be said */
	const char *error, *scope;
	const char *resource_metadata; /* URL */
};
/* The first Bearer challenge of a WWW-Authenticate header, whatever stands round it. header NULL: none. */
void oauth_challenge_parse(const char *header, struct oauth_challenge *ret, struct arena *a);

struct oauth_resource {
	const char *resource; /* as it calls itself: goes into every request, byte for byte */
	const char *issuer;   /* of the first authorization server that it names */
	const char *scope;    /* all that it has; NULL: it does not say */
};
/* "https://host:port" of a URL; NULL when it is none. */
const char *oauth_origin(const char *url, struct arena *a);

/* --- The authorization server ---------------------------------------------------------------------------------------- */

enum oauth_method { OAUTH_NONE = 1, OAUTH_BASIC = 2, OAUTH_POST = 4 }; /* how a client says who it is */

struct oauth_server {
	const char *issuer;
	const char *authorization_endpoint, *token_endpoint; /* always there */
	const char *registration_endpoint, *revocation_endpoint, *userinfo_endpoint, *jwks_uri; /* or NULL */
	unsigned methods;     /* enum oauth_method, of its token endpoint */
	bool proves;          /* PKCE with S256 */
	bool says_issuer;     /* in every response: one without is not from there */
	bool takes_documents; /* client ids that are URLs of a document about the client */
	bool offers_offline;  /* the scope offline_access */
	const char *document; /* what it said, as compact JSON: for oauth_server_read() another time */
};
/* Its metadata, from the well-known places of both kinds, with exactly this issuer in it. 1; 0: it publishes none; -1. */
int oauth_discover(const struct oauth *o, const char *issuer, struct oauth_server *ret,
                   struct error *err) CHECKED;
/* The same of a document that was kept, or that an operator wrote: may leave out the issuer. */
int oauth_server_read(const char *document, const char *issuer, struct oauth_server *ret, struct arena *a,
                      struct error *err) CHECKED;
/* One that publishes nothing (2025-03-26): /authorize, /token, /register at the root. */
void oauth_server_assume(const char *origin, struct oauth_server *ret, struct arena *a);
/* Without PKCE a stolen code is a stolen token: MCP forbids to go on. */
int oauth_demand_proof(const struct oauth_server *s, struct error *err) CHECKED;

/* Who signs people in for the resource at `url`, its challenge being known. resource->resource is NULL where it says
 * nothing of itself. Refuses servers without PKCE. */
int oauth_find_server(const struct oauth *o, const char *url, const struct oauth_challenge *challenge,
                      struct oauth_resource *resource, struct oauth_server *ret, struct error *err) CHECKED;
/* What to ask for: what is demanded, else all that there is, and what was granted before. NULL: nothing by name. */
const char *oauth_choose_scope(const struct oauth_challenge *challenge, const struct oauth_resource *resource,
                               const struct oauth_server *s, const char *granted, struct arena *a);

/* --- The client ------------------------------------------------------------------------------------------------------ */

struct oauth_client {
	const char *id;
	const char *secret;       /* NULL: none */
	enum oauth_method method; /* 0: the best of those that the server takes */
	int64_t secret_expires;   /* Unix seconds; 0: never */
};
/* A new one. native: its redirect is to this machine. */
int oauth_register(const struct oauth *o, const struct oauth_server *s, const char *name,
                   const char *redirect_uri, bool native, struct oauth_client *ret,
                   struct error *err) CHECKED;
/* The document that a client id of the form https://… names. */
char *oauth_client_document(const char *id, const char *name, const char *site, const char *redirect_uri,
                            struct arena *a);

/* --- There and back ---------------------------------------------------------------------------------------------------- */

enum { OAUTH_RANDOM = 44 /* 256 bits as base64url, with the NUL */ };
void oauth_random(char text[OAUTH_RANDOM]);

/* "a b" and "b c" are "a b c"; NULL is nothing. */
const char *oauth_scope_join(const char *one, const char *other, struct arena *a);

struct oauth_request {
	const char *client_id, *redirect_uri, *state;
	const char *verifier;              /* oauth_random(); kept until the exchange */
	const char *scope, *resource;      /* may be NULL */
	const char *nonce, *prompt, *more; /* of OpenID Connect; more: "a=b&c=d", encoded; may be NULL */
};
char *oauth_authorize_url(const struct oauth_server *s, const struct oauth_request *r, struct arena *a);

/* `iss` of a response (NULL: it has none), before anything else in it is believed, an error included. */
int oauth_check_response(const struct oauth_server *s, const char *iss, struct error *err) CHECKED;

/* --- Tokens ------------------------------------------------------------------------------------------------------------ */

struct oauth_tokens {
	const char *access;
	const char *refresh, *id_token, *scope; /* NULL: not said */
	int64_t lifetime;                       /* seconds; 0: not said */
};
int oauth_exchange(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                   const struct oauth_request *r, const char *code, struct oauth_tokens *ret,
                   struct error *err) CHECKED;
/* ret->refresh is the one to keep, whether or not it is new. */
int oauth_refresh(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                  const char *refresh, const char *resource, struct oauth_tokens *ret,
                  struct error *err) CHECKED;
/* 0 also where the server has no such door, or says that this kind of token cannot be revoked. ERROR_INVALID: it refuses for
 * good; with another error it may do it later. */
int oauth_revoke(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                 const char *token, const char *kind, struct error *err) CHECKED;

#endif
