/*
 * slack/verify: whether an integration's credentials work, by Slack's auth.test, and what they are for.
 */
#ifndef PARLEY_SLACK_VERIFY_H
#define PARLEY_SLACK_VERIFY_H

#include <stdbool.h>

#include "svc-integrations/config.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/secrets.h"
#include "svc-integrations/store.h"

/*
 * Fills row's status, status_detail, and team and bot ids. active: Slack took the token and there is a signing secret;
 * pending: something is missing, or Slack cannot be reached (then 1 is returned: try again); error: Slack refused.
 */
int slack_verify(struct call *call, const struct secrets *secrets, struct integration_row *row);

/* Is the account of that row's owner disabled? Then it is quiet. An svc-auth that does not say silences nobody. */
bool slack_owner_is_disabled(const struct call *call, const char *owner);

#endif
