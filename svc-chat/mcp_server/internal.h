/* internal: a message as read.c understands it, for serve.c. */
#ifndef PARLEY_MCP_SERVER_INTERNAL_H
#define PARLEY_MCP_SERVER_INTERNAL_H

#include "svc-chat/mcp_server/mcp_server.h"

extern const char *const mcp_server_versions[]; /* all that are spoken, newest first; ended by NULL */

enum heard_kind { HEARD_REQUEST, HEARD_NOTIFICATION, HEARD_ANSWER };

struct heard_message {
	enum heard_kind kind;
	const char *id; /* as JSON; "null" when it cannot be known */
	const char *method;
	bool modern;
	const char *version; /* that the client says it speaks */
	json_object *params; /* an object; `own` where the message has none */
	/* Of a refusal: */
	int code;
	const char *message, *data;
};

/* 0, or -1 with a code. */
int heard_read(json_object *root, const struct mcp_server_heard *heard, struct heard_message *ret,
               struct arena *a);
/* The headers of 2026 say what the body says. name: the member of params that Mcp-Name repeats; NULL: none. */
int heard_check_headers(const struct mcp_server_heard *heard, struct heard_message *m, const char *name,
                        struct arena *a);

#endif
