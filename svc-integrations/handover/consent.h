/*
 * handover/consent: does somebody want the conversations that are to be mailed to his address? It is asked by a mail with a link, at most
 * once a day, until it says so; the owner's own address, which he has confirmed, is not asked. Until then nothing else goes there.
 */
#ifndef PARLEY_HANDOVER_CONSENT_H
#define PARLEY_HANDOVER_CONSENT_H

#include "common/job/job.h"
#include "svc-integrations/store.h"

/* 1 it does, 0 not yet, -1. Of call's owner. */
int consent_given(struct call *call, const char *address) CHECKED;

/* Have it asked, unless it was today. In the caller's transaction. integration: where its owner reads what became of it. */
int consent_ask(struct call *call, const char *address, const char *integration) CHECKED;

/* What the link's token says. 1 with both in the arena, 0: it is none, or too old; -1. */
int consent_read(struct call *call, const char *token, const char **owner, const char **address) CHECKED;
/* It does from now on. 1; 0: it is asked no more (the account is gone); -1. */
int consent_take(struct call *call, const char *owner, const char *address) CHECKED;

/* Does a plan name an address that has yet to agree? *ret, or NULL; the row's status says so, in memory, if it says nothing else. */
int consent_note(struct call *call, struct integration_row *row, const char **ret) CHECKED;

extern const struct job_kind consent_job;

#endif
