/*
 * slack/answer: the jobs of svc-integrations. A question of Slack's is acknowledged by adding its job; the job finds the
 * conversation so far, asks svc-chat on behalf of the integration's owner, and posts the answer into the thread.
 *
 * A job may run twice. Each message carries the job's id and its place as metadata, so a second run looks into the thread
 * for what the first one posted, and goes on behind it.
 */
#ifndef PARLEY_SLACK_ANSWER_H
#define PARLEY_SLACK_ANSWER_H

#include "common/job/job.h"

extern const struct job_kind answer_jobs[];
extern const size_t answer_job_count;

/* Where a question was asked. */
struct slack_question {
	const char *integration_id;
	const char *channel, *thread, *ts; /* of a message */
	const char *response_url;          /* of a slash command, which has no message; NULL otherwise */
	const char *text, *user;
	bool direct;
};

/* A message: once for its event, which Slack repeats, and once for its text, which may come as two events. In one statement, since Slack
 * waits. */
int answer_take(struct call *call, const char *owner_id, const char *event,
                const struct slack_question *q) CHECKED;
/* In the caller's transaction. */
int answer_later(struct call *call, const char *owner_id, const struct slack_question *q) CHECKED;
/* Slack could not be reached, or told of their end long ago: try the credentials (again), for a day. */
int answer_verify_later(struct call *call, const char *owner_id, const char *integration_id) CHECKED;

#endif
