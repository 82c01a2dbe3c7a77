/*
 * chatbot_server: a chatbot as what an MCP server offers: the tools `search` and `ask`, and its documents as resources. The
 * protocol is svc-chat/mcp_server's.
 */
#ifndef PARLEY_CHAT_CHATBOT_SERVER_H
#define PARLEY_CHAT_CHATBOT_SERVER_H

#include "chatbots.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/mcp_server/mcp_server.h"

/* What the methods need: the server's arg. */
struct chatbot_served {
	struct call *call; /* acts for the chatbot's owner */
	Chatbots__FoundChatbot *found;
	atomic_bool stop;       /* nobody wants the answer any more */
	struct served *request; /* that is worked on */
	int64_t told_ms;        /* monotonic: when progress was told last */
	int64_t characters;
	struct text answer;
};

/* Of that chatbot; lives in the call's arena. */
struct mcp_server *chatbot_server(struct chatbot_served *bot);

#endif
