/*
 * mcp_server: the server's side of the Model Context Protocol over Streamable HTTP, in both eras at one address: 2026-07-28,
 * where each request says all there is to know (`_meta`), and 2025-11-25 and before, where `initialize` comes first. No
 * sessions: nothing is remembered between two messages. Knows no HTTP library, no table and no chatbot.
 *
 *	mcp_server_hear(&server, &heard, NULL, arena, &reply)
 *
 * reads one POST and answers it, through the methods that the server has. A method that wants to speak before its result is
 * there (progress, logs, questions to the client) or that takes long gives SERVED_LATER, and has done nothing; then the same
 * is heard again with a way to send, each message an event of the answer's stream, and the reply's body is the last of them.
 * One that waits for others meanwhile gives SERVED_WAITS, and served_answer() makes the reply once it is done.
 *
 * Whoever calls has checked Origin and credentials, and that the client takes both JSON and event streams.
 */
#ifndef PARLEY_MCP_SERVER_H
#define PARLEY_MCP_SERVER_H

#include <stdbool.h>

#include "common/base/text.h"
#include "common/json/json.h"

#define MCP_SERVER_MODERN "2026-07-28"

/* Codes of JSON-RPC and of MCP. */
enum {
	SERVED_PARSE_ERROR = -32700,
	SERVED_INVALID_REQUEST = -32600,
	SERVED_NO_METHOD = -32601,
	SERVED_INVALID_PARAMS = -32602,
	SERVED_INTERNAL = -32603,
	SERVED_HEADER_MISMATCH = -32020,
	SERVED_NO_CAPABILITY = -32021,
	SERVED_NO_VERSION = -32022,
};

enum served_outcome { SERVED_DONE, SERVED_FAILED, SERVED_LATER, SERVED_WAITS };

/* What came: the body, and those headers (NULL when absent). */
struct mcp_server_heard {
	const char *body;
	size_t size;
	const char *version; /* MCP-Protocol-Version */
	const char *method;  /* Mcp-Method */
	const char *name;    /* Mcp-Name */
};

/* How to send a message before the answer. */
struct mcp_server_voice {
	void (*send)(void *arg, const char *json);
	void *arg;
};

/* A request as a method of the server gets it. */
struct served {
	const struct mcp_server *server;
	struct arena *arena;
	bool modern;
	/* While its method is called, and no longer: */
	json_object *params;       /* an object */
	json_object *capabilities; /* the client's; NULL before 2026, where they were told once */
	const char *log_level;     /* that it wants to hear of; NULL: of none (in 2026) */

	const char *progress_token;           /* as JSON; NULL: it wants no progress */
	const struct mcp_server_voice *voice; /* NULL: give SERVED_LATER to be heard again */

	/* The members of the result, without braces: "\"tools\":[]". */
	struct text result;
	bool input_required; /* the result asks for more (in 2026): resultType */
	/* Of a failure; data is JSON, or NULL. */
	int code;
	const char *message, *data;

	/* Its own. */
	const char *id; /* as JSON */
	bool kept;      /* the result says how long it may be kept */
};

typedef enum served_outcome mcp_server_method(struct served *r);

struct mcp_server {
	const char *name, *title, *version, *instructions; /* the latter may be NULL */
	int64_t lists_last_ms;                             /* how long lists may be kept */
	void *arg;
	/* NULL: not offered, which is what the capabilities say. */
	mcp_server_method *list_tools, *call_tool;
	mcp_server_method *list_resources, *list_templates, *read_resource, *subscribe, *unsubscribe;
	mcp_server_method *list_prompts, *get_prompt, *complete, *set_level;
	/* What a client said to a question of ours (before 2026); NULL: none is ever asked. id: as JSON. */
	void (*take_answer)(void *arg, const char *id, json_object *message);
};

struct mcp_server_reply {
	int status;       /* 200; 202: no body */
	const char *body; /* in the arena */
};
/* SERVED_DONE, SERVED_LATER or SERVED_WAITS. Every mistake of the client's is an answer. */
enum served_outcome mcp_server_hear(const struct mcp_server *server, const struct mcp_server_heard *heard,
                                    const struct mcp_server_voice *voice, struct arena *a,
                                    struct mcp_server_reply *ret);

/* The reply to a request that waited; outcome: SERVED_DONE or SERVED_FAILED. */
void served_answer(const struct served *r, enum served_outcome outcome, struct mcp_server_reply *ret);

/* For methods: fails with that code. data: JSON, or NULL. */
enum served_outcome served_fail(struct served *r, int code, const char *message, const char *data);
/* "notifications/progress", where the client wants them. total 0: unknown. message may be NULL. */
void served_progress(const struct served *r, double progress, double total, const char *message);
/* A member of the arguments of tools/call or prompts/get. */
json_object *served_argument(const struct served *r, const char *name);

#endif
