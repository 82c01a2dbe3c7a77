/*
 * secrets: the sealed half of an integration: Slack's token and signing secret, a webhook's signing secret. Of an installed
 * app the signing secret is the operator's (SLACK_SIGNING_SECRET), whatever it is now.
 */
#ifndef PARLEY_INTEGRATIONS_SECRETS_H
#define PARLEY_INTEGRATIONS_SECRETS_H

#include "common/service/call.h"
#include "svc-integrations/config.h"
#include "svc-integrations/store.h"

/* Of a stored row; empty where there are none. -1: svc-auth is away, or (ERROR_INTERNAL) no key opens them. */
int secrets_open(struct call *call, const struct integration_row *row, struct secrets *ret) CHECKED;
/* The same; empty, with a line in the log, where no key opens them: one such row must not stand in the way of others, nor of the new
 * secrets that mend it. -1: svc-auth is away. */
int secrets_try(struct call *call, const struct integration_row *row, struct secrets *ret) CHECKED;
/* Seals them into the row, and shows them in its config. */
int secrets_put(struct call *call, const struct secrets *secrets, struct integration_row *row) CHECKED;

#endif
