/*
 * slack/respond: the answer to a slash command, for its asker's eyes alone.
 *
 * Slack takes five messages at a command's response_url, and keeps none of them where we could look: how many have come through
 * stands in our own table, so that a run after a failure goes on behind them. One of which nobody knows whether it came is sent again.
 */
#ifndef PARLEY_SLACK_RESPOND_H
#define PARLEY_SLACK_RESPOND_H

#include "common/service/call.h"
#include "svc-integrations/slack/api.h"
#include "svc-integrations/slack/render.h"

struct responding {
	struct call *call;
	const struct slack *slack;
	const char *owner, *job, *url;
};

/* The first in place of "Looking it up"; of more than Slack takes the last, which has the sources, and a word on what is left out. */
int respond_all(const struct responding *r, const struct slack_post *posts, size_t count) CHECKED;

/* In place of "Looking it up", or behind the parts that have come through. */
int respond_line(const struct responding *r, const char *line) CHECKED;

#endif
