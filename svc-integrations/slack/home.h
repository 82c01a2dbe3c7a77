/*
 * slack/home: the app's home tab: which chatbot answers, from which documents, and what may be asked. Published when somebody
 * opens it, by a job.
 */
#ifndef PARLEY_SLACK_HOME_H
#define PARLEY_SLACK_HOME_H

#include "common/job/job.h"

/* In the caller's transaction, or by itself. */
int slack_home_later(struct call *call, const char *owner, const char *integration, const char *user) CHECKED;

extern const struct job_kind slack_home_job;

#endif
