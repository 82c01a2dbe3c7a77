#include <stddef.h>
#include <string.h>

#include "svc-chat/mcp_server/internal.h"

#define META "io.modelcontextprotocol/"

enum { ERAS_BEFORE = 1, ERA_2026 = 2, BOTH_ERAS = 3 };

/* What can be asked for, but for what every server answers: ping, initialize, server/discover. */
static const struct method {
	const char *name;
	size_t offset; /* of struct mcp_server */
	int eras;
	bool kept;         /* its result says how long it may be kept */
	const char *named; /* the member of params that the header Mcp-Name repeats */
} methods[] = {
#define AT(member) offsetof(struct mcp_server, member)
	{ "tools/list", AT(list_tools), BOTH_ERAS, true, NULL },
	{ "tools/call", AT(call_tool), BOTH_ERAS, false, "name" },
	{ "resources/list", AT(list_resources), BOTH_ERAS, true, NULL },
	{ "resources/templates/list", AT(list_templates), BOTH_ERAS, true, NULL },
	{ "resources/read", AT(read_resource), BOTH_ERAS, true, "uri" },
	{ "resources/subscribe", AT(subscribe), ERAS_BEFORE, false, NULL },
	{ "resources/unsubscribe", AT(unsubscribe), ERAS_BEFORE, false, NULL },
	{ "prompts/list", AT(list_prompts), BOTH_ERAS, true, NULL },
	{ "prompts/get", AT(get_prompt), BOTH_ERAS, false, "name" },
	{ "completion/complete", AT(complete), BOTH_ERAS, false, NULL },
	{ "logging/setLevel", AT(set_level), ERAS_BEFORE, false, NULL },
#undef AT
};

static mcp_server_method *method_of(const struct mcp_server *server, const struct method *method)
{
	return *(mcp_server_method *const *)((const char *)server + method->offset);
}

/* --- What the server is ------------------------------------------------------------------------------------------------- */

static void add_member(struct text *out, const char *name, const char *value)
{
	text_addf(out, ",\"%s\":", name);
	text_add_json(out, value, strlen(value));
}

static void add_info(struct text *out, const struct mcp_server *s)
{
	text_adds(out, "{\"name\":");
	text_add_json(out, s->name, strlen(s->name));
	if (s->title)
		add_member(out, "title", s->title);
	add_member(out, "version", s->version);
	text_addc(out, '}');
}

static void add_capabilities(struct text *out, const struct mcp_server *s, bool modern)
{
	const struct {
		const char *json;
		bool has;
	} list[] = {
		{ "\"tools\":{}", s->list_tools },
		{ modern || !s->subscribe ? "\"resources\":{}" : "\"resources\":{\"subscribe\":true}",
		  s->list_resources },
		{ "\"prompts\":{}", s->list_prompts },
		{ "\"completions\":{}", s->complete },
		{ "\"logging\":{}", s->set_level && !modern },
	};
	const char *before = "";

	text_addc(out, '{');
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		if (!list[i].has)
			continue;
		text_addf(out, "%s%s", before, list[i].json);
		before = ",";
	}
	text_addc(out, '}');
}

static enum served_outcome initialize(struct served *r)
{
	const char *wanted = json_string(r->params, "protocolVersion"), *agreed = mcp_server_versions[1];

	for (int i = 1; wanted && mcp_server_versions[i]; i++)
		if (strcmp(mcp_server_versions[i], wanted) == 0)
			agreed = mcp_server_versions[i];
	text_addf(&r->result, "\"protocolVersion\":\"%s\",\"capabilities\":", agreed);
	add_capabilities(&r->result, r->server, false);
	text_adds(&r->result, ",\"serverInfo\":");
	add_info(&r->result, r->server);
	if (r->server->instructions)
		add_member(&r->result, "instructions", r->server->instructions);
	return SERVED_DONE;
}

static enum served_outcome discover(struct served *r)
{
	text_adds(&r->result, "\"supportedVersions\":[");
	for (int i = 0; mcp_server_versions[i]; i++)
		text_addf(&r->result, "%s\"%s\"", i ? "," : "", mcp_server_versions[i]);
	text_adds(&r->result, "],\"capabilities\":");
	add_capabilities(&r->result, r->server, true);
	if (r->server->instructions)
		add_member(&r->result, "instructions", r->server->instructions);
	return SERVED_DONE;
}

static enum served_outcome ping(struct served *r)
{
	(void)r;
	return SERVED_DONE;
}

/* --- Answers ------------------------------------------------------------------------------------------------------------ */

/* In 2026 what is wrong with a request as such is a status, too. */
static int status_of(int code, bool modern)
{
	if (!modern)
		return code == SERVED_PARSE_ERROR || code == SERVED_INVALID_REQUEST ||
		               code == SERVED_NO_VERSION
		           ? 400
		           : 200;
	return code == SERVED_NO_METHOD ? 404 : code == SERVED_INTERNAL ? 200 : 400;
}

static void answer_error(const char *id, bool modern, int code, const char *message, const char *data,
                         struct arena *a, struct mcp_server_reply *ret)
{
	struct text out;

	text_init(&out, a);
	text_addf(&out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":", id, code);
	text_add_json(&out, message, strlen(message));
	if (data)
		text_addf(&out, ",\"data\":%s", data);
	text_adds(&out, "}}");
	*ret = (struct mcp_server_reply){ status_of(code, modern), out.at };
}

/* What is wrong with the message as such. */
static void refuse(const struct heard_message *m, struct arena *a, struct mcp_server_reply *ret)
{
	answer_error(m->id, m->modern, m->code, m->message, m->data, a, ret);
}

static void answer_result(const struct served *r, struct mcp_server_reply *ret)
{
	const char *before = "";
	struct text out;

	text_init(&out, r->arena);
	text_addf(&out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{", r->id);
	if (r->result.length) {
		text_add(&out, r->result.at, r->result.length);
		before = ",";
	}
	if (r->modern) {
		text_addf(&out, "%s\"resultType\":\"%s\"", before,
		          r->input_required ? "input_required" : "complete");
		if (r->kept)
			text_addf(&out, ",\"ttlMs\":%lld,\"cacheScope\":\"private\"",
			          (long long)r->server->lists_last_ms);
		text_adds(&out, ",\"_meta\":{\"" META "serverInfo\":");
		add_info(&out, r->server);
		text_addc(&out, '}');
	}
	text_adds(&out, "}}");
	*ret = (struct mcp_server_reply){ 200, out.at };
}

/* --- Requests ------------------------------------------------------------------------------------------------------------ */

/* What is asked for, when there is such a thing in the message's era. */
static mcp_server_method *find_method(const struct mcp_server *server, const struct heard_message *m,
                                      const struct method **ret)
{
	static const struct method plain = { NULL, 0, 0, false, NULL };
	static const struct method kept = { NULL, 0, 0, true, NULL };

	*ret = &plain;
	if (!m->modern && strcmp(m->method, "initialize") == 0)
		return initialize;
	if (!m->modern && strcmp(m->method, "ping") == 0)
		return ping;
	if (m->modern && strcmp(m->method, "server/discover") == 0) {
		*ret = &kept;
		return discover;
	}
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		*ret = &methods[i];
		if (strcmp(methods[i].name, m->method) == 0)
			return methods[i].eras & (m->modern ? ERA_2026 : ERAS_BEFORE)
			           ? method_of(server, &methods[i])
			           : NULL;
	}
	*ret = &plain;
	return NULL;
}

static const char *progress_token(json_object *meta, struct arena *a)
{
	json_object *token = json_get(meta, "progressToken");

	return json_object_is_type(token, json_type_string) || json_object_is_type(token, json_type_int)
	           ? json_print(token, a)
	           : NULL;
}

void served_answer(const struct served *r, enum served_outcome outcome, struct mcp_server_reply *ret)
{
	if (outcome == SERVED_DONE)
		answer_result(r, ret);
	else
		answer_error(r->id, r->modern, r->code, r->message, r->data, r->arena, ret);
}

static enum served_outcome serve(const struct mcp_server *server, const struct mcp_server_heard *heard,
                                 struct heard_message *m, const struct mcp_server_voice *voice,
                                 struct arena *a, struct mcp_server_reply *ret)
{
	OWN(json) json_object *none = json_object_new_object();
	json_object *params = m->params ? m->params : none, *meta = json_get(params, "_meta");
	const struct method *what;
	mcp_server_method *run = find_method(server, m, &what);
	struct served *r = arena_new(a, struct served, 1);
	enum served_outcome outcome;

	*r = (struct served){ .server = server,
		              .arena = a,
		              .modern = m->modern,
		              .params = params,
		              .capabilities = m->modern ? json_get(meta, META "clientCapabilities") : NULL,
		              .log_level = json_string(meta, META "logLevel"),
		              .progress_token = progress_token(meta, a),
		              .voice = voice,
		              .id = m->id,
		              .kept = what->kept };
	if (heard_check_headers(heard, m, run ? what->named : NULL, a) < 0) {
		refuse(m, a, ret);
		return SERVED_DONE;
	}
	text_init(&r->result, a);
	outcome = run ? run(r) : served_fail(r, SERVED_NO_METHOD, "there is no such method here", NULL);
	r->params = r->capabilities = NULL;
	r->log_level = NULL;
	if (outcome == SERVED_LATER || outcome == SERVED_WAITS)
		return outcome;
	served_answer(r, outcome, ret);
	return SERVED_DONE;
}

enum served_outcome mcp_server_hear(const struct mcp_server *server, const struct mcp_server_heard *heard,
                                    const struct mcp_server_voice *voice, struct arena *a,
                                    struct mcp_server_reply *ret)
{
	OWN(json) json_object *root = NULL;
	struct heard_message m = { .id = "null" };
	struct error err = { 0 };

	if (json_parse(heard->body, heard->size, &root, &err) < 0) {
		answer_error(m.id, m.modern, SERVED_PARSE_ERROR, arena_strdup(a, err.message), NULL, a, ret);
		return SERVED_DONE;
	}
	if (heard_read(root, heard, &m, a) < 0) {
		refuse(&m, a, ret);
		return SERVED_DONE;
	}
	*ret = (struct mcp_server_reply){ .status = 202 };
	if (m.kind == HEARD_REQUEST)
		return serve(server, heard, &m, voice, a, ret);
	if (m.kind == HEARD_ANSWER && server->take_answer && !m.modern)
		server->take_answer(server->arg, m.id, root);
	return SERVED_DONE; /* notifications change nothing here: nothing is remembered */
}

/* --- For methods ------------------------------------------------------------------------------------------------------------ */

enum served_outcome served_fail(struct served *r, int code, const char *message, const char *data)
{
	r->code = code;
	r->message = message;
	r->data = data;
	return SERVED_FAILED;
}

void served_progress(const struct served *r, double progress, double total, const char *message)
{
	struct text out;

	if (!r->voice || !r->progress_token)
		return;
	text_init(&out, r->arena);
	text_addf(
	    &out,
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s,"
	    "\"progress\":%g",
	    r->progress_token, progress);
	if (total > 0)
		text_addf(&out, ",\"total\":%g", total);
	if (message)
		add_member(&out, "message", message);
	text_adds(&out, "}}");
	r->voice->send(r->voice->arg, out.at);
}

json_object *served_argument(const struct served *r, const char *name)
{
	return json_get(json_get(r->params, "arguments"), name);
}
