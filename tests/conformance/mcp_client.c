/* links: svc-chat/mcp/http.c svc-chat/mcp/rpc.c svc-chat/mcp/incoming.c svc-chat/mcp/header.c svc-chat/mcp/tools.c svc-chat/mcp/listen.c */
/*
 * mcp_client URL: our MCP client for the official conformance suite (`npx conformance client --command ...`), which says by
 * MCP_CONFORMANCE_SCENARIO what is played. It lists the tools of the server and calls each, as a host would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "svc-chat/mcp/mcp.h"

/* What a user would send who only presses the button: the defaults of the form. */
static json_object *accept_defaults(void *arg, json_object *params)
{
	json_object *answer = json_object_new_object(), *content = json_object_new_object();
	json_object *properties = json_get(json_get(params, "requestedSchema"), "properties");

	(void)arg;
	json_object_object_add(answer, "action", json_object_new_string("accept"));
	json_object_object_add(answer, "content", content);
	if (!json_object_is_type(properties, json_type_object))
		return answer;
	json_object_object_foreach(properties, name, schema)
	{
		json_object *standard = json_get(schema, "default");
		const char *type = json_string(schema, "type");

		if (standard)
			json_object_object_add(content, name, json_object_get(standard));
		else if (type && strcmp(type, "boolean") == 0)
			json_object_object_add(content, name, json_object_new_boolean(1));
		else if (type && strcmp(type, "string") == 0)
			json_object_object_add(content, name, json_object_new_string("test"));
	}
	return answer;
}

/* Something of the right type for each property that is demanded. */
static json_object *sample_arguments(const char *schema)
{
	json_object *arguments = json_object_new_object(), *properties;
	OWN(json) json_object *object = NULL;
	struct error err = { 0 };
	int n = 1;

	if (json_parse(schema, strlen(schema), &object, &err) < 0)
		return arguments;
	properties = json_get(object, "properties");
	if (!json_object_is_type(properties, json_type_object))
		return arguments;
	json_object_object_foreach(properties, name, inner)
	{
		const char *type = json_string(inner, "type");

		if (!type || strcmp(type, "string") == 0)
			json_object_object_add(arguments, name, json_object_new_string("test"));
		else if (strcmp(type, "boolean") == 0)
			json_object_object_add(arguments, name, json_object_new_boolean(1));
		else if (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0)
			json_object_object_add(arguments, name, json_object_new_int(++n));
	}
	return arguments;
}

/* {"toolCalls": [{"name", "arguments"}]}, where the scenario says what to call. */
static json_object *planned_calls(void)
{
	const char *text = getenv("MCP_CONFORMANCE_CONTEXT");
	json_object *context = NULL;
	struct error err = { 0 };

	if (!text || json_parse(text, strlen(text), &context, &err) < 0)
		return NULL;
	return json_get(context, "toolCalls");
}

static const struct mcp_tool *find_tool(const struct mcp_tool *tools, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

static void call_one(struct mcp *m, const struct mcp_tool *tool, json_object *arguments)
{
	OWN(json) json_object *result = NULL;
	struct error err = { 0 };

	if (mcp_call_tool(m, tool->name, tool, arguments, &result, &err) < 0) {
		fprintf(stderr, "%s: %s (%s)\n", tool->name, err.message, err.detail);
		return;
	}
	printf("%s: %s\n", tool->name, json_print(result, m->arena));
}

static void call_all(struct mcp *m, const struct mcp_tool *tools, size_t count)
{
	json_object *plan = planned_calls();

	for (size_t i = 0; plan && i < json_object_array_length(plan); i++) {
		json_object *step = json_object_array_get_idx(plan, i);
		const struct mcp_tool *tool = find_tool(tools, count, json_string(step, "name"));

		if (tool)
			call_one(m, tool, json_get(step, "arguments"));
	}
	for (size_t i = 0; !plan && i < count; i++) {
		json_object *arguments = sample_arguments(tools[i].input_schema);

		call_one(m, &tools[i], arguments);
		json_object_put(arguments);
	}
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct error err = { 0 };
	struct mcp m = { .arena = &arena, .ask_user = accept_defaults, .deadline = clock_mono_ms() + 25000 };
	struct mcp_tool *tools;
	size_t count;

	if (argc < 2)
		return 2;
	log_open("mcp_client", LOG_ERROR);
	arena_init(&arena, 0);
	m.url = argv[argc - 1];
	if (egress_open("127.0.0.1/32,::1/128", &m.egress, &err) < 0 ||
	    mcp_list_tools(&m, &tools, &count, &err) < 0) {
		fprintf(stderr, "%s (%s)\n", err.message, err.detail);
		return 1;
	}
	call_all(&m, tools, count); /* a host goes on when a tool fails; who judges is the other side */
	mcp_close(&m);
	egress_close(m.egress);
	arena_done(&arena);
	return 0;
}
