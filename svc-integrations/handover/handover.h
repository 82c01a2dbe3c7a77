/*
 * handover: a conversation in which somebody was not helped goes on to people: by mail, to a webhook, into a Slack channel
 * (handover/plan.h). svc-chat tells of each once, as the event HANDOVER_EVENT.
 */
#ifndef PARLEY_HANDOVER_H
#define PARLEY_HANDOVER_H

#include "common/job/job.h"
#include "integrations.pb-c.h"

#define HANDOVER_EVENT "conversation.handover"

/* In the caller's transaction: a delivery, or a job, for whatever its chatbot's integrations name. Once under the event's id. */
int handover_take(struct call *call, const Integrations__Event *event) CHECKED;

extern const struct job_kind handover_job;

#endif
