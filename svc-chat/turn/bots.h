/* bots: chatbots, as svc-chatbots tells of them; and acting for their owners. */
#ifndef PARLEY_CHAT_BOTS_H
#define PARLEY_CHAT_BOTS_H

#include "chatbots.pb-c.h"
#include "common/service/service.h"

/* The caller's own. ERROR_NOT_FOUND when it is not there, or somebody else's. */
int bots_get(struct call *call, const char *id, Chatbots__Chatbot **ret) CHECKED;
/* Whoever owns it: for visitors. */
int bots_find(struct call *call, const char *id, Chatbots__Chatbot **ret) CHECKED;

/* The same call on behalf of somebody else: of the owner of what a visitor sees. Lives as long as the call. */
struct call bots_call_for(const struct call *call, const char *owner_id);

/* The same call with a nearer deadline: asking another service must not take the time that a model needs. */
struct call bots_nearer(const struct call *call);

#endif
