/*
 * slack/render: an answer in Markdown as messages that Slack takes: "markdown" blocks, of which a message holds at most
 * 12,000 characters, and the sources below the last one.
 *
 * What a model wrote pings nobody and hides no address: <, > and & are written as entities, and a link shows where it
 * leads.
 */
#ifndef PARLEY_SLACK_RENDER_H
#define PARLEY_SLACK_RENDER_H

#include "chat.pb-c.h"
#include "common/base/arena.h"

struct slack_post {
	const char *text;   /* for notifications, and for clients that show no blocks */
	const char *blocks; /* JSON */
};

/* The messages, in order; at least one. */
struct slack_post *slack_render(const Chat__PreviewReply *reply, size_t *count, struct arena *a);

/* Defused Markdown. For tests, too. */
char *slack_defuse(const char *markdown, struct arena *a);

#endif
