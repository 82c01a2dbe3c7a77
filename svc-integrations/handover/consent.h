/*
 * handover/consent: does somebody want the conversations that are to be mailed to his address? It is asked by a mail with a link; the
 * owner's own address, which he has confirmed, is not asked. Until it agrees nothing else goes there. It is taken back, of the
 * owner's own as well: then nothing goes there, and nobody asks any more.
 *
 * Two links. The question's, and the letter's, take the answer. The one below each conversation has such a letter sent, at most once a
 * day, and does no more: whoever gets a reply to that mail may find it there.
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

/* What a link's token says; below: it is one of those below conversations. 1 with all in the arena, 0: it is none, or too old; -1. */
struct consent_link {
	const char *owner, *address;
	bool below;
};
int consent_read(struct call *call, const char *token, struct consent_link *ret) CHECKED;
/* The letter, unless it was sent within a day. */
int consent_send_letter(struct call *call, const struct consent_link *link) CHECKED;
/* It does from now on: what has waited for it goes now. 1; 0: it is asked no more (the account is gone); -1. */
int consent_take(struct call *call, const char *owner, const char *address) CHECKED;
/* It does not, or not any more. 1; 0: the account is gone; -1. */
int consent_refuse(struct call *call, const char *owner, const char *address) CHECKED;

/* For the end of a conversation's mail: the address of the page that has the letter sent. */
int consent_link_below(struct call *call, const char *address, char **ret) CHECKED;

/* Does a plan name an address that has yet to agree? *ret, or NULL; the row's status says so, in memory, if it says nothing else. */
int consent_note(struct call *call, struct integration_row *row, const char **ret) CHECKED;

extern const struct job_kind consent_job;

#endif
