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

/* The names of our buttons, and what each sends: "<what> <session> <message>". */
#define SLACK_RATE "parley_rate"
#define SLACK_STOP "parley_stop"

struct slack_post {
	const char *text;   /* for notifications, and for clients that show no blocks */
	const char *blocks; /* JSON; NULL: the text alone */
	/* The same in two pieces, for a stream: the Markdown, and the blocks that come below (or NULL). */
	const char *markdown, *below;
};

/* The messages, in order; at least one. The last has the sources, and thumbs where the answer is stored (session_id). page: where sources
 * are shown that stand on no page of the web (slack/sources.h); NULL: nowhere. */
struct slack_post *slack_render(const Chat__Message *reply, const char *page, size_t *count, struct arena *a);

/* The block with the button that ends an answer. */
const char *slack_stop_block(const char *session, const char *message, struct arena *a);

/* What can be shown of an answer that is being written: a beginning of what slack_defuse() will make of all of it. */
const char *slack_render_so_far(const char *markdown, struct arena *a);

/* Text that stands in mrkdwn: it pings nobody and links nowhere. */
char *slack_escape(const char *text, struct arena *a);

/* Defused Markdown. For tests, too. */
char *slack_defuse(const char *markdown, struct arena *a);

#endif
