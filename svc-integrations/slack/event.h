/*
 * slack/event: what Slack tells us (Events API), as a struct, and whether it is anything to answer.
 */
#ifndef PARLEY_SLACK_EVENT_H
#define PARLEY_SLACK_EVENT_H

#include <stdbool.h>

#include "common/json/json.h"

enum slack_event_kind {
	SLACK_OTHER,     /* nothing for us */
	SLACK_CHALLENGE, /* url_verification: Slack checks this address */
	SLACK_QUESTION,  /* a mention, a direct message, or a message in a thread */
	SLACK_GONE,      /* app_uninstalled, tokens_revoked */
	SLACK_LIMITED,   /* app_rate_limited */
	SLACK_HOME,      /* app_home_opened, of the tab that is ours */
};

/* Texts live as long as the JSON they were read from; absent ones are "". */
struct slack_event {
	enum slack_event_kind kind;
	const char *challenge;
	const char *team, *app, *id;
	const char *type; /* of the inner event: "app_mention" */
	const char *channel, *user, *text, *ts;
	const char *thread; /* the thread to answer in: the message's own, or the one that it begins */
	bool in_thread;     /* the message is a reply */
	bool direct;        /* in a direct message */
	bool mention;       /* app_mention */
};

void slack_event_read(json_object *body, struct slack_event *ret);

/* Whether a message is the bot's own, another bot's, or tells of a change: nothing to answer, and never a loop. */
bool slack_message_is_from_person(json_object *message, const char *bot_user);

/* The text without the mention of the bot, its ends trimmed; in the arena. */
char *slack_text_without_mention(const char *text, const char *bot_user, struct arena *a);

#endif
