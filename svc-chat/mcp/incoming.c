#include <string.h>

#include "svc-chat/mcp/internal.h"

/* A form without anybody to fill it in would wait for ever. */
static json_object *decline(void)
{
	json_object *answer = json_object_new_object();

	json_object_object_add(answer, "action", json_object_new_string("decline"));
	return answer;
}

static json_object *ask_user(struct mcp *m, json_object *params)
{
	json_object *answer = m->ask_user ? m->ask_user(m->arg, params) : NULL;

	return answer ? answer : decline();
}

json_object *mcp_serve(struct mcp *m, const char *method, json_object *params, int *code)
{
	if (strcmp(method, "ping") == 0)
		return json_object_new_object();
	if (strcmp(method, "elicitation/create") == 0 && m->elicits)
		return ask_user(m, params);
	*code = MCP_METHOD_NOT_FOUND; /* roots and sampling: not declared */
	return NULL;
}

void mcp_hear(struct mcp *m, const char *method, json_object *params)
{
	if (strcmp(method, "notifications/progress") == 0 && m->on_progress)
		m->on_progress(m->arg, json_real(params, "progress", 0), json_real(params, "total", 0),
		               json_string(params, "message"));
	if (strcmp(method, "notifications/tools/list_changed") == 0 && m->tools_changed)
		atomic_store(m->tools_changed, true);
}

bool mcp_visit_urls(struct mcp *m, json_object *elicitations)
{
	size_t n =
	    json_object_is_type(elicitations, json_type_array) ? json_object_array_length(elicitations) : 0;

	for (size_t i = 0; i < n; i++) {
		OWN(json) json_object *answer = ask_user(m, json_object_array_get_idx(elicitations, i));
		const char *action = json_string(answer, "action");

		if (!action || strcmp(action, "accept") != 0)
			return false;
	}
	return n > 0;
}

json_object *mcp_gather_inputs(struct mcp *m, json_object *requests)
{
	json_object *responses = json_object_new_object();

	if (!json_object_is_type(requests, json_type_object))
		return responses;
	json_object_object_foreach(requests, key, request)
	{
		const char *method = json_string(request, "method");

		if (method && strcmp(method, "elicitation/create") == 0)
			json_object_object_add(responses, key, ask_user(m, json_get(request, "params")));
	}
	return responses;
}
