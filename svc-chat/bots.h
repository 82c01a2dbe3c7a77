/*
 * bots: the chatbots that were asked lately, with their curated answers, so that a message does not ask svc-chatbots
 * each time. One that changes is forgotten as soon as that is told (NOTIFY), and in any case after a minute.
 */
#ifndef PARLEY_CHAT_BOTS_H
#define PARLEY_CHAT_BOTS_H

#include "chatbots.pb-c.h"
#include "common/service/call.h"

struct bots;
int bots_open(const char *database_url, struct bots **ret, struct error *err) CHECKED;
void bots_close(struct bots *bots);

/* The caller's own, or (for visitors, whose call has no owner) anybody's: 1 with a copy in the arena, or 0. *seen is for
 * bots_keep(). */
int bots_find(struct bots *bots, const char *owner, const char *id, Chatbots__FoundChatbot **ret,
              uint64_t *seen, struct arena *a);
/* What svc-chatbots has answered. Not kept when anything changed since bots_find(). */
void bots_keep(struct bots *bots, const Chatbots__FoundChatbot *found, uint64_t seen);

#endif
