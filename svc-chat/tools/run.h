/*
 * tools/run: one call of a tool of an MCP server, sent once. No table is touched here, and no thread's state: several may run
 * at a time, each with an arena of its own.
 */
#ifndef PARLEY_TOOLS_RUN_H
#define PARLEY_TOOLS_RUN_H

#include <stdatomic.h>

#include "common/egress/egress.h"
#include "svc-chat/mcp/mcp.h"
#include "svc-chat/tools/result.h"
#include "svc-chat/tools/toolbox.h"

struct tool_run {
	/* Given. */
	struct egress *egress;
	const struct tool *tool;
	const char *arguments; /* a JSON object */
	const char *const *headers;
	const char *bearer; /* NULL: none */
	int ms;
	const atomic_bool *cancelled;
	void (*on_progress)(void *arg, double progress, double total, const char *message);
	/* What the server asks while it works, where the call cannot pause for it (mcp.h); may come from another thread. */
	json_object *(*ask_user)(void *arg, json_object *params);
	const atomic_llong *held; /* ms that took */
	void *arg;
	/* Of a call that paused: with what it goes on, and an answer to each question, ended by NULL. */
	const char *resume;
	const char *const *answers;

	/* What came of it. */
	struct error err;       /* code 0: there is a result */
	bool sent;              /* the server may have done it */
	bool tools_changed;     /* the server says that it has others now */
	bool unheard;           /* the server has said nothing at all */
	bool failed;            /* the tool says so, in the result */
	struct mcp_pause pause; /* what its user is asked before there is a result */
	const char *text;
	struct result_file files[RESULT_FILES];
	size_t file_count;
	const char *challenge; /* of a sign-in that is wanted */
};

void tool_run(struct tool_run *run, struct arena *a);

#endif
