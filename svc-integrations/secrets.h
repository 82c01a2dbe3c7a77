/*
 * secrets: the sealed half of an integration: Slack's token and signing secret, a webhook's signing secret. Of an installed
 * app the signing secret is the operator's (SLACK_SIGNING_SECRET), whatever it is now.
 */
#ifndef PARLEY_INTEGRATIONS_SECRETS_H
#define PARLEY_INTEGRATIONS_SECRETS_H

#include "common/service/call.h"
#include "svc-integrations/config.h"
#include "svc-integrations/store.h"

/* Of a stored row; empty where there are none. -1: svc-auth is away. */
int secrets_open(struct call *call, const struct integration_row *row, struct secrets *ret) CHECKED;
/* Seals them into the row, and shows them in its config. */
int secrets_put(struct call *call, const struct secrets *secrets, struct integration_row *row) CHECKED;

#endif
