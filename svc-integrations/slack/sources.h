/*
 * slack/sources: where the sources below an answer in Slack lead. Who reads there has no account here, so the link itself says which answer it is
 * of (sealed, nothing is stored), for 30 days. It shows the passages that the answer was made of, as the widget does, and no whole document; and
 * nothing once the integration is off or gone, the conversation erased, or the account disabled.
 */
#ifndef PARLEY_SLACK_SOURCES_H
#define PARLEY_SLACK_SOURCES_H

#include "chat.pb-c.h"
#include "svc-integrations/store.h"

struct call;

/* The page of an answer that is stored, in the arena; its n-th source is at "#n". */
int slack_sources_link(struct call *call, const struct integration_row *row, const Chat__Message *answer,
                       char **ret) CHECKED;

/* The answer that a link is of. 1 with *ret, 0: it shows nothing (any more), -1. */
int slack_sources_find(struct call *call, const char *token, Chat__Message **ret) CHECKED;

#endif
