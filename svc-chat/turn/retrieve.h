/* retrieve: what a turn needs of others: the chatbot, as svc-chatbots tells of it; and acting for its owner. */
#ifndef PARLEY_CHAT_RETRIEVE_H
#define PARLEY_CHAT_RETRIEVE_H

#include "chatbots.pb-c.h"
#include "common/service/call.h"

/* The caller's own, with its curated answers; whoever owns it for visitors, whose call has no owner. ERROR_NOT_FOUND when
 * it is not there, or somebody else's. */
int retrieve_chatbot(struct call *call, const char *id, Chatbots__FoundChatbot **ret) CHECKED;
/* A copy that lives in another arena. */
Chatbots__FoundChatbot *retrieve_copy(const Chatbots__FoundChatbot *bot, struct arena *a);
/* For visitors: ERROR_FORBIDDEN while the call's owner is disabled. An svc-auth that does not say keeps nobody out. */
int retrieve_open_owner(struct call *call) CHECKED;

/* The same call on behalf of somebody else: of the owner of what a visitor sees. Lives as long as the call. */
struct call retrieve_call_for(const struct call *call, const char *owner_id);

/* The same call with a nearer deadline: asking another service must not take the time that a model needs. */
struct call retrieve_nearer(const struct call *call);

#endif
