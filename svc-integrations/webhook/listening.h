/*
 * webhook/listening: the other services write down only those events that somebody wants. Whenever an owner's integrations
 * change, a job tells them which these are; one at a time for an owner, so that the last word is the right one.
 */
#ifndef PARLEY_WEBHOOK_LISTENING_H
#define PARLEY_WEBHOOK_LISTENING_H

#include "common/job/job.h"

extern const struct job_kind listening_job;

/* In the caller's transaction. */
int listening_tell_later(struct call *call) CHECKED;

#endif
