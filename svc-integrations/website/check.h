/*
 * website/check: is our script on the site's page? Looked at when its owner asks, and every day. Found: active; a page without it, or that
 * keeps us out: pending; no page, or one on which it cannot work: error; with the reason each.
 */
#ifndef PARLEY_WEBSITE_CHECK_H
#define PARLEY_WEBSITE_CHECK_H

#include "common/job/job.h"
#include "svc-integrations/store.h"

/* Looks, and writes it into the row (status, status_detail), in memory. -1: there is no page to look at (ERROR_INVALID), or the
 * process ends. */
int website_look(struct call *call, struct integration_row *row) CHECKED;

/* In the caller's transaction: tomorrow. */
int website_look_later(struct call *call, const char *owner, const char *integration) CHECKED;
extern const struct job_kind website_job;

#endif
