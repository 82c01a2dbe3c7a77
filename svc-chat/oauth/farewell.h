/*
 * oauth/farewell: a token that nobody wants any more is revoked at its provider. Whoever drops one leaves word of it in the
 * same transaction, as a job; a provider that is away is told when it is back, within half a day.
 */
#ifndef PARLEY_OAUTH_FAREWELL_H
#define PARLEY_OAUTH_FAREWELL_H

#include "common/job/job.h"
#include "common/service/call.h"
#include "svc-chat/store_oauth.h"

extern const struct job_kind farewell_job;

/* In the transaction that drops it. delay: seconds until it is said by the job. */
int farewell_leave(struct call *call, const struct oauth_token_row *row, const char *key, int delay) CHECKED;
/* Now, by whoever can wait for it; when that went well the word that was left with that key is taken back. Where the provider
 * is away the job says it again. */
void farewell_say(struct call *call, const struct oauth_token_row *row, const char *key);

#endif
