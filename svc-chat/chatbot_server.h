/*
 * chatbot_server: a chatbot as what an MCP server offers: the tools `search` and `ask`, and its documents as resources. The
 * protocol is svc-chat/mcp_server's.
 */
#ifndef PARLEY_CHAT_CHATBOT_SERVER_H
#define PARLEY_CHAT_CHATBOT_SERVER_H

#include "chatbots.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/mcp_server/mcp_server.h"
#include "svc-chat/turn/ask.h"

/* What the methods need: the server's arg. */
struct chatbot_served {
	struct call *call; /* acts for the chatbot's owner */
	Chatbots__FoundChatbot *found;
	atomic_bool stop; /* nobody wants the answer any more */
	void (*wake)(void *arg);
	void *wake_arg;

	/* Its own: of what it is asked. */
	struct served *request;
	struct ask ask;
	bool searched;
	int64_t told_ms; /* monotonic: when progress was told last */
	int64_t characters;
	struct text answer;
};

/* Of that chatbot; lives in the call's arena. */
struct mcp_server *chatbot_server(struct chatbot_served *bot);
/* Of a request that waits (SERVED_WAITS): to be called when wake() was, at chatbot_server_until(), or when `stop` has become
 * true, until it waits no more; then its reply is made. */
enum served_outcome chatbot_server_go_on(struct chatbot_served *bot, struct mcp_server_reply *ret);
int64_t chatbot_server_until(const struct chatbot_served *bot); /* monotonic ms; 0: there is no such time */

#endif
