/* Which era a server is of, a version that both speak, and a session where it has them. */
#include <string.h>

#include "svc-chat/mcp/internal.h"

static const char *const session_versions[] = { MCP_SESSIONS_VERSION, "2025-06-18", "2025-03-26",
	                                        "2024-11-05" };

static bool is_known_version(const char *version)
{
	for (size_t i = 0; version && i < sizeof session_versions / sizeof *session_versions; i++)
		if (strcmp(version, session_versions[i]) == 0)
			return true;
	return false;
}

static bool refuse(struct mcp *m)
{
	mcp_refused(m, &m->wire->answer, m->wire->err);
	return mcp_fail(m);
}

/* --- 2026-07-28 ---------------------------------------------------------------------------------------------------------- */

/* Whether a refusal of "server/discover" comes from a server of the newer era. */
static bool is_of_newer_era(const struct mcp_answer *answer)
{
	int64_t code = mcp_error_code(answer);

	if (answer->status < 300) /* some older ones have a friendly word for every method */
		return json_get(mcp_result_of(answer), "supportedVersions") != NULL;
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

static json_object *versions_of(const struct mcp_answer *answer)
{
	return mcp_error_code(answer) == MCP_UNSUPPORTED_VERSION
	           ? json_get(json_get(json_get(answer->message, "error"), "data"), "supported")
	           : json_get(mcp_result_of(answer), "supportedVersions");
}

static bool heard_discover(struct mcp *m)
{
	struct mcp_answer *answer = &m->wire->answer;

	if (answer->status != 401 && answer->status != 403 && is_of_newer_era(answer) &&
	    offers(versions_of(answer), MCP_STATELESS_VERSION)) {
		m->wire->step = m->wire->opened;
		return false;
	}
	m->era = MCP_UNKNOWN;
	m->version = NULL;
	return answer->status == 401 || answer->status == 403 ? refuse(m) : mcp_open_session(m);
}

static bool discover(struct mcp *m)
{
	OWN(json) json_object *request = NULL;

	m->era = MCP_STATELESS;
	m->version = MCP_STATELESS_VERSION;
	request = mcp_request(m, "server/discover", NULL);
	return mcp_send(m, request, (const char *const[]){ "Mcp-Method: server/discover", NULL }, true,
	                heard_discover);
}

/* --- Sessions -------------------------------------------------------------------------------------------------------------- */

static bool heard_initialized(struct mcp *m)
{
	mcp_listen(m);
	m->wire->step = m->wire->opened;
	return false;
}

/* The answer to "initialize". */
static bool take_session(struct mcp *m)
{
	const struct mcp_answer *answer = &m->wire->answer;
	const char *version = json_string(mcp_result_of(answer), "protocolVersion");
	OWN(json) json_object *initialized = NULL;

	if (!version)
		return refuse(m);
	if (!is_known_version(version)) {
		error_set(m->wire->err, ERROR_UPSTREAM,
		          "the server speaks version %.40s of MCP, which we do not", version);
		return mcp_fail(m);
	}
	m->version = arena_strdup(m->arena, version);
	m->session = arena_strdup(m->arena, answer->session);
	initialized = mcp_notification("notifications/initialized", NULL);
	return mcp_send(m, initialized, NULL, false, heard_initialized);
}

static bool initialize(struct mcp *m, mcp_step *heard)
{
	OWN(json) json_object *request = NULL;
	json_object *params = json_object_new_object();

	m->version = m->session = NULL;
	json_object_object_add(
	    params, "protocolVersion",
	    json_object_new_string(m->era == MCP_EVENTS ? MCP_EVENTS_VERSION : MCP_SESSIONS_VERSION));
	json_object_object_add(params, "capabilities", mcp_capabilities(m));
	json_object_object_add(params, "clientInfo", mcp_client_info());
	request = mcp_request(m, "initialize", params);
	return mcp_send(m, request, NULL, true, heard);
}

/* --- 2024-11-05 ------------------------------------------------------------------------------------------------------------ */

static bool initialize_events(struct mcp *m)
{
	m->wire->opened = m->wire->opened_then;
	return initialize(m, take_session);
}

static bool no_events(struct mcp *m)
{
	m->wire->opened = m->wire->opened_then;
	return m->wire->no_events_then(m);
}

/* otherwise: the step where there is no such stream. */
static bool open_events(struct mcp *m, mcp_step *otherwise)
{
	struct mcp_wire *w = m->wire;

	m->era = MCP_EVENTS;
	m->version = m->session = NULL;
	w->opened_then = w->opened;
	w->no_events_then = otherwise;
	w->opened = initialize_events;
	w->no_events = no_events;
	return mcp_open_events(m);
}

/* How the oldest servers refuse what came after them. */
static bool may_be_older(const struct mcp_answer *answer)
{
	return (answer->status == 400 || answer->status == 404 || answer->status == 405) &&
	       !mcp_result_of(answer);
}

/* It is not of the oldest either: what it said to "initialize" counts. */
static bool not_older(struct mcp *m)
{
	struct mcp_wire *w = m->wire;

	m->era = MCP_SESSIONS;
	mcp_answer_done(&w->answer);
	w->answer = w->refusal;
	w->refusal = (struct mcp_answer){ 0 };
	return refuse(m);
}

static bool heard_initialize(struct mcp *m)
{
	struct mcp_wire *w = m->wire;

	if (!may_be_older(&w->answer))
		return take_session(m);
	mcp_answer_done(&w->refusal);
	w->refusal = w->answer;
	w->answer = (struct mcp_answer){ 0 };
	return open_events(m, not_older);
}

bool mcp_open_session(struct mcp *m)
{
	mcp_source_end(&m->wire->side, 0);
	m->wire->listened = 0;
	m->wire->listen_at = 0;
	m->silent = false;
	m->era = MCP_SESSIONS;
	return initialize(m, heard_initialize);
}

bool mcp_open(struct mcp *m)
{
	if (m->version) {
		mcp_listen(m);
		m->wire->step = m->wire->opened;
		return false;
	}
	return m->era == MCP_SESSIONS ? mcp_open_session(m)
	       : m->era == MCP_EVENTS ? open_events(m, discover)
	                              : discover(m);
}

enum mcp_era mcp_first_era(bool events, bool sessions)
{
	return events ? MCP_EVENTS : sessions ? MCP_SESSIONS : MCP_UNKNOWN;
}
