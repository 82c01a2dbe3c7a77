/*
 * tools/run: one call of a tool of an MCP server, sent once; it holds no thread while it waits. No table is touched here.
 *
 *	tool_begin(run, arena);
 *	while (tool_go_on(run)) ... until wake was called, run->m.until has come, or *cancelled has become true ...
 *	tool_end(run);
 */
#ifndef PARLEY_TOOLS_RUN_H
#define PARLEY_TOOLS_RUN_H

#include <stdatomic.h>

#include "common/egress/egress.h"
#include "svc-chat/mcp/mcp.h"
#include "svc-chat/tools/idle.h"
#include "svc-chat/tools/result.h"
#include "svc-chat/tools/toolbox.h"

struct tool_run {
	/* Given. */
	struct egress *egress;
	struct idle *sessions; /* kept from one call to the next */
	const char *owner;     /* whose they are */
	const struct tool *tool;
	const char *arguments; /* a JSON object */
	const char *const *headers;
	const char *bearer; /* NULL: none */
	int ms;
	const atomic_bool *cancelled;
	void (*wake)(void *arg);
	void *wake_arg;
	void (*on_progress)(void *arg, double progress, double total, const char *message);
	/* What the server asks while it works, where the call cannot pause for it (mcp.h): answered by mcp_answer(&run->m). */
	json_object *(*ask_user)(void *arg, json_object *params);
	void *arg;
	/* Of a call that paused: with what it goes on, and an answer to each question, ended by NULL. */
	const char *resume;
	const char *const *answers;

	/* What came of it. */
	struct error err;       /* code 0: there is a result */
	bool sent;              /* the server may have done it */
	bool unheard;           /* the server has said nothing at all */
	bool failed;            /* the tool says so, in the result */
	struct mcp_pause pause; /* what its user is asked before there is a result */
	const char *text;
	struct result_file files[RESULT_FILES];
	size_t file_count;
	const char *challenge; /* of a sign-in that is wanted */

	struct mcp m;
	const char *key; /* of its session */
};

/* Everything lives in the arena. */
void tool_begin(struct tool_run *run, struct arena *a);
bool tool_go_on(struct tool_run *run); /* false: it is over, as `what came of it` says */
void tool_end(struct tool_run *run);

#endif
