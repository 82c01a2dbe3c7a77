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

static void ask_page(struct mcp *m, const char *cursor);

static bool take_list(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	const char *cursor = arena_strdup(m->arena, json_string(m->result, "nextCursor"));

	take_page(m, json_get(m->result, "tools"), m->tools, &m->tool_count);
	take_ttl(m->result, &m->ttl_ms);
	if (!cursor || ++w->pages == MOST_PAGES || m->tool_count == MCP_MAX_TOOLS ||
	    m->arena->used - w->bytes_before > PAGES_BYTES)
		return mcp_done(m);
	ask_page(m, cursor);
	return false;
}

static void ask_page(struct mcp *m, const char *cursor)
{
	json_object *params = json_object_new_object();

	if (cursor)
		json_object_object_add(params, "cursor", json_object_new_string(cursor));
	m->wire->rounds = 0;
	mcp_ask(m, "tools/list", NULL, params, NULL, take_list);
}

void mcp_begin_list(struct mcp *m)
{
	struct mcp_wire *w = mcp_begin(m, NULL);

	m->tools = arena_new(m->arena, struct mcp_tool, MCP_MAX_TOOLS);
	m->tool_count = 0;
	m->ttl_ms = -1;
	w->bytes_before = m->arena->used;
	ask_page(m, NULL);
}

void mcp_begin_call(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments)
{
	json_object *params = json_object_new_object();

	mcp_begin(m, NULL);
	json_object_object_add(params, "name", json_object_new_string(name));
	json_object_object_add(params, "arguments", json_object_get(arguments));
	mcp_ask(m, "tools/call", name, params,
	        tool ? mcp_param_headers(tool->input_schema, arguments, m->arena) : NULL, mcp_done);
}
