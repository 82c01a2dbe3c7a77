/*
 * slack/said: what a message says, as its author sees it: its text; of one that has blocks alone, theirs; and behind it the messages that
 * he shares with it, or, where he writes nothing, whatever is attached.
 */
#ifndef PARLEY_SLACK_SAID_H
#define PARLEY_SLACK_SAID_H

#include <stdbool.h>

#include "common/json/json.h"

/* "" where there are no words. bot_user: what mentions of it say is left out. */
char *slack_said(json_object *message, const char *bot_user, struct arena *a);

/* Something comes with it that is no words: a picture, a recording. */
bool slack_has_files(json_object *message);

#endif
