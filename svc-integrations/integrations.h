/*
 * integrations: what every handler and job of svc-integrations shares. Made at the start, only read afterwards, but for told_ms and rush.
 */
#ifndef PARLEY_INTEGRATIONS_H
#define PARLEY_INTEGRATIONS_H

#include "common/job/job.h"
#include "common/service/call.h"
#include "svc-integrations/slack/api.h"
#include "svc-integrations/slack/rush.h"

enum { INTEGRATIONS_KINDS = 9, INTEGRATIONS_OUTSIDE = 2 };

struct integrations {
	struct slack slack;
	const char *public_url; /* without a slash at its end */
	struct peer *chatbots, *chat;
	struct job_kind kinds[INTEGRATIONS_KINDS],
	    outside_kinds[INTEGRATIONS_OUTSIDE]; /* what is done by jobs */
	struct job_runner *jobs, *outside;
	_Atomic int64_t told_ms; /* when the other replicas were last told of a question */
	struct rush rush;        /* of Slack's events */
	int64_t per_user;        /* integrations that one may have */
};

#endif
