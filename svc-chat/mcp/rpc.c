#include <string.h>
#include <strings.h>

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

/* --- What an answer means ---------------------------------------------------------------------------------------------- */

int64_t mcp_error_code(const struct mcp_answer *answer)
{
	return json_int(json_get(answer->message, "error"), "code", 0);
}

int mcp_refused(struct mcp *m, const struct mcp_answer *answer, struct error *err)
{
	const char *message = json_string(json_get(answer->message, "error"), "message");

	(void)m;
	if (answer->status == 401)
		return error_set(err, ERROR_UNAUTHENTICATED, "the server wants a sign-in");
	if (answer->status == 403)
		return error_set(err, ERROR_FORBIDDEN, "the server wants more rights");
	if (message)
		error_set(err, ERROR_UPSTREAM, "the server says: %.200s", message);
	else if (answer->status >= 300)
		error_set(err, ERROR_UPSTREAM, "the server answers with HTTP %d", answer->status);
	else
		error_set(err, ERROR_UPSTREAM, "the server does not speak MCP");
	error_detail(err, "HTTP %d, code %lld", answer->status, (long long)mcp_error_code(answer));
	return -1;
}

static json_object *result_of(const struct mcp_answer *answer)
{
	return json_get(answer->message, "result");
}

/* --- Opening ------------------------------------------------------------------------------------------------------------ */

static const char *const session_versions[] = { MCP_SESSIONS_VERSION, "2025-06-18", "2025-03-26",
	                                        "2024-11-05" };

static bool is_known_version(const char *version)
{
	for (size_t i = 0; version && i < sizeof session_versions / sizeof *session_versions; i++)
		if (strcmp(version, session_versions[i]) == 0)
			return true;
	return false;
}

/* Whether a refusal of "server/discover" comes from a server of the newer era. */
static bool is_of_newer_era(const struct mcp_answer *answer)
{
	int64_t code = mcp_error_code(answer);

	if (answer->status < 300) /* some older ones have a friendly word for every method */
		return json_get(result_of(answer), "supportedVersions") != NULL;
	return code == MCP_HEADER_MISMATCH || code == MCP_MISSING_CAPABILITY ||
	       code == MCP_UNSUPPORTED_VERSION || (answer->status == 404 && code == MCP_METHOD_NOT_FOUND);
}

/* A server that speaks newer versions only, of which ours is not one. */
static bool offers(json_object *versions, const char *version)
{
	size_t n = json_object_is_type(versions, json_type_array) ? json_object_array_length(versions) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *offered = json_object_get_string(json_object_array_get_idx(versions, i));

		if (offered && strcmp(offered, version) == 0)
			return true;
	}
	return n == 0;
}

/* 1: it is of the newer era; 0: it is not; -1. */
static int try_stateless(struct mcp *m, struct error *err)
{
	OWN(json) json_object *request = NULL;
	struct mcp_answer answer;
	int newer;

	m->era = MCP_STATELESS;
	m->version = MCP_STATELESS_VERSION;
	request = mcp_request(m, "server/discover", NULL);
	if (mcp_post(m, request, (const char *const[]){ "Mcp-Method: server/discover", NULL }, &answer, err) <
	    0)
		return -1;
	if (answer.status == 401 || answer.status == 403) {
		mcp_refused(m, &answer, err);
		mcp_answer_done(&answer);
		m->era = MCP_UNKNOWN;
		m->version = NULL;
		return -1;
	}
	newer = is_of_newer_era(&answer);
	if (newer)
		newer =
		    offers(mcp_error_code(&answer) == MCP_UNSUPPORTED_VERSION
		               ? json_get(json_get(json_get(answer.message, "error"), "data"), "supported")
		               : json_get(result_of(&answer), "supportedVersions"),
		           MCP_STATELESS_VERSION);
	mcp_answer_done(&answer);
	if (!newer) {
		m->era = MCP_UNKNOWN;
		m->version = NULL;
	}
	return newer;
}

static int take_session(struct mcp *m, const struct mcp_answer *answer, struct error *err)
{
	const char *version = json_string(result_of(answer), "protocolVersion");

	if (!version)
		return mcp_refused(m, answer, err);
	if (!is_known_version(version))
		return error_set(err, ERROR_UPSTREAM,
		                 "the server speaks version %.40s of MCP, which we do not", version);
	m->version = arena_strdup(m->arena, version);
	m->session = arena_strdup(m->arena, answer->session);
	return 0;
}

static int initialize(struct mcp *m, struct mcp_answer *answer, struct error *err)
{
	OWN(json) json_object *request = NULL;
	json_object *params = json_object_new_object();

	m->version = m->session = NULL;
	json_object_object_add(params, "protocolVersion",
	                       text(m->era == MCP_EVENTS ? MCP_EVENTS_VERSION : MCP_SESSIONS_VERSION));
	json_object_object_add(params, "capabilities", mcp_capabilities(m));
	json_object_object_add(params, "clientInfo", mcp_client_info());
	request = mcp_request(m, "initialize", params);
	return mcp_post(m, request, NULL, answer, err);
}

static int finish_session(struct mcp *m, struct mcp_answer *answer, struct error *err)
{
	int done = take_session(m, answer, err);

	mcp_answer_done(answer);
	if (done == 0)
		done = mcp_notify(m, "notifications/initialized", NULL, err);
	if (done < 0)
		m->version = NULL;
	return done;
}

/* 1, 0: it is not of this kind, -1. */
static int open_events(struct mcp *m, struct error *err)
{
	struct mcp_answer answer;
	int opened;

	m->era = MCP_EVENTS;
	m->version = m->session = NULL;
	opened = mcp_events_open(m, err);
	if (opened > 0)
		opened = initialize(m, &answer, err) < 0 || finish_session(m, &answer, err) < 0 ? -1 : 1;
	if (opened <= 0) {
		mcp_events_close(m);
		m->era = MCP_UNKNOWN;
	}
	return opened;
}

/* How the oldest servers refuse what came after them. */
static bool may_be_older(const struct mcp_answer *answer)
{
	return (answer->status == 400 || answer->status == 404 || answer->status == 405) &&
	       !result_of(answer);
}

static int open_session(struct mcp *m, struct error *err)
{
	struct mcp_answer answer;
	int older;

	mcp_stop_listening(m);
	m->era = MCP_SESSIONS;
	if (initialize(m, &answer, err) < 0)
		return -1;
	if (may_be_older(&answer)) {
		older = open_events(m, err);
		if (older) {
			mcp_answer_done(&answer);
			return older < 0 ? -1 : 0;
		}
		m->era = MCP_SESSIONS;
	}
	if (finish_session(m, &answer, err) < 0)
		return -1;
	mcp_listen(m);
	return 0;
}

enum mcp_era mcp_first_era(bool events, bool sessions)
{
	return events ? MCP_EVENTS : sessions ? MCP_SESSIONS : MCP_UNKNOWN;
}

int mcp_open(struct mcp *m, struct error *err)
{
	int newer;

	if (m->version)
		return 0;
	if (m->era == MCP_SESSIONS)
		return open_session(m, err);
	if (m->era == MCP_EVENTS) {
		newer = open_events(m, err);
		if (newer)
			return newer < 0 ? -1 : 0;
	}
	newer = try_stateless(m, err);
	return newer < 0 ? -1 : newer ? 0 : open_session(m, err);
}

void mcp_close(struct mcp *m)
{
	struct error ignored = { 0 };

	mcp_stop_listening(m);
	if (m->era == MCP_SESSIONS && m->session && mcp_delete_session(m, &ignored) < 0)
		error_clear(&ignored); /* it will forget us by itself */
	mcp_events_close(m);
	m->session = m->version = NULL;
}

/* --- Asking --------------------------------------------------------------------------------------------------------------- */

/* A session that the server has forgotten: 404, and 400 from some, who say so in words. */
static bool is_forgotten(const struct mcp *m, const struct mcp_answer *answer)
{
	const char *words = json_string(json_get(answer->message, "error"), "message");

	if (m->era != MCP_SESSIONS || !m->session)
		return false;
	return answer->status == 404 || (answer->status == 400 && words && strcasestr(words, "session"));
}

static const char *const *with_routing(struct mcp *m, const char *method, const char *name,
                                       const char *const *extra)
{
	size_t n = 0;
	const char **list;

	if (m->era != MCP_STATELESS)
		return NULL;
	while (extra && extra[n])
		n++;
	list = arena_new(m->arena, const char *, n + 3);
	for (size_t i = 0; i < n; i++)
		list[i] = extra[i];
	list[n++] = arena_printf(m->arena, "Mcp-Method: %s", method);
	if (name)
		list[n] = arena_printf(m->arena, "Mcp-Name: %s", mcp_header_value(name, m->arena));
	return list;
}

/* One request and its answer; a session that is gone is opened anew, once, since the request was not taken. */
static int ask_once(struct mcp *m, const char *method, const char *name, json_object *params,
                    const char *const *extra, struct mcp_answer *answer, struct error *err)
{
	for (int i = 0;; i++) {
		OWN(json) json_object *request = mcp_request(m, method, json_object_get(params));

		if (mcp_post(m, request, with_routing(m, method, name, extra), answer, err) < 0)
			return -1;
		if (i > 0 || !is_forgotten(m, answer))
			return 0;
		mcp_answer_done(answer);
		m->session = m->version = NULL;
		if (open_session(m, err) < 0)
			return -1;
	}
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

int mcp_conclude(struct mcp *m, const struct mcp_answer *answer, json_object *params, json_object **ret,
                 struct error *err)
{
	const char *type = json_string(result_of(answer), "resultType");

	if (m->pauses && mcp_pause_for(m, answer))
		return 0;
	if (!result_of(answer))
		return wants_visit(m, answer) ? 2 : mcp_refused(m, answer, err);
	if (type && strcmp(type, "input_required") == 0) {
		add_inputs(m, params, result_of(answer));
		return 2;
	}
	*ret = json_object_get(result_of(answer));
	return 1;
}

int mcp_ask(struct mcp *m, const char *method, const char *name, json_object *params,
            const char *const *extra, json_object **ret, struct error *err)
{
	OWN(json) json_object *own = params ? params : json_object_new_object();

	if (mcp_open(m, err) < 0)
		return -1;
	for (int round = 0; round < MOST_ROUNDS; round++) {
		struct mcp_answer answer;
		int done;

		if (ask_once(m, method, name, own, extra, &answer, err) < 0)
			return -1;
		done = mcp_conclude(m, &answer, own, ret, err);
		mcp_answer_done(&answer);
		if (done < 2)
			return done < 0 ? -1 : 0;
	}
	return error_set(err, ERROR_UPSTREAM, "the server asks for more and more before it answers");
}
