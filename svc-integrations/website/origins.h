/*
 * website/origins: the chatbot's `allowedOrigins` say which pages may show it; website integrations write theirs into it.
 */
#ifndef PARLEY_WEBSITE_ORIGINS_H
#define PARLEY_WEBSITE_ORIGINS_H

#include "common/service/call.h"

/* What one integration allows for one chatbot (NULL: none). */
struct site {
	const char *chatbot_id;
	const char *config; /* of the integration, JSON; NULL: it allows nothing (any more) */
};

/* Take the origins of `before` out of its chatbot's and put those of `now` into its. Asks svc-chatbots: not within a
 * transaction. ERROR_NOT_FOUND: no such chatbot of the caller. */
int origins_move(struct call *call, const struct site *before, const struct site *now) CHECKED;

/* May pages of that origin show it, as its settings are? 1, 0, -1. */
int origins_allow(struct call *call, const char *chatbot_id, const char *origin) CHECKED;

/* The line for the site's pages; NULL without a chatbot. */
char *embed_code(const char *public_url, const char *chatbot_id, struct arena *a);

#endif
