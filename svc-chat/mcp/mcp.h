/*
 * mcp: a client of the Model Context Protocol over HTTP (modelcontextprotocol.io), of both eras: 2026-07-28, where every
 * request stands alone, and 2025-11-25 down to 2024-11-05, where a session is opened first. Knows no chat, table or user.
 *
 * A struct mcp is one conversation with one server on behalf of one user; it belongs to one thread at a time. Its texts
 * live in its arena. Everything waits for the server, but no longer than until `deadline`.
 *
 * Failures: ERROR_UNAUTHENTICATED or ERROR_FORBIDDEN: the server wants a sign-in, `challenge` says how;
 * ERROR_UPSTREAM: it is no MCP server, or says no; ERROR_TOO_LARGE; ERROR_UNKNOWN_OUTCOME: a call was sent and no answer
 * came; ERROR_INVALID: an address that may not be reached.
 */
#ifndef PARLEY_MCP_H
#define PARLEY_MCP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/egress/egress.h"
#include "common/json/json.h"

enum {
	MCP_MAX_BYTES = 4 << 20, /* of one answer */
	MCP_MAX_TOOLS = 1000,    /* of one server; more are left out */
};

#define MCP_STATELESS_VERSION "2026-07-28"

enum mcp_era {
	MCP_UNKNOWN,
	MCP_STATELESS, /* 2026-07-28 */
	MCP_SESSIONS,  /* 2025-x */
	MCP_EVENTS,    /* 2024-11-05: all that the server says comes on one stream of events */
};

struct mcp_tool {
	const char *name, *title, *description;
	const char *input_schema; /* JSON object */
	const char *annotations;  /* JSON object, or NULL */
	bool read_only;           /* annotations.readOnlyHint */
};

/*
 * A call that waits for what its user says. Nothing is kept open for it: `resume` is all that is needed to go on with it, in
 * any process (JSON; as secret as a session). questions: params of elicitation/create, a JSON object each.
 */
struct mcp_pause {
	const char *resume; /* NULL: it does not wait */
	const char **questions;
	size_t count;
};

struct mcp {
	/* Given. */
	struct egress *egress;
	struct arena *arena;
	const char *url;
	const char *const *headers; /* of the user's own: "Name: value", ended by NULL; may be NULL */
	const char *bearer;         /* NULL: none */
	int64_t deadline;           /* monotonic ms */
	const atomic_llong *held;   /* ms more than that, for people; may grow meanwhile, may be NULL */
	const atomic_bool *cancelled;
	bool elicits; /* there is a user who can be asked (elicitation/create); set with the two below */
	bool pauses;  /* a call stops for that where it can be gone on with later: `pause` */
	/* Where it cannot, while the server waits: the answer to these params, {"action": ...}, which becomes ours. NULL: it is
	 * declined. With sessions it may come from another thread. */
	json_object *(*ask_user)(void *arg, json_object *params);
	atomic_bool *tools_changed; /* set when the server says so, on whatever stream; may be NULL */
	void (*on_progress)(void *arg, double progress, double total, const char *message); /* may be NULL */
	void *arg;

	/* Learned, and good to start with another time. */
	enum mcp_era era;
	const char *version;   /* NULL: not agreed yet */
	const char *session;   /* of MCP_SESSIONS; NULL: none */
	const char *challenge; /* WWW-Authenticate of a 401 or 403 */

	bool heard;             /* it has answered something in this conversation, whatever it was */
	struct mcp_pause pause; /* why a call gave no result */

	int64_t last_id;
	struct mcp_listener *listener; /* NULL: none */
	struct mcp_events *events;     /* of MCP_EVENTS; NULL: none */
};

/* What to begin with: the user says that it is of the oldest kind; it was found to be of an older one. */
enum mcp_era mcp_first_era(bool events, bool sessions);

/* Agree on a version, and open a session where the server has them. Called by the others when needed. */
int mcp_open(struct mcp *m, struct error *err) CHECKED;
void mcp_close(struct mcp *m); /* tells the server that the session is over; cannot fail */

/* All tools, page after page. Those whose schema demands what HTTP cannot carry are left out. *ttl_ms: how long the server
 * says that they are good; -1: it does not say. */
int mcp_list_tools(struct mcp *m, struct mcp_tool **ret, size_t *count, int64_t *ttl_ms,
                   struct error *err) CHECKED;

/* Sent once. *ret is the caller's: the result with content, structuredContent, isError; NULL when it pauses. `tool` may be
 * NULL where its schema is not known. */
int mcp_call_tool(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments,
                  json_object **ret, struct error *err) CHECKED;
/* Go on with a call that paused. answers: {"action", "content"} for each of its questions, ended
 * by NULL; it may pause again. */
int mcp_resume_tool(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments,
                    const char *resume, json_object *const *answers, json_object **ret,
                    struct error *err) CHECKED;

#endif
