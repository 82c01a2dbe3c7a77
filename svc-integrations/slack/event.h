/*
 * slack/event: what Slack tells us (Events API), as a struct, and whether it is anything to answer.
 */
#ifndef PARLEY_SLACK_EVENT_H
#define PARLEY_SLACK_EVENT_H

#include <stdbool.h>

#include "common/json/json.h"

enum { SLACK_TEAMS = 3 };

enum slack_event_kind {
	SLACK_OTHER,     /* nothing for us */
	SLACK_CHALLENGE, /* url_verification: Slack checks this address */
	SLACK_QUESTION,  /* a mention, a direct message, or a message in a thread */
	SLACK_GONE,      /* app_uninstalled; tokens_revoked of a bot, team_access_revoked of this workspace */
	SLACK_LIMITED,   /* app_rate_limited */
	SLACK_HOME,      /* app_home_opened, of the tab that is ours */
};

/* Texts live as long as the JSON they were read from; absent ones are "". */
struct slack_event {
	enum slack_event_kind kind;
	const char *challenge;
	/* Whose event it is: the installation that it is sent for, which Slack names apart since in a channel that two companies share the
	 * event may be the other's; where it happened; the organisation. */
	const char *teams[SLACK_TEAMS];
	const char *app, *id;
	int64_t time;     /* when it happened, in seconds; 0: it does not say */
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

#endif
