/*
 * slack/place: what an integration's config says of a channel: `channels` {"C0123": "<chatbot>"}: who answers there; `ephemeral`
 * (true, or a list of channels): whether the asker alone sees the answers.
 */
#ifndef PARLEY_SLACK_PLACE_H
#define PARLEY_SLACK_PLACE_H

#include <stdbool.h>

#include "common/base/arena.h"

/* channel may be NULL; otherwise: the integration's own chatbot. */
const char *place_chatbot(const char *config, const char *channel, const char *otherwise, struct arena *a);
bool place_is_ephemeral(const char *config, const char *channel);

#endif
