/* A call that its user's answer interrupts: what is kept of it, and how it goes on. */
#include <string.h>

#include "svc-chat/mcp/internal.h"

/* --- What is kept ------------------------------------------------------------------------------------------------------ */

static void add_question(struct mcp_pause *pause, json_object *params, struct arena *a)
{
	pause->questions[pause->count++] =
	    json_object_is_type(params, json_type_object) ? json_print(params, a) : "{}";
}

static void keep(struct mcp *m, const char *kind, json_object *resume)
{
	json_object_object_add(resume, "kind", json_object_new_string(kind));
	m->pause.resume = json_print(resume, m->arena);
	json_object_put(resume);
}

static void add_text(json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

/* The stream is left, and taken up again behind its question. The session is the call's own until then. */
static void pause_stream(struct mcp *m, const struct mcp_answer *answer)
{
	json_object *resume = json_object_new_object();

	m->pause.questions = arena_new(m->arena, const char *, 1);
	add_question(&m->pause, json_get(answer->asked, "params"), m->arena);
	add_text(resume, "session", m->session);
	add_text(resume, "version", m->version);
	add_text(resume, "event", answer->event);
	json_object_object_add(resume, "call", json_object_new_int64(m->last_id));
	json_object_object_add(resume, "request", json_object_get(json_get(answer->asked, "id")));
	keep(m, "stream", resume);
	m->session = m->version = NULL; /* closing this conversation does not end it */
}

/* The same request will be sent again, with what was asked for. */
static void pause_inputs(struct mcp *m, json_object *result)
{
	json_object *requests = json_get(result, "inputRequests"), *state = json_get(result, "requestState");
	json_object *resume = json_object_new_object(), *keys = json_object_new_array();

	m->pause.questions = arena_new(m->arena, const char *, (size_t)json_object_object_length(requests));
	json_object_object_foreach(requests, key, request)
	{
		const char *method = json_string(request, "method");

		if (!method || strcmp(method, "elicitation/create") != 0)
			continue; /* what we did not say that we can do */
		add_question(&m->pause, json_get(request, "params"), m->arena);
		json_object_array_add(keys, json_object_new_string(key));
	}
	json_object_object_add(resume, "keys", keys);
	if (state)
		json_object_object_add(resume, "state", json_object_get(state));
	keep(m, "inputs", resume);
}

static void pause_visits(struct mcp *m, json_object *elicitations)
{
	size_t n = json_object_array_length(elicitations);

	m->pause.questions = arena_new(m->arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		add_question(&m->pause, json_object_array_get_idx(elicitations, i), m->arena);
	keep(m, "visits", json_object_new_object());
}

static bool asks_for_inputs(json_object *result)
{
	const char *type = json_string(result, "resultType");
	json_object *requests = json_get(result, "inputRequests");

	if (!type || strcmp(type, "input_required") != 0 || !json_object_is_type(requests, json_type_object))
		return false;
	json_object_object_foreach(requests, key, request)
	{
		const char *method = json_string(request, "method");

		(void)key;
		if (method && strcmp(method, "elicitation/create") == 0)
			return true;
	}
	return false;
}

bool mcp_pause_for(struct mcp *m, const struct mcp_answer *answer)
{
	json_object *result = json_get(answer->message, "result"),
	            *error = json_get(answer->message, "error"),
	            *visits = json_get(json_get(error, "data"), "elicitations");

	m->pause = (struct mcp_pause){ 0 };
	if (answer->asked)
		pause_stream(m, answer);
	else if (asks_for_inputs(result))
		pause_inputs(m, result);
	else if (mcp_error_code(answer) == MCP_URL_ELICITATION_REQUIRED &&
	         json_object_is_type(visits, json_type_array) && json_object_array_length(visits))
		pause_visits(m, visits);
	return m->pause.resume != NULL;
}

/* --- How it goes on ------------------------------------------------------------------------------------------------------ */

static json_object *call_params(const char *name, json_object *arguments)
{
	json_object *params = json_object_new_object();

	json_object_object_add(params, "name", json_object_new_string(name));
	json_object_object_add(params, "arguments", json_object_get(arguments));
	return params;
}

static json_object *with_inputs(json_object *params, json_object *resume, json_object *const *answers)
{
	json_object *keys = json_get(resume, "keys"), *responses = json_object_new_object(),
	            *state = json_get(resume, "state");

	for (size_t i = 0; i < json_object_array_length(keys); i++)
		json_object_object_add(responses, json_object_get_string(json_object_array_get_idx(keys, i)),
		                       json_object_get(answers[i]));
	json_object_object_add(params, "inputResponses", responses);
	if (state)
		json_object_object_add(params, "requestState", json_object_get(state));
	return params;
}

static bool all_accept(size_t count, json_object *const *answers)
{
	for (size_t i = 0; i < count; i++) {
		const char *action = json_string(answers[i], "action");

		if (!action || strcmp(action, "accept") != 0)
			return false;
	}
	return true;
}

static bool heard_stream(struct mcp *m)
{
	if (mcp_is_answered(m->wire))
		return mcp_conclude(m);
	error_set(m->wire->err, ERROR_UNKNOWN_OUTCOME, "the server has forgotten the call");
	return mcp_fail(m);
}

/* The server has the answer: on with the stream, behind the question. */
static bool heard_answer(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	const char *event = json_string(w->kept, "event");

	if (w->answer.status >= 300) {
		mcp_refused(m, &w->answer, w->err);
		return mcp_fail(m);
	}
	return mcp_continue(m, m->last_id, arena_strdup(m->arena, event ? event : ""), heard_stream);
}

static bool send_answer(struct mcp *m)
{
	struct mcp_wire *w = m->wire;
	OWN(json) json_object *message = json_object_new_object();

	json_object_object_add(message, "jsonrpc", json_object_new_string("2.0"));
	json_object_object_add(message, "id", json_object_get(json_get(w->kept, "request")));
	json_object_object_add(message, "result", json_object_get(json_get(w->kept, "answer")));
	return mcp_send(m, message, NULL, false, heard_answer);
}

static void resume_stream(struct mcp *m, json_object *answer)
{
	struct mcp_wire *w = m->wire;

	m->era = MCP_SESSIONS;
	m->session = arena_strdup(m->arena, json_string(w->kept, "session"));
	m->version = arena_strdup(m->arena, json_string(w->kept, "version"));
	m->last_id = json_int(w->kept, "call", 0);
	json_object_object_add(w->kept, "answer", json_object_get(answer));
	json_object_put(w->params);
	w->params = NULL; /* the call is not sent again */
	w->concluded = mcp_done;
	w->step = send_answer;
	m->sent = true;
}

static bool unreadable(struct mcp *m)
{
	error_set(m->wire->err, ERROR_INTERNAL, "what was kept of a call cannot be read");
	return mcp_fail(m);
}

static bool not_visited(struct mcp *m)
{
	error_set(m->wire->err, ERROR_UPSTREAM, "its user did not go where the server sends them first");
	return mcp_fail(m);
}

void mcp_begin_resume(struct mcp *m, const char *name, const struct mcp_tool *tool, json_object *arguments,
                      const char *resume, json_object *const *answers)
{
	struct mcp_wire *w = mcp_begin(m, unreadable);
	struct error err = { 0 };
	json_object *params;
	const char *kind;
	size_t count = 0;

	json_object_put(w->kept);
	w->kept = NULL;
	if (json_parse(resume, strlen(resume), &w->kept, &err) < 0)
		return;
	kind = json_string(w->kept, "kind");
	if (kind && strcmp(kind, "stream") == 0) {
		resume_stream(m, answers[0]);
		return;
	}
	while (answers[count])
		count++;
	if (kind && strcmp(kind, "visits") == 0 && !all_accept(count, answers)) {
		w->step = not_visited;
		return;
	}
	params = call_params(name, arguments);
	if (kind && strcmp(kind, "inputs") == 0)
		params = with_inputs(params, w->kept, answers);
	mcp_ask(m, "tools/call", name, params,
	        tool ? mcp_param_headers(tool->input_schema, arguments, m->arena) : NULL, mcp_done);
}
