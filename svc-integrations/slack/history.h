/*
 * slack/history: a thread, or a direct conversation, as the history of a chat.
 */
#ifndef PARLEY_SLACK_HISTORY_H
#define PARLEY_SLACK_HISTORY_H

#include "chat.pb-c.h"
#include "svc-integrations/slack/api.h"

struct slack_place {
	const char *channel, *thread,
	    *ts; /* ts: the question's own, of which the history is what came before */
	bool direct;
	const char *bot_user, *bot; /* who we are there */
	const char *job;            /* whose messages count as posted */
};

struct slack_history {
	Chat__PastMessage **messages; /* oldest first */
	size_t count;
	size_t posted;     /* messages of this job that are there already, from the first on */
	const char *first; /* the ts of the first of them; NULL */
	const char *
	    unnamed; /* of one of ours behind the question that bears no job: a stream that was cut off; NULL */
};

/* What Slack does not let us read is an empty history. -1: Slack cannot be reached, or asks to wait. */
int slack_history_read(const struct slack *slack, const char *token, const struct slack_place *place,
                       struct slack_history *ret, struct arena *a, struct error *err) CHECKED;

#endif
