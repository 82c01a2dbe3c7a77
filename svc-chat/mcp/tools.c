#include <string.h>

#include "common/base/utf8.h"
#include "svc-chat/mcp/internal.h"

enum {
	MOST_PAGES = 50,
	PAGES_BYTES = 16 << 20, /* of memory that they may take together; what comes after is left out */
	NAME_MOST = 300,
	TEXT_MOST = 8000,
};

static char *clip(const char *text, size_t most, struct arena *a)
{
	return text ? arena_strndup(a, text, utf8_clip(text, strlen(text), most)) : NULL;
}

/* 1 taken, 0 left out: it has no usable name or schema, or HTTP cannot carry what it marks. */
static int read_tool(json_object *object, struct mcp_tool *ret, enum mcp_era era, struct arena *a)
{
	const char *name = json_string(object, "name"), *title = json_string(object, "title");
	json_object *schema = json_get(object, "inputSchema"), *hints = json_get(object, "annotations");

	if (!name || !*name || strlen(name) > NAME_MOST)
		return 0;
	if (schema && !json_object_is_type(schema, json_type_object))
		return 0;
	if (era == MCP_STATELESS && !mcp_schema_fits(schema))
		return 0;
	*ret = (struct mcp_tool){
		.name = arena_strdup(a, name),
		.title = clip(title ? title : json_string(hints, "title"), NAME_MOST, a),
		.description = clip(json_string(object, "description"), TEXT_MOST, a),
		.input_schema = schema ? json_print(schema, a) : "{\"type\":\"object\"}",
		.annotations = json_object_is_type(hints, json_type_object) ? json_print(hints, a) : NULL,
		.read_only = json_flag(hints, "readOnlyHint", 0),
	};
	return 1;
}

static void take_page(struct mcp *m, json_object *tools, struct mcp_tool *list, size_t *count)
{
	size_t n = json_object_is_type(tools, json_type_array) ? json_object_array_length(tools) : 0;

	for (size_t i = 0; i < n && *count < MCP_MAX_TOOLS; i++)
		*count +=
		    (size_t)read_tool(json_object_array_get_idx(tools, i), &list[*count], m->era, m->arena);
}

/* Of several pages the soonest. */
static void take_ttl(json_object *result, int64_t *ttl_ms)
{
	json_object *ttl = json_get(result, "ttlMs");
	int64_t ms = json_object_is_type(ttl, json_type_int) ? json_object_get_int64(ttl) : -1;

	if (ms >= 0 && (*ttl_ms < 0 || ms < *ttl_ms))
		*ttl_ms = ms;
}

int mcp_list_tools(struct mcp *m, struct mcp_tool **ret, size_t *count, int64_t *ttl_ms, struct error *err)
{
	struct mcp_tool *list = arena_new(m->arena, struct mcp_tool, MCP_MAX_TOOLS);
	size_t before = m->arena->used;
	const char *cursor = NULL;

	*count = 0;
	*ttl_ms = -1;
	for (int page = 0; page < MOST_PAGES; page++) {
		OWN(json) json_object *result = NULL;
		json_object *params = json_object_new_object();

		if (cursor)
			json_object_object_add(params, "cursor", json_object_new_string(cursor));
		if (mcp_ask(m, "tools/list", NULL, params, NULL, &result, err) < 0)
			return -1;
		take_page(m, json_get(result, "tools"), list, count);
		take_ttl(result, ttl_ms);
		cursor = arena_strdup(m->arena, json_string(result, "nextCursor"));
		if (!cursor || *count == MCP_MAX_TOOLS || m->arena->used - before > PAGES_BYTES)
			break;
	}
	*ret = list;
	return 0;
}

int mcp_call_tool(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments,
                  json_object **ret, struct error *err)
{
	json_object *params = json_object_new_object();

	json_object_object_add(params, "name", json_object_new_string(name));
	json_object_object_add(params, "arguments", json_object_get(arguments));
	return mcp_ask(m, "tools/call", name, params,
	               tool ? mcp_param_headers(tool->input_schema, arguments, m->arena) : NULL, ret, err);
}
