#include "svc-chat/tools/run.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/json/json.h"
#include "svc-chat/store_tools.h"
#include "svc-chat/tools/result.h"
#include "svc-chat/tools/servers.h"

enum { ANSWERS_MOST = 100 };

/* --- Beginning -------------------------------------------------------------------------------------------------------- */

static void begin_again(struct tool_run *run, const struct mcp_tool *tool, json_object *arguments)
{
	json_object *answers[ANSWERS_MOST + 1] = { NULL };
	size_t n = 0;

	for (; !run->err.code && run->answers[n] && n < ANSWERS_MOST; n++)
		if (json_parse(run->answers[n], strlen(run->answers[n]), &answers[n], &run->err) < 0)
			break;
	if (!run->err.code)
		mcp_begin_resume(&run->m, tool->name, tool, arguments, run->resume, answers);
	for (size_t i = 0; i < n; i++)
		json_object_put(answers[i]);
}

/* Which it is was learned when its tools were listed, or called. */
static void set_era(struct tool_run *run)
{
	const struct server_row *server = run->tool->server;
	struct mcp *m = &run->m;

	if (servers_of_events(server)) {
		m->era = MCP_EVENTS;
	} else if (!server->sessions) {
		m->era = MCP_STATELESS;
		m->version = MCP_STATELESS_VERSION;
	} else {
		m->era = MCP_SESSIONS;
		run->key = idle_key(run->owner, server, run->headers, run->bearer, m->arena);
		if (!run->resume)
			idle_take(run->sessions, run->key, m);
		m->heard = m->version; /* it has, a while ago */
	}
}

void tool_begin(struct tool_run *run, struct arena *a)
{
	OWN(json) json_object *arguments = NULL;
	const struct mcp_tool tool = { .name = run->tool->own_name, .input_schema = run->tool->schema };

	run->m = (struct mcp){
		.egress = run->egress,
		.arena = a,
		.url = run->tool->server->uri,
		.headers = run->headers,
		.bearer = run->bearer,
		.deadline = clock_mono_ms() + run->ms,
		.cancelled = run->cancelled,
		.wake = run->wake,
		.wake_arg = run->wake_arg,
		.once = !run->tool->repeatable,
		.on_progress = run->on_progress,
		.elicits = true,
		.pauses = true,
		.ask_user = run->ask_user,
		.arg = run->arg,
	};
	set_era(run);
	if (json_parse(run->arguments, strlen(run->arguments), &arguments, &run->err) < 0)
		return;
	if (run->resume)
		begin_again(run, &tool, arguments);
	else
		mcp_begin_call(&run->m, tool.name, &tool, arguments);
}

/* --- What came of it ---------------------------------------------------------------------------------------------------- */

static void take_result(struct tool_run *run)
{
	run->pause = run->m.pause;
	if (run->pause.resume)
		return;
	run->failed = result_failed(run->m.result);
	run->text = result_text(run->m.result, STORE_RESULT, run->m.arena);
	run->file_count = result_files(run->m.result, run->files, run->m.arena);
}

bool tool_go_on(struct tool_run *run)
{
	int more = run->err.code ? -1 : mcp_go_on(&run->m, &run->err);

	if (more > 0)
		return true;
	if (more == 0)
		take_result(run);
	run->sent = run->m.sent;
	run->unheard = !run->m.heard;
	if (run->err.code == ERROR_UNAUTHENTICATED || run->err.code == ERROR_FORBIDDEN)
		run->challenge = run->m.challenge;
	return false;
}

/* What has gone well is good for another time. */
void tool_end(struct tool_run *run)
{
	if (run->key && !run->err.code)
		idle_keep(run->sessions, run->key, &run->m);
	mcp_close(&run->m);
}
