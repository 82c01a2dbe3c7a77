/*
 * config: the free object `config` of an integration: what a client may say in it, and what it is shown.
 *
 * Secrets (bot_token, signing_secret, also in camel case) are taken out: what is stored and shown has "****" and their
 * last four characters, and "configured": true. A website's `domain` and `allowedOrigins` are checked and written as
 * browsers write origins. A webhook's `url` and `events` are checked.
 */
#ifndef PARLEY_INTEGRATIONS_CONFIG_H
#define PARLEY_INTEGRATIONS_CONFIG_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/error.h"

/* NULL where there is none. refresh_token, installed: of an integration that was made by installing the operator's own app,
 * whose signing secret is the operator's (secrets.h). previous_secret: of a webhook, the one before, which signs too until then (seconds,
 * as text). */
struct secrets {
	const char *bot_token, *signing_secret, *refresh_token, *installed, *previous_secret, *previous_until;
};

/* Lay `patch` (JSON, or NULL) over `current` (or NULL): members replace, null removes. Fresh secrets of the patch go to
 * *fresh, masked ones are passed over. -1: ERROR_INVALID with the field. */
int config_apply(const char *type, const char *current, const char *patch, const char **ret,
                 struct secrets *fresh, struct arena *a, struct error *err) CHECKED;

/* The shown config with the secrets as they are now. */
const char *config_show_secrets(const char *type, const char *config, const struct secrets *secrets,
                                struct arena *a);

/* Sealed as one text; the context binds it to its row. */
char *config_pack_secrets(const struct secrets *secrets, struct arena *a);
void config_unpack_secrets(const char *text, struct secrets *ret, struct arena *a);

/* The origins that a website's config allows; its domain's own where it lists none. */
const char **config_origins(const char *config, size_t *count, struct arena *a);
const char *config_domain(const char *config, struct arena *a); /* as an origin; NULL: it names none */

/* Of a webhook: where it is, and whether it is to hear of that event. */
enum { CONFIG_EVENTS = 5 };
extern const char *const config_events[CONFIG_EVENTS + 1]; /* ended by NULL */
bool config_wants(const char *config, const char *event);
const char *config_url(const char *config, struct arena *a);

#endif
