/*
 * oauth/configured: clients that the operator has registered with providers (OAUTH_CLIENTS), by the providers' names.
 *
 *	{"gmail": {"issuer": "https://accounts.google.com", "client_id": "...", "client_secret": "...",
 *	           "scope": "https://www.googleapis.com/auth/gmail.send",
 *	           "parameters": {"access_type": "offline", "prompt": "consent"}, "hosts": ["mcp.example.com"]}}
 *
 * A provider without published metadata is given its "authorization_endpoint", "token_endpoint" and "revocation_endpoint"
 * instead of, or beside, an issuer. "hosts": the MCP servers that may get its tokens; any when it is left out.
 */
#ifndef PARLEY_OAUTH_CONFIGURED_H
#define PARLEY_OAUTH_CONFIGURED_H

#include "common/oauth/oauth.h"

struct configured_client {
	const char *name, *issuer; /* issuer NULL: it has none */
	const char *scope;         /* NULL: none */
	const char *more;          /* parameters, encoded; NULL: none */
	const char *document;      /* its endpoints; NULL: they are discovered */
	const char *const *hosts;  /* ended by NULL; NULL: any */
	struct oauth_client client;
	struct configured_client *next;
};

/* "" is no clients. They live in the arena. */
int configured_load(const char *text, struct configured_client **ret, struct arena *a,
                    struct error *err) CHECKED;

/* By name (NULL: none), or by issuer, for the server at `url`. */
const struct configured_client *configured_by_name(const struct configured_client *list, const char *name,
                                                   const char *url);
const struct configured_client *configured_by_issuer(const struct configured_client *list, const char *issuer,
                                                     const char *url);

#endif
