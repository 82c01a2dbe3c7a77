/*
 * slack/act: a button below an answer was pressed: thumbs, or "Stop". What it sends is done by a job, for that owner.
 */
#ifndef PARLEY_SLACK_ACT_H
#define PARLEY_SLACK_ACT_H

#include "common/job/job.h"

int slack_act_later(struct call *call, const char *owner_id, const char *value) CHECKED;

extern const struct job_kind slack_act_job;

#endif
