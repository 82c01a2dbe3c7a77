#include <openssl/evp.h>
#include <string.h>

#include "svc-chat/mcp_server/internal.h"

#define META "io.modelcontextprotocol/"

/* 2026 stands alone; the others are of the era before, which an absent header means, too. */
const char *const mcp_server_versions[] = { MCP_SERVER_MODERN, "2025-11-25", "2025-06-18", "2025-03-26",
	                                    NULL };

static bool is_spoken(const char *version)
{
	for (int i = 0; mcp_server_versions[i]; i++)
		if (strcmp(mcp_server_versions[i], version) == 0)
			return true;
	return false;
}

static int refuse(struct heard_message *m, int code, const char *message)
{
	m->code = code;
	m->message = message;
	return -1;
}

/* --- Versions --------------------------------------------------------------------------------------------------------- */

static int refuse_version(struct heard_message *m, const char *version, struct arena *a)
{
	struct text data;

	text_init(&data, a);
	text_adds(&data, "{\"supported\":[");
	for (int i = 0; mcp_server_versions[i]; i++)
		text_addf(&data, "%s\"%s\"", i ? "," : "", mcp_server_versions[i]);
	text_adds(&data, "],\"requested\":");
	text_add_json(&data, version, strlen(version));
	text_addc(&data, '}');
	m->data = data.at;
	return refuse(m, SERVED_NO_VERSION, "this version of the protocol is not spoken here");
}

/* Which era a message is of: that of its header, or of what it says itself. */
static int read_version(const struct mcp_server_heard *heard, struct heard_message *m, struct arena *a)
{
	json_object *meta = json_get(m->params, "_meta");
	const char *said = json_string(meta, META "protocolVersion");
	bool begins = strcmp(m->method, "initialize") == 0 && !said; /* its version is to be agreed upon */

	m->version = heard->version;
	m->modern = said || (heard->version && strcmp(heard->version, MCP_SERVER_MODERN) == 0);
	if (m->kind != HEARD_REQUEST || (begins && !m->modern))
		return 0;
	if (!m->modern)
		return heard->version && !is_spoken(heard->version) ? refuse_version(m, heard->version, a)
		                                                    : 0;
	if (!said)
		return refuse(m, SERVED_INVALID_PARAMS, "params._meta lacks " META "protocolVersion");
	if (!heard->version || strcmp(heard->version, said) != 0)
		return refuse(m, SERVED_HEADER_MISMATCH,
		              "the header MCP-Protocol-Version is not what params._meta says");
	if (strcmp(said, MCP_SERVER_MODERN) != 0)
		return refuse_version(m, said, a);
	if (!json_object_is_type(json_get(meta, META "clientCapabilities"), json_type_object))
		return refuse(m, SERVED_INVALID_PARAMS, "params._meta lacks " META "clientCapabilities");
	return 0;
}

/* --- The message -------------------------------------------------------------------------------------------------------- */

static bool is_id(json_object *id)
{
	return json_object_is_type(id, json_type_string) || json_object_is_type(id, json_type_int);
}

static int read_kind(json_object *root, struct heard_message *m)
{
	json_object *id = json_get(root, "id");
	bool has_id = json_object_object_get_ex(root, "id", NULL);
	bool answers =
	    json_object_object_get_ex(root, "result", NULL) || json_object_object_get_ex(root, "error", NULL);

	if (has_id && !is_id(id))
		return refuse(m, SERVED_INVALID_REQUEST, "an id is text or a whole number");
	m->method = json_string(root, "method");
	if (answers && has_id && !m->method) {
		m->kind = HEARD_ANSWER;
		m->method = "";
		return 0;
	}
	if (!m->method)
		return refuse(m, SERVED_INVALID_REQUEST, "a message has a method");
	m->kind = has_id ? HEARD_REQUEST : HEARD_NOTIFICATION;
	return 0;
}

int heard_read(json_object *root, const struct mcp_server_heard *heard, struct heard_message *m,
               struct arena *a)
{
	json_object *params = json_get(root, "params");
	const char *rpc;

	*m = (struct heard_message){ .id = "null", .method = "", .params = params };
	if (!json_object_is_type(root, json_type_object))
		return refuse(m, SERVED_INVALID_REQUEST, "a POST holds one message, which is an object");
	if (is_id(json_get(root, "id")))
		m->id = json_print(json_get(root, "id"), a);
	rpc = json_string(root, "jsonrpc");
	if (!rpc || strcmp(rpc, "2.0") != 0)
		return refuse(m, SERVED_INVALID_REQUEST, "jsonrpc must be \"2.0\"");
	if (json_object_object_get_ex(root, "params", NULL) && !json_object_is_type(params, json_type_object))
		return refuse(m, SERVED_INVALID_PARAMS, "params must be an object");
	if (read_kind(root, m) < 0)
		return -1;
	return read_version(heard, m, a);
}

/* --- Headers that repeat the body ------------------------------------------------------------------------------------------ */

/* A value as it was meant: "=?base64?...?=" holds what a header line cannot. NULL: it is malformed. */
static const char *header_value(const char *value, struct arena *a)
{
	static const char start[] = "=?base64?";
	size_t length = strlen(value), coded;
	unsigned char *out;
	int n;

	if (strncmp(value, start, sizeof start - 1) != 0)
		return value;
	if (length < sizeof start + 1 || strcmp(value + length - 2, "?=") != 0)
		return NULL;
	coded = length - (sizeof start - 1) - 2;
	if (coded % 4)
		return NULL;
	out = arena_alloc(a, coded / 4 * 3 + 1);
	n = EVP_DecodeBlock(out, (const unsigned char *)value + sizeof start - 1, (int)coded);
	if (n < 0)
		return NULL;
	for (size_t i = 1; i <= 2 && i <= coded && value[length - 2 - i] == '='; i++)
		n--;
	out[n] = '\0';
	return (const char *)out;
}

static bool is_same(const char *header, const char *value, struct arena *a)
{
	const char *meant = header ? header_value(header, a) : NULL;

	return meant && value && strcmp(meant, value) == 0;
}

int heard_check_headers(const struct mcp_server_heard *heard, struct heard_message *m, const char *name,
                        struct arena *a)
{
	if (!m->modern)
		return 0;
	if (!is_same(heard->method, m->method, a))
		return refuse(m, SERVED_HEADER_MISMATCH,
		              "the header Mcp-Method is not the method of the body");
	if (name && json_string(m->params, name) && !is_same(heard->name, json_string(m->params, name), a))
		return refuse(m, SERVED_HEADER_MISMATCH, "the header Mcp-Name is not what the body names");
	return 0;
}
