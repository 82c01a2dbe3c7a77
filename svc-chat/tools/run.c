#include "svc-chat/tools/run.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/json/json.h"
#include "svc-chat/store_tools.h"
#include "svc-chat/tools/result.h"
#include "svc-chat/tools/servers.h"

enum { ANSWERS_MOST = 100 };

static int go_on(struct tool_run *run, struct mcp *m, const struct mcp_tool *tool, json_object *arguments,
                 json_object **ret)
{
	json_object *answers[ANSWERS_MOST + 1] = { NULL };
	size_t n = 0;
	int done = 0;

	for (; done == 0 && run->answers[n] && n < ANSWERS_MOST; n++)
		done = json_parse(run->answers[n], strlen(run->answers[n]), &answers[n], &run->err);
	if (done == 0)
		done = mcp_resume_tool(m, tool->name, tool, arguments, run->resume, answers, ret, &run->err);
	for (size_t i = 0; i < n; i++)
		json_object_put(answers[i]);
	return done;
}

static void call_it(struct tool_run *run, struct mcp *m)
{
	OWN(json) json_object *arguments = NULL, *result = NULL;
	const struct mcp_tool tool = { .name = run->tool->own_name, .input_schema = run->tool->schema };

	if (json_parse(run->arguments, strlen(run->arguments), &arguments, &run->err) < 0)
		return;
	if (!run->resume && mcp_open(m, &run->err) < 0)
		return;
	run->sent = true;
	if ((run->resume ? go_on(run, m, &tool, arguments, &result)
	                 : mcp_call_tool(m, run->tool->own_name, &tool, arguments, &result, &run->err)) < 0)
		return;
	run->pause = m->pause;
	if (run->pause.resume)
		return;
	run->failed = result_failed(result);
	run->text = result_text(result, STORE_RESULT, m->arena);
	run->file_count = result_files(result, run->files, m->arena);
}

void tool_run(struct tool_run *run, struct arena *a)
{
	atomic_bool changed = false;
	struct mcp m = {
		.egress = run->egress,
		.arena = a,
		.url = run->tool->server->uri,
		.headers = run->headers,
		.bearer = run->bearer,
		.deadline = clock_mono_ms() + run->ms,
		.cancelled = run->cancelled,
		/* which it is was learned when its tools were listed */
		.era = servers_of_events(run->tool->server) ? MCP_EVENTS
		       : run->tool->server->sessions        ? MCP_SESSIONS
		                                            : MCP_STATELESS,
		.version = run->tool->server->sessions ? NULL : MCP_STATELESS_VERSION,
		.tools_changed = &changed,
		.on_progress = run->on_progress,
		.elicits = true,
		.pauses = true,
		.ask_user = run->ask_user,
		.held = run->held,
		.arg = run->arg,
	};

	call_it(run, &m);
	run->unheard = !m.heard;
	if (run->err.code == ERROR_UNAUTHENTICATED || run->err.code == ERROR_FORBIDDEN)
		run->challenge = m.challenge;
	mcp_close(&m);
	run->tools_changed = atomic_load(&changed);
}
