/*
 * handover/consent: does somebody want the conversations that are to be mailed to his address? It is asked by a mail with a link; the
 * owner's own address, which he has confirmed, is not asked. Until it agrees nothing else goes there. Each conversation that is mailed
 * has a link, too, by which it is taken back, the owner's own included: then nothing goes there, and nobody asks any more.
 */
#ifndef PARLEY_HANDOVER_CONSENT_H
#define PARLEY_HANDOVER_CONSENT_H

#include "common/job/job.h"
#include "svc-integrations/store_webhook.h"

/* What it wants, as far as is known, in the eyes of call's owner. */
int consent_wish(struct call *call, const char *address, enum address_wish *ret) CHECKED;

/* Have it asked, unless it was within so many days, or has said what it wants. In the caller's transaction. integration: where its owner
 * reads what became of it. */
int consent_ask(struct call *call, const char *address, const char *integration, int days) CHECKED;

/* What the link's token says. 1 with both in the arena, 0: it is none, or too old; -1. */
int consent_read(struct call *call, const char *token, const char **owner, const char **address) CHECKED;
/* It does from now on: what has waited for it goes now. 1; 0: it is asked no more (the account is gone); -1. */
int consent_take(struct call *call, const char *owner, const char *address) CHECKED;
/* It does not, or not any more. 1; 0: the account is gone; -1. */
int consent_refuse(struct call *call, const char *owner, const char *address) CHECKED;

/* For the end of a conversation's mail: the address of the page where it is taken back. */
int consent_link(struct call *call, const char *address, char **ret) CHECKED;

/* Does a plan name an address that has yet to agree? *ret, or NULL; the row's status says so, in memory, if it says nothing else. */
int consent_note(struct call *call, struct integration_row *row, const char **ret) CHECKED;

extern const struct job_kind consent_job;

#endif
