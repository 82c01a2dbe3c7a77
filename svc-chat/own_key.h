/*
 * own_key: the key of a model provider that a user has stored, for their chats and those of their chatbots' visitors.
 *
 * Known for half a minute, so that a turn does not wait for svc-auth. Without svc-auth there is none.
 */
#ifndef PARLEY_CHAT_OWN_KEY_H
#define PARLEY_CHAT_OWN_KEY_H

#include "common/service/call.h"

struct own_keys;
struct own_keys *own_keys_open(void);
void own_keys_close(struct own_keys *keys);

/* Of the call's owner: NULL when there is none. url: where it holds, "" for the operator's endpoint. In the arena. */
int own_key(struct call *call, const char **key, const char **url) CHECKED;

#endif
