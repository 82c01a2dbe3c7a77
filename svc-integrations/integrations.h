/*
 * integrations: what every handler and job of svc-integrations shares. Made at the start, only read afterwards, but for told_ms.
 */
#ifndef PARLEY_INTEGRATIONS_H
#define PARLEY_INTEGRATIONS_H

#include "common/job/job.h"
#include "common/service/call.h"
#include "svc-integrations/slack/api.h"

enum { INTEGRATIONS_KINDS = 12 };

struct integrations {
	struct slack slack;
	const char *public_url; /* without a slash at its end */
	struct peer *chatbots, *chat;
	struct job_kind kinds[INTEGRATIONS_KINDS]; /* what is done by jobs */
	struct job_runner *jobs;
	_Atomic int64_t
	    told_ms; /* when the other replicas were last told of a question: the one thing that changes */
	int64_t per_user; /* integrations that one may have */
};

#endif
