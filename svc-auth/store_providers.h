/* store_providers: sign-ins with a provider under way, and who a provider's people are here. */
#ifndef PARLEY_AUTH_STORE_PROVIDERS_H
#define PARLEY_AUTH_STORE_PROVIDERS_H

#include <stdio.h>

#include "svc-auth/store.h"

extern const struct db_stmt store_providers_statements[];

struct oidc_flow {
	const char *state, *browser; /* hashes */
	const char *provider, *next, *app_state, *challenge;
};
int store_put_flow(struct db *db, const struct oidc_flow *flow, int seconds, struct error *err) CHECKED;
/* Uses it up: 1, or 0 when there is none (any more) of that state, browser and provider. */
int store_take_flow(struct db *db, const char *state, const char *browser, const char *provider,
                    struct oidc_flow *out, struct arena *a, struct error *err) CHECKED;

/* The account of a provider's somebody; locked. */
int store_find_identity(struct db *db, const char *issuer, const char *subject, struct account *out,
                        struct arena *a, struct error *err) CHECKED;
/* 1, or 0 when that somebody, or somebody else of that provider, has an account already. */
int store_add_identity(struct db *db, const char *owner, const char *issuer, const char *subject,
                       struct error *err) CHECKED;
/* A line each: issuer, tab, subject. */
int store_print_identities(struct db *db, const char *owner, FILE *to, struct error *err) CHECKED;
int store_drop_identity(struct db *db, const char *owner, const char *issuer, struct error *err) CHECKED;

/* 1 when being an administrator changed with it: then sessions and keys are to be made anew. */
int store_set_admin_by_claim(struct db *db, const char *owner, bool admin, const char *admin_email,
                             struct error *err) CHECKED;

/* End what a provider let in: that session of it (and, if owner is given, of that user), or all of the user's. The number
 * of sessions. */
int store_end_provider_sessions(struct db *db, const char *owner, const char *issuer, const char *session,
                                int64_t *ended, struct error *err) CHECKED;

int store_sweep_flows(struct db *db, struct error *err) CHECKED;

#endif
