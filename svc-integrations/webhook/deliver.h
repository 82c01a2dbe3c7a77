/*
 * webhook/deliver: what happened, to those who asked for it. An event that comes by rpc becomes a delivery per webhook, and
 * each a job, in one transaction: it is posted until somebody takes it (2xx), for about a day. It may come twice, under the
 * same id. Whoever answers 410, or has taken nothing all day, is switched off, with the reason.
 */
#ifndef PARLEY_WEBHOOK_DELIVER_H
#define PARLEY_WEBHOOK_DELIVER_H

#include "common/job/job.h"
#include "svc-integrations/store.h"

extern const struct job_kind deliver_jobs[];
extern const size_t deliver_job_count;

/* In the caller's transaction: that event to that webhook, once under its id; to one that is gone, nothing. */
int deliver_add(struct call *call, const char *integration, const Integrations__Event *event) CHECKED;
int deliver_later(struct call *call, const char *integration, const char *delivery, int seconds) CHECKED;

#endif
