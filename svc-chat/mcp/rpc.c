#include <string.h>

#include "common/base/version.h"
#include "svc-chat/mcp/internal.h"

enum { MOST_ROUNDS = 8 /* of "input_required" for one request */ };

#define META "io.modelcontextprotocol/"

static json_object *text(const char *value)
{
	return json_object_new_string(value);
}

json_object *mcp_client_info(void)
{
	json_object *info = json_object_new_object();

	json_object_object_add(info, "name", text("Parley"));
	json_object_object_add(info, "version", text(PARLEY_VERSION));
	return info;
}

json_object *mcp_capabilities(const struct mcp *m)
{
	json_object *capabilities = json_object_new_object(), *elicitation;

	if (m->elicits) {
		elicitation = json_object_new_object();
		json_object_object_add(elicitation, "form", json_object_new_object());
		json_object_object_add(elicitation, "url", json_object_new_object());
		json_object_object_add(capabilities, "elicitation", elicitation);
	}
	return capabilities;
}

static json_object *meta(const struct mcp *m)
{
	json_object *meta = json_object_new_object();

	json_object_object_add(meta, META "protocolVersion", text(m->version));
	json_object_object_add(meta, META "clientCapabilities", mcp_capabilities(m));
	json_object_object_add(meta, META "clientInfo", mcp_client_info());
	return meta;
}

json_object *mcp_request(struct mcp *m, const char *method, json_object *params)
{
	json_object *request = json_object_new_object(), *its_meta;

	json_object_object_add(request, "jsonrpc", text("2.0"));
	json_object_object_add(request, "id", json_object_new_int64(++m->last_id));
	json_object_object_add(request, "method", text(method));
	if (!params && m->era == MCP_STATELESS)
		params = json_object_new_object();
	its_meta = m->era == MCP_STATELESS    ? meta(m)
	           : params && m->on_progress ? json_object_new_object()
	                                      : NULL;
	if (its_meta && m->on_progress)
		json_object_object_add(its_meta, "progressToken", json_object_new_int64(m->last_id));
	if (its_meta)
		json_object_object_add(params, "_meta", its_meta);
	if (params)
		json_object_object_add(request, "params", params);
	return request;
}

json_object *mcp_notification(const char *method, json_object *params)
{
	json_object *message = json_object_new_object();

	json_object_object_add(message, "jsonrpc", text("2.0"));
	json_object_object_add(message, "method", text(method));
	if (params)
		json_object_object_add(message, "params", params);
	return message;
}

/* --- What an answer means ---------------------------------------------------------------------------------------------- */

int64_t mcp_error_code(const struct mcp_answer *answer)
{
	return json_int(json_get(answer->message, "error"), "code", 0);
}

int mcp_refused(struct mcp *m, const struct mcp_answer *answer, struct error *err)
{
	const char *message = json_string(json_get(answer->message, "error"), "message");

	if (answer->status == 401)
		return error_set(err, ERROR_UNAUTHENTICATED, "the server wants a sign-in");
	if (answer->status == 403)
		return error_set(err, ERROR_FORBIDDEN, "the server wants more rights");
	if (message)
		error_set(err, ERROR_UPSTREAM, "the server says: %.200s", message);
	else if (answer->status >= 300)
		error_set(err, ERROR_UPSTREAM, "the server answers with HTTP %d", answer->status);
	else if (m->wire->unreadable)
		error_set(err, ERROR_UPSTREAM, "the server's answer cannot be read: %s", m->wire->unreadable);
	else
		error_set(err, ERROR_UPSTREAM, "the server does not speak MCP");
	error_detail(err, "HTTP %d, code %lld", answer->status, (long long)mcp_error_code(answer));
	return -1;
}

json_object *mcp_result_of(const struct mcp_answer *answer)
{
	return json_get(answer->message, "result");
}

/* --- Asking --------------------------------------------------------------------------------------------------------------- */

/* A session that the server has forgotten: 404, and 400 from some, who say so in words. */
static bool is_forgotten(const struct mcp *m, const struct mcp_answer *answer)
{
	const char *words = json_string(json_get(answer->message, "error"), "message");

	if (m->era != MCP_SESSIONS || (!m->session && !m->wire->known))
		return false;
	return (answer->status == 404 && m->session) ||
	       (answer->status == 400 && words &&
	        (strcasestr(words, "session") || strcasestr(words, "initializ")));
}

static const char *const *with_routing(struct mcp *m)
{
	const struct mcp_wire *w = m->wire;
	size_t n = 0;
	const char **list;

	if (m->era != MCP_STATELESS)
		return NULL;
	while (w->extra && w->extra[n])
		n++;
	list = arena_new(m->arena, const char *, n + 3);
	for (size_t i = 0; i < n; i++)
		list[i] = w->extra[i];
	list[n++] = arena_printf(m->arena, "Mcp-Method: %s", w->method);
	if (w->name)
		list[n] = arena_printf(m->arena, "Mcp-Name: %s", mcp_header_value(w->name, m->arena));
	return list;
}

static bool heard(struct mcp *m);

static bool send_it(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	OWN(json) json_object *request = mcp_request(m, w->method, json_object_get(w->params));

	return mcp_send(m, request, with_routing(m), true, heard);
}

/* A session that is gone is opened anew, once, since the request was not taken. */
static bool heard(struct mcp *m)
{
	struct mcp_wire *w = m->wire;

	if (w->reopened || !is_forgotten(m, &w->answer))
		return mcp_conclude(m);
	w->reopened = true;
	m->sent = false;
	return mcp_open_session(m);
}

void mcp_ask(struct mcp *m, const char *method, const char *name, json_object *params,
             const char *const *extra, mcp_step *concluded)
{
	struct mcp_wire *w = m->wire;

	json_object_put(w->params);
	w->params = params ? params : json_object_new_object();
	w->method = method;
	w->name = name;
	w->extra = extra;
	w->opened = send_it;
	w->concluded = concluded;
	w->step = mcp_open;
}

/* The result asks for something first: the same request again, with that. */
static void add_inputs(struct mcp *m, json_object *params, json_object *result)
{
	json_object *state = json_get(result, "requestState"), *wanted = json_get(result, "inputRequests");

	json_object_object_del(params, "inputResponses");
	json_object_object_del(params, "requestState");
	if (wanted)
		json_object_object_add(params, "inputResponses", mcp_gather_inputs(m, wanted));
	if (state)
		json_object_object_add(params, "requestState", json_object_get(state));
}

static bool wants_visit(struct mcp *m, const struct mcp_answer *answer)
{
	return mcp_error_code(answer) == MCP_URL_ELICITATION_REQUIRED &&
	       mcp_visit_urls(m,
	                      json_get(json_get(json_get(answer->message, "error"), "data"), "elicitations"));
}

static bool again(struct mcp *m)
{
	if (++m->wire->rounds < MOST_ROUNDS && m->wire->params) {
		m->wire->step = send_it;
		return false;
	}
	error_set(m->wire->err, ERROR_UPSTREAM, "the server asks for more and more before it answers");
	return mcp_fail(m);
}

bool mcp_conclude(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	json_object *result = mcp_result_of(&w->answer);
	const char *type = json_string(result, "resultType");

	if (m->pauses && mcp_pause_for(m, &w->answer))
		return mcp_done(m);
	if (!result && wants_visit(m, &w->answer))
		return again(m);
	if (!result) {
		if (w->once && !w->answer.message && w->answer.status < 300)
			error_set(w->err, ERROR_UNKNOWN_OUTCOME,
			          "the server ended its answer without a result");
		mcp_refused(m, &w->answer, w->err); /* unless that said it */
		return mcp_fail(m);
	}
	if (type && strcmp(type, "input_required") == 0) {
		if (w->params)
			add_inputs(m, w->params, result);
		return again(m);
	}
	json_object_put(m->result);
	m->result = json_object_get(result);
	return w->concluded(m);
}
