/* state: what lives as long as svc-chat; every handler finds it by chat_state(call). Made and freed in main.c. */
#ifndef PARLEY_CHAT_STATE_H
#define PARLEY_CHAT_STATE_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/job/job.h"
#include "common/secret/secret.h"

enum { CHAT_KINDS = 3 };

struct chat {
	unsigned char key[KEY_SIZE];          /* of what is sealed: sealed.h */
	unsigned char visitors_key[KEY_SIZE]; /* of what sites sign: visitor.h */
	struct peer *auth, *chatbots, *documents;
	struct own_keys *own_keys;
	struct bots *bots;
	struct egress *egress;
	struct model *builtin, *openai; /* openai: NULL when no endpoint is configured */
	struct model *deepseek;         /* of ChatConnect's chats; NULL: the same as others */
	const char *deepseek_model;
	struct keeper *keeper;
	const char *public_url, *oauth_return_url; /* oauth_return_url "": pages say how a sign-in went */
	struct configured_client *oauth_clients;
	struct arena oauth_arena; /* holds them */
	struct owners *owners;
	struct idle *idle;                 /* of MCP servers */
	struct job_kind kinds[CHAT_KINDS]; /* what is done by jobs */
	struct job_runner *jobs;
	int64_t servers_per_user; /* MCP servers that one may have */
	int64_t tool_rounds, tools_seconds, tool_seconds;
	int64_t files_bytes; /* of what tools gave back, that are kept for one user */
	int context_tokens;  /* where a chatbot's settings do not say */
};

#endif
