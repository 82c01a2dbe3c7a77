/*
 * visit: what a stranger on a website may do with a chatbot: only where its owner lets it stand (allowedOrigins; none
 * means anywhere), and so often a minute. What is found of it acts for the owner.
 */
#ifndef PARLEY_CHAT_VISIT_H
#define PARLEY_CHAT_VISIT_H

#include "chatbots.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/settings.h"

struct visit {
	Chatbots__Chatbot *bot;
	Chatbots__FoundChatbot *found; /* it, and its curated answers */
	struct settings settings;
	struct call call; /* for the owner; lives as long as the visitor's */
};

/* ERROR_NOT_FOUND, ERROR_FORBIDDEN for another website. */
int visit_any(struct call *call, const char *chatbot_id, struct visit *ret) CHECKED;
/* The same when the owner is known. */
int visit_own(struct call *call, const char *chatbot_id, const char *owner, struct visit *ret) CHECKED;

/* Count a message: 0, or ERROR_TOO_MANY. session: whose; NULL without one. */
int visit_count(struct call *call, const struct visit *v, const char *session) CHECKED;

#endif
