/*
 * retention: conversations are forgotten when their chatbot says after how many days (`retentionDays`). A standing job of
 * svc-chat looks every hour.
 */
#ifndef PARLEY_CHAT_RETENTION_H
#define PARLEY_CHAT_RETENTION_H

#include "common/job/job.h"

extern const struct job_kind retention_job;

/* Makes sure that the job stands. */
int retention_stand(struct service *s, struct error *err) CHECKED;

#endif
