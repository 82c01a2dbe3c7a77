/*
 * sweep: what is kept for so long only, dropped every hour: deliveries (30 days), what was taken from Slack (a day), installations
 * that nobody came back from.
 */
#ifndef PARLEY_INTEGRATIONS_SWEEP_H
#define PARLEY_INTEGRATIONS_SWEEP_H

#include "common/job/job.h"

/* At the start; from then on it goes on by itself. */
int sweep_begin(struct service *service, struct error *err) CHECKED;

extern const struct job_kind sweep_job;

#endif
