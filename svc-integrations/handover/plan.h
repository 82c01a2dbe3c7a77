/*
 * handover/plan: `config.handover` of a website or a Slack integration: where conversations of its chatbot go in which
 * somebody was not helped. {"email": address}, {"webhook": id of a webhook}, {"channel": id of a Slack channel, "integration": id
 * of the Slack integration that posts there, where it is not this one}; or several of them.
 */
#ifndef PARLEY_HANDOVER_PLAN_H
#define PARLEY_HANDOVER_PLAN_H

#include "common/service/call.h"
#include "svc-integrations/store.h"

/* NULL where there is none. */
struct handover_plan {
	const char *email, *webhook, *channel, *integration;
};

/* Of a stored config. 1, 0: it hands nothing over. */
int handover_plan(const char *config, struct handover_plan *ret, struct arena *a);

/* Is it one, and is what it names there, the caller's, and of the right type? ERROR_INVALID with the field. */
int handover_check(struct call *call, const struct integration_row *row) CHECKED;

/* The chatbots whose conversations it concerns: its own, and those of config.channels. */
size_t handover_chatbots(const struct integration_row *row, const char ***ret, struct arena *a);

#endif
