/*
 * webhook: a request passed on as it came: body, headers, path and query; and the answer as the service made it, with a
 * few headers. For callers that sign their bytes, such as Slack, and for forms and pages of a service's own.
 */
#ifndef PARLEY_WEBHOOK_H
#define PARLEY_WEBHOOK_H

#include "gateway/gateway.h"

int webhook_pass(struct exchange *x) CHECKED;

#endif
