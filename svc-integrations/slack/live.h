/*
 * slack/live: an answer in Slack while it is written, and as it then stays. It streams where the app may
 * (chat.startStream and its kin), else one message is written over every second or so, with a button that stops it. What
 * does not fit one message follows in others.
 *
 * Another run of the job goes on with the message that was begun: its ts is stored, and each message names its job.
 */
#ifndef PARLEY_SLACK_LIVE_H
#define PARLEY_SLACK_LIVE_H

#include "common/job/job.h"
#include "svc-integrations/slack/api.h"
#include "svc-integrations/slack/render.h"

struct slack_live {
	struct call *call;
	const struct slack *slack;
	const char *owner, *token, *job;
	const char *channel, *thread, *team, *user;
	enum { LIVE_NONE, LIVE_STREAM, LIVE_REWRITE } mode;
	const char *ts;    /* of the message; NULL: there is none yet */
	const char *shown; /* what stands in it */
	int64_t next_ms;   /* monotonic: not before */
	size_t posted;     /* messages that an earlier run has posted */
	bool no_stream;    /* the app may not */
	bool torn;         /* nobody knows what stands in the stream: its end writes over it */
};

/* What an earlier run of the job has left. unnamed: a message that may be the one that it began. */
int slack_live_resume(struct slack_live *live, const char *first, const char *unnamed) CHECKED;

/* The answer so far. -1: it could not be begun; that it could not be gone on with matters to nobody. */
int slack_live_show(struct slack_live *live, const char *session, const char *message,
                    const char *text) CHECKED;

/* The answer as it stays. *why: Slack's word where it refuses (0); 1 done, -1 not now. */
int slack_live_end(struct slack_live *live, const struct slack_post *posts, size_t count,
                   const char **why) CHECKED;

#endif
