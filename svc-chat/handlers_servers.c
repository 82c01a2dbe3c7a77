/* MCP servers of users, and the tools that they offer. */
#include <string.h>
#include <strings.h>

#include "chat.methods.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/service/sealer.h"
#include "svc-chat/oauth/bearer.h"
#include "svc-chat/state.h"
#include "svc-chat/tools/name.h"
#include "svc-chat/tools/toolbox.h"

enum {
	TEST_MS = 9500,         /* of a test, which never hangs */
	CONNECT_MS = 25 * 1000, /* below the route's deadline */
	AGAIN_SECONDS = 30,     /* until a server that failed is asked again */
	REPLY_BYTES = 3 << 20,  /* of tools in one answer */
};

static const struct chat *chat_of(const struct call *call)
{
	return call->state;
}

/* --- Rows and messages -------------------------------------------------------------------------------------------------- */

static void show(const struct server_row *row, Chat__McpServer *out, struct arena *a)
{
	out->has_id = out->has_tools_count = true;
	out->id = row->id;
	out->name = (char *)row->name;
	out->description = (char *)row->description;
	out->config = arena_new(a, Chat__McpServerConfig, 1);
	chat__mcp_server_config__init(out->config);
	out->config->type = (char *)row->type;
	out->config->uri = (char *)row->uri;
	out->config->transport = (char *)row->transport;
	out->status = (char *)row->status;
	out->status_detail = (char *)row->status_detail;
	out->tools_count = row->tools_count;
	out->created_at = (char *)row->created_at;
}

/* What HTTP itself needs, and what would let a stranger speak for us, is not the user's to set. */
static bool may_be_set(const char *name)
{
	static const char *const ours[] = { "host",           "content-length",
		                            "content-type",   "transfer-encoding",
		                            "connection",     "accept",
		                            "mcp-session-id", "mcp-protocol-version" };

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcasecmp(name, ours[i]) == 0)
			return false;
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
	                    strlen(name);
}

static bool is_header_value(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 127)
			return false;
	return true;
}

static int bad_header(struct call *call, const char *name, const char *why)
{
	return error_field(call->err, call->arena, "body",
	                   arena_printf(call->arena, "config.headers.%s", name), "value_error", "%s", why);
}

static int check_headers(struct call *call, const char *text)
{
	OWN(json) json_object *headers = NULL;

	if (json_parse(text, strlen(text), &headers, call->err) < 0)
		return -1;
	if (json_object_object_length(headers) > SERVERS_HEADERS)
		return error_field(call->err, call->arena, "body", "config.headers", "value_error",
		                   "must be at most %d headers", SERVERS_HEADERS);
	json_object_object_foreach(headers, name, value)
	{
		if (!may_be_set(name))
			return bad_header(call, name, "is no header that can be set");
		if (!json_object_is_type(value, json_type_string) ||
		    !is_header_value(json_object_get_string(value)))
			return bad_header(call, name, "must be a line of text");
	}
	return 0;
}

/* Into the row, sealed. */
static int take_headers(struct call *call, const char *headers, struct server_row *row)
{
	char *sealed;

	if (!headers)
		return 0;
	if (check_headers(call, headers) < 0 ||
	    sealer_seal(call, servers_headers_context(call), headers, &sealed) < 0)
		return -1;
	row->headers = sealed;
	return 0;
}

/* --- Servers ----------------------------------------------------------------------------------------------------------- */

int chat_list_servers(struct call *call, const Chat__ListServersRequest *in, Chat__ServerList *out)
{
	struct server_row *rows;
	int64_t next;
	size_t count;

	if (store_list_servers(call->db, call->owner_id, in->has_cursor ? in->cursor : 0, in->limit, false,
	                       &rows, &count, &next, call->arena, call->err) < 0)
		return -1;
	out->servers = arena_new(call->arena, Chat__McpServer *, count);
	for (; out->n_servers < count; out->n_servers++) {
		out->servers[out->n_servers] = arena_new(call->arena, Chat__McpServer, 1);
		chat__mcp_server__init(out->servers[out->n_servers]);
		show(&rows[out->n_servers], out->servers[out->n_servers], call->arena);
	}
	out->next = next ? arena_printf(call->arena, "%lld", (long long)next) : NULL;
	return 0;
}

static int get(struct call *call, int64_t id, Chat__McpServer *out)
{
	struct server_row row;

	if (servers_load(call, id, &row) < 0)
		return -1;
	show(&row, out, call->arena);
	return 0;
}

int chat_get_server(struct call *call, const Chat__ServerRequest *in, Chat__McpServer *out)
{
	return get(call, in->server_id, out);
}

int chat_add_server(struct call *call, const Chat__AddServerRequest *in, Chat__McpServer *out)
{
	const Chat__McpConfig *config = in->config;
	struct server_row row = {
		.name = in->name,
		.description = in->description,
		.type = config->type ? config->type : "custom",
		.uri = config->uri,
		.transport = config->transport ? config->transport : "http",
	};

	if (take_headers(call, config->headers, &row) < 0 ||
	    store_add_server(call->db, call->owner_id, &row, chat_of(call)->servers_per_user, call->err) < 0)
		return -1;
	return get(call, row.id, out);
}

int chat_update_server(struct call *call, const Chat__UpdateServerRequest *in, Chat__McpServer *out)
{
	const Chat__McpConfig *config = in->config;
	struct server_row row;
	bool moves, anew;

	if (servers_load(call, in->server_id, &row) < 0)
		return -1;
	if (in->name)
		row.name = in->name;
	if (in->description)
		row.description = in->description;
	moves = config && strcmp(config->uri, row.uri) != 0;
	anew = moves || (config && config->headers);
	if (moves)
		row.headers = NULL; /* what was meant for one address is not sent to another */
	if (config) {
		row.uri = config->uri;
		row.type = config->type ? config->type : row.type;
		row.transport = config->transport ? config->transport : row.transport;
	}
	if ((config && take_headers(call, config->headers, &row) < 0) ||
	    (moves && bearer_revoke(call, row.id) < 0) ||
	    db_must_find(store_change_server(call->db, call->owner_id, &row, anew, call->err), "MCP server",
	                 call->err) < 0)
		return -1;
	return get(call, in->server_id, out);
}

int chat_delete_server(struct call *call, const Chat__ServerRequest *in, Rpc__Message *out)
{
	struct server_row row;

	if (servers_load(call, in->server_id, &row) < 0 || bearer_revoke(call, row.id) < 0 ||
	    db_must_find(store_delete_server(call->db, call->owner_id, in->server_id, call->err),
	                 "MCP server", call->err) < 0)
		return -1;
	out->message = (char *)"MCP server deleted";
	return 0;
}

/* --- Asking ------------------------------------------------------------------------------------------------------------ */

/* The names that the model sees, of one server. */
static int public_names(struct call *call, const struct server_row *row, char ***ret, size_t *count)
{
	OWN(json) json_object *tools = NULL;
	struct tool_names names;
	size_t n;

	if (json_parse(row->tools, strlen(row->tools), &tools, call->err) < 0)
		return -1;
	n = json_object_array_length(tools);
	tool_names_init(&names, call->arena);
	*ret = arena_new(call->arena, char *, n);
	for (*count = 0; *count < n; (*count)++)
		(*ret)[*count] = (char *)tool_name(
		    &names, row->name, json_string(json_object_array_get_idx(tools, *count), "name"));
	return 0;
}

int chat_test_server(struct call *call, const Chat__ServerRequest *in, Chat__ServerTest *out)
{
	struct inventory asked;
	struct server_row row;
	const char *url;

	if (servers_load(call, in->server_id, &row) < 0 || servers_ask(call, &row, TEST_MS, &asked, &url) < 0)
		return -1;
	out->has_success = out->has_tools_count = true;
	if (asked.err.code) {
		out->error = arena_strdup(call->arena, asked.err.message);
		out->has_oauth_required = out->oauth_required = servers_wants_sign_in(&asked, call->arena);
		out->oauth_url = (char *)url;
		out->message =
		    out->oauth_required
		        ? arena_printf(call->arena, "Please authenticate with %s first", row.name)
		        : arena_printf(call->arena, "%s cannot be reached: %s", row.name, out->error);
		return 0;
	}
	out->success = true;
	out->tools_count = row.tools_count;
	out->message = arena_printf(call->arena, "Successfully connected to %s. Found %d tool%s.", row.name,
	                            row.tools_count, row.tools_count == 1 ? "" : "s");
	return public_names(call, &row, &out->tools, &out->n_tools);
}

int chat_connect_server(struct call *call, const Chat__ServerRequest *in, Chat__ServerConnection *out)
{
	struct inventory asked;
	struct server_row row;
	const char *url;

	if (servers_load(call, in->server_id, &row) < 0 ||
	    servers_ask(call, &row, CONNECT_MS, &asked, &url) < 0)
		return -1;
	if (servers_wants_sign_in(&asked, call->arena))
		return servers_refuse_sign_in(call, row.name, row.id, url);
	if (asked.err.code) {
		error_set(call->err, ERROR_UPSTREAM, "%s", asked.err.message);
		error_detail(call->err, "%s", asked.err.detail);
		return -1;
	}
	out->status = (char *)"connected";
	out->has_server_id = out->has_tools_count = true;
	out->server_id = row.id;
	out->tools_count = row.tools_count;
	return public_names(call, &row, &out->tools, &out->n_tools);
}

/* --- Tools of all ------------------------------------------------------------------------------------------------------- */

static Chat__McpTool *show_tool(const struct tool *tool, struct arena *a)
{
	Chat__McpTool *out = arena_new(a, Chat__McpTool, 1);

	chat__mcp_tool__init(out);
	out->name = (char *)tool->name;
	out->has_server_id = true;
	out->server_id = tool->server->id;
	out->server_name = (char *)tool->server->name;
	out->title = (char *)tool->title;
	out->description = (char *)tool->description;
	out->input_schema = (char *)tool->schema;
	out->annotations = (char *)tool->annotations;
	out->policy = (char *)tool->policy;
	return out;
}

/* Of servers that answer; as many as fit. */
int chat_list_tools(struct call *call, const Rpc__Empty *in, Chat__McpToolList *out)
{
	struct server_row *rows;
	struct toolbox box;
	size_t count, bytes = 0;

	(void)in;
	if (servers_all(call, &rows, &count) < 0 || servers_refresh(call, rows, count, AGAIN_SECONDS) < 0 ||
	    toolbox_fill(call, rows, count, NULL, &box) < 0)
		return -1;
	out->tools = arena_new(call->arena, Chat__McpTool *, box.count);
	for (size_t i = 0; i < box.count && bytes < REPLY_BYTES; i++) {
		out->tools[out->n_tools++] = show_tool(&box.tools[i], call->arena);
		bytes += strlen(box.tools[i].schema) + 1024;
	}
	return 0;
}

int chat_list_chatconnect_tools(struct call *call, const Rpc__Empty *in, Chat__McpToolList *out)
{
	return chat_list_tools(call, in, out);
}

static int find_tool(struct call *call, const char *name, const struct tool **ret)
{
	struct server_row *rows;
	struct toolbox box;
	size_t count;

	if (servers_all(call, &rows, &count) < 0 || toolbox_fill(call, rows, count, NULL, &box) < 0)
		return -1;
	*ret = toolbox_find(&box, name);
	return *ret ? 0 : error_set(call->err, ERROR_NOT_FOUND, "no such tool");
}

int chat_set_tool_policy(struct call *call, const Chat__ToolPolicyRequest *in, Chat__McpTool *out)
{
	const struct tool *tool;

	if (find_tool(call, in->name, &tool) < 0 ||
	    store_set_policy(call->db, call->owner_id, tool->server->id, tool->own_name, in->policy,
	                     tool->digest, call->err) < 0 ||
	    find_tool(call, in->name, &tool) < 0)
		return -1;
	*out = *show_tool(tool, call->arena);
	return 0;
}
