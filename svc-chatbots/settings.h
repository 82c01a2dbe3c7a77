/*
 * settings: the free object that says how a chatbot behaves. Known keys were checked by the gateway against
 * chatbots.ChatbotSettings; unknown ones belong to the frontend and are kept.
 */
#ifndef PARLEY_CHATBOTS_SETTINGS_H
#define PARLEY_CHATBOTS_SETTINGS_H

#include "chatbots.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"

/*
 * `current` (complete, or NULL for a new chatbot) changed by `patch` (a JSON object, or NULL): objects merge, arrays
 * replace, null brings the default back (or drops a key that has none). The result is complete, in the arena.
 */
int settings_apply(const char *current, const char *patch, const char **ret, struct arena *a,
                   struct error *err) CHECKED;

/* As `before` has them, but for who may come: as `now` has it, since nobody means to open a chatbot to the world
 * (allowedOrigins, which website integrations write, too), or to trust a secret again that was given up
 * (identityVersion), by taking a text back. */
int settings_as_before(const char *before, const char *now, const char **ret, struct arena *a,
                       struct error *err) CHECKED;

/* What a website may know: nothing but appearance, welcome message and suggested questions. */
int settings_for_widget(const char *settings, Chatbots__WidgetSettings **ret, struct arena *a,
                        struct error *err) CHECKED;

#endif
