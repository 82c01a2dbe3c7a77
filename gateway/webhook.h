/*
 * webhook: a request passed on as it came: body, headers and query; and the answer as the service made it. For
 * callers that sign their bytes, such as Slack.
 */
#ifndef PARLEY_WEBHOOK_H
#define PARLEY_WEBHOOK_H

#include "gateway/gateway.h"

int webhook_pass(struct exchange *x) CHECKED;

#endif
