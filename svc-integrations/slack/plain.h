/*
 * slack/plain: what a person wrote, as he saw it. In Slack's texts <, > and & stand as entities, and what means more than its letters
 * stands in angle brackets: <@U1>, <#C1|general>, <!here>, <https://shop.example|our shop>.
 */
#ifndef PARLEY_SLACK_PLAIN_H
#define PARLEY_SLACK_PLAIN_H

#include <stdbool.h>

#include "common/base/arena.h"

/* In the arena: "our shop (https://shop.example)", "#general", "@here"; mentions of the bot (NULL: unknown) are left out, and blanks at
 * both ends. */
char *slack_plain(const char *text, const char *bot_user, struct arena *a);

/* Is the bot mentioned there? */
bool slack_mentions(const char *text, const char *bot_user);

#endif
