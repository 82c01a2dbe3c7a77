/*
 * mcp: a client of the Model Context Protocol over HTTP (modelcontextprotocol.io), of both eras: 2026-07-28, where every
 * request stands alone, and 2025-11-25 down to 2024-11-05, where a session is opened first. Knows no chat, table or user.
 *
 * A struct mcp is one conversation with one server on behalf of one user; it belongs to one thread at a time. Nothing here
 * waits: one thing is begun, and gone on with whenever something has come (egress.h: one thread for all that is under way).
 *
 *	mcp_begin_call(m, name, tool, arguments);
 *	while ((more = mcp_go_on(m, err)) > 0)
 *		... until m->wake was called, m->until has come, or *m->cancelled has become true ...
 *	if (more == 0) ... m->result, or m->pause ...
 *	mcp_close(m);
 *
 * Failures: ERROR_UNAUTHENTICATED or ERROR_FORBIDDEN: the server wants a sign-in, `challenge` says how;
 * ERROR_UPSTREAM: it is no MCP server, or says no; ERROR_TOO_LARGE; ERROR_UNKNOWN_OUTCOME: a call was sent and no answer
 * came; ERROR_INVALID: an address that may not be reached; ERROR_UNAVAILABLE: cancelled.
 */
#ifndef PARLEY_MCP_H
#define PARLEY_MCP_H

#include <pthread.h>
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
	int64_t deadline;           /* monotonic ms; grows while the user is asked */
	const atomic_bool *cancelled;
	void (*wake)(void *arg); /* something has come: from another thread, quick */
	void *wake_arg;
	bool once;    /* a call must not be sent twice, whatever becomes of a connection */
	bool elicits; /* there is a user who can be asked (elicitation/create); set with the two below */
	bool pauses;  /* a call stops for that where it can be gone on with later: `pause` */
	/* Where it cannot, while the server waits: the answer to these params, {"action": ...}, which becomes ours. NULL: where
	 * it can wait it comes by mcp_answer(), and nothing else is asked before; else it is declined. */
	json_object *(*ask_user)(void *arg, json_object *params);
	void (*on_progress)(void *arg, double progress, double total, const char *message); /* may be NULL */
	void *arg;

	/* Learned, and good to start with another time. */
	enum mcp_era era;
	const char *version;   /* NULL: not agreed yet */
	const char *session;   /* of MCP_SESSIONS; NULL: none */
	int64_t last_id;       /* of the session's requests */
	bool silent;           /* the session has no stream on which the server would speak by itself */
	const char *challenge; /* WWW-Authenticate of a 401 or 403 */

	/* What came of it. */
	int64_t until;      /* monotonic ms: when to go on without having been woken; 0: no such time */
	bool heard;         /* the server has answered something in this conversation, whatever it was */
	bool sent;          /* the call was: it may have been done */
	bool tools_changed; /* the server says so, on whatever stream */
	struct mcp_tool *tools;
	size_t tool_count;
	int64_t ttl_ms; /* how long the server says that they are good; -1: it does not say */
	json_object *
	    result; /* with content, structuredContent, isError; NULL: it pauses. Gone with what is begun next */
	struct mcp_pause pause; /* why a call gave no result */

	struct mcp_wire *wire; /* NULL: nothing was begun */
};

/* What to begin with: the user says that it is of the oldest kind; it was found to be of an older one. */
enum mcp_era mcp_first_era(bool events, bool sessions);

/* All tools, page after page. Those whose schema demands what HTTP cannot carry are left out. */
void mcp_begin_list(struct mcp *m);
/* Sent once. `tool` may be NULL where its schema is not known. */
void mcp_begin_call(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments);
/* Go on with a call that paused. answers: {"action", "content"} for each of its questions, ended
 * by NULL; it may pause again. */
void mcp_begin_resume(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments,
                      const char *resume, json_object *const *answers);
/* 1: it waits; 0: it is done; -1. */
int mcp_go_on(struct mcp *m, struct error *err) CHECKED;
/* What ask_user() has left open. */
void mcp_answer(struct mcp *m, json_object *answer);
/* Whatever is under way ends here. What was opened at the server is over, and it is told so; leave it to somebody else by
 * taking `session` first. Nothing is heard of `wake` any more. */
void mcp_close(struct mcp *m);

/* For who has a thread that can wait: `wake` and wake_arg of any number of conversations. */
struct mcp_waiter {
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool woken;
};
void mcp_waiter_init(struct mcp_waiter *w);
void mcp_waiter_done(struct mcp_waiter *w);
void mcp_waiter_wake(void *waiter);
void mcp_waiter_wait(struct mcp_waiter *w, int64_t until /* monotonic ms; 0: no such time */);
/* Go on until it is over: 0, -1. */
int mcp_wait(struct mcp *m, struct mcp_waiter *w, struct error *err) CHECKED;

#endif
