#include "svc-chat/tools/toolbox.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/service/sealer.h"
#include "svc-chat/oauth/bearer.h"
#include "svc-chat/state.h"

enum {
	FRESH_SECONDS = 300, /* what is known of a server's tools is good, unless it says otherwise */
	RENEW_MS = 500,      /* of tokens, before all are asked */
};

static const struct chat *chat_of(const struct call *call)
{
	return call->state;
}

int servers_all(struct call *call, struct server_row **rows, size_t *count)
{
	int64_t next;

	return store_list_servers(call->db, call->owner_id, 0, 0, true, rows, count, &next, call->arena,
	                          call->err);
}

int servers_load(struct call *call, int64_t id, struct server_row *ret)
{
	return db_must_find(store_get_server(call->db, call->owner_id, id, ret, call->arena, call->err),
	                    "MCP server", call->err);
}

bool servers_of_events(const struct server_row *row)
{
	return strcmp(row->transport, "sse") == 0;
}

const char *servers_headers_context(const struct call *call)
{
	return arena_printf(call->arena, "mcp.headers/%s", call->owner_id);
}

int servers_headers(struct call *call, const struct server_row *row, const char *const **ret)
{
	const char **list = arena_new(call->arena, const char *, SERVERS_HEADERS + 1);
	OWN(json) json_object *headers = NULL;
	char *plain;
	size_t n = 0;

	*ret = list;
	if (!row->headers)
		return 0;
	if (sealer_open(call, servers_headers_context(call), row->headers, &plain) < 0 ||
	    json_parse(plain, strlen(plain), &headers, call->err) < 0)
		return -1;
	json_object_object_foreach(headers, name, value)
	{
		if (n < SERVERS_HEADERS)
			list[n++] = arena_printf(call->arena, "%s: %s", name, json_object_get_string(value));
	}
	return 0;
}

/* --- Asking ------------------------------------------------------------------------------------------------------------ */

bool servers_wants_sign_in(const struct inventory *asked, struct arena *a)
{
	return bearer_is_wanted(asked->err.code, asked->challenge, a);
}

/* What asking has shown goes into the row, and is kept. */
static int note(struct call *call, struct server_row *row, const struct inventory *asked)
{
	bool failed = asked->err.code != 0;

	row->status = !failed                                     ? "connected"
	              : servers_wants_sign_in(asked, call->arena) ? "needs_auth"
	                                                          : "error";
	row->status_detail = failed ? arena_strdup(call->arena, asked->err.message) : NULL;
	row->sessions = asked->sessions;
	if (!failed) {
		row->tools = toolbox_mark_changes(row->tools, asked->tools, call->arena);
		row->tools_count = asked->count;
		row->fresh_seconds = asked->fresh_seconds;
	}
	return store_note_server(call->db, call->owner_id, row, failed ? NULL : row->tools, call->err);
}

/* Until it answers, or wants a sign-in that is not there. *url: where; NULL when none can be begun. */
static int ask_as_user(struct call *call, const struct server_row *row, int ms, struct inventory *asked,
                       const char **url)
{
	int64_t deadline = clock_mono_ms() + ms;
	int again = bearer_find(call, row, ms, &asked->bearer);

	for (const char *first = asked->bearer; again >= 0; first = NULL) {
		error_clear(&asked->err);
		inventory_ask(chat_of(call)->egress, asked, (int)(deadline - clock_mono_ms()), call->arena);
		if (!servers_wants_sign_in(asked, call->arena))
			return 0;
		again = bearer_after(call, row, first, asked->err.code, asked->challenge,
		                     (int)(deadline - clock_mono_ms()), &asked->bearer, url);
		if (again == 0)
			break;
	}
	return again;
}

int servers_ask(struct call *call, struct server_row *row, int ms, struct inventory *asked, const char **url)
{
	*url = NULL;
	*asked = (struct inventory){ .url = row->uri,
		                     .sessions = row->sessions,
		                     .events = servers_of_events(row) };
	if (servers_headers(call, row, &asked->headers) < 0)
		return -1;
	if (ask_as_user(call, row, ms, asked, url) <
	    0) /* its provider is away: the server cannot be used now */
		asked->err = *call->err;
	else if (call->err->code) /* a sign-in is wanted, and this is why none can be begun */
		memcpy(asked->err.message, call->err->message, sizeof asked->err.message);
	error_clear(call->err);
	return note(call, row, asked);
}

int servers_note_silence(struct call *call, const struct server_row *server, const struct error *why)
{
	struct server_row row = *server;

	row.status = "error";
	row.status_detail = why->message;
	return store_note_server(call->db, call->owner_id, &row, NULL, call->err);
}

int servers_challenge(struct call *call, const struct server_row *row, int ms, const char **ret)
{
	struct inventory asked = { .url = row->uri,
		                   .sessions = row->sessions,
		                   .events = servers_of_events(row) };

	if (servers_headers(call, row, &asked.headers) < 0)
		return -1;
	inventory_ask(chat_of(call)->egress, &asked, ms, call->arena);
	*ret = asked.challenge;
	if (!asked.err.code || asked.err.code == ERROR_UNAUTHENTICATED || asked.err.code == ERROR_FORBIDDEN)
		return 0;
	error_set(call->err, ERROR_UPSTREAM, "%s", asked.err.message);
	error_detail(call->err, "%s", asked.err.detail);
	return -1;
}

static bool is_due(const struct server_row *row, int again_seconds)
{
	bool failed = strcmp(row->status, "error") == 0 || strcmp(row->status, "needs_auth") == 0;

	return row->age < 0 || row->age >= (failed                   ? again_seconds
	                                    : row->fresh_seconds < 0 ? FRESH_SECONDS
	                                                             : row->fresh_seconds);
}

/* As the user, but not for long: whoever has a token to renew first has less time to answer. */
static int prepare(struct call *call, const struct server_row *row, int64_t deadline, struct inventory *ret)
{
	int64_t left = deadline - clock_mono_ms();

	*ret = (struct inventory){ .url = row->uri,
		                   .sessions = row->sessions,
		                   .events = servers_of_events(row) };
	if (servers_headers(call, row, &ret->headers) < 0)
		return -1;
	if (row->signed_in && bearer_find(call, row, left < 1 ? 1 : (int)left, &ret->bearer) < 0) {
		ret->err = *call->err;
		error_clear(call->err);
	}
	return 0;
}

int servers_refresh(struct call *call, struct server_row *rows, size_t count, int again_seconds)
{
	struct inventory *asked = arena_new(call->arena, struct inventory, count);
	struct server_row **due = arena_new(call->arena, struct server_row *, count);
	int64_t renewed = clock_mono_ms() + RENEW_MS;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_due(&rows[i], again_seconds))
			continue;
		if (prepare(call, &rows[i], renewed, &asked[n]) < 0)
			return -1;
		due[n++] = &rows[i];
	}
	call_goes_away(call);
	inventory_ask_all(chat_of(call)->egress, asked, n, SERVERS_REFRESH_MS, call->arena);
	call_is_back(call);
	for (size_t i = 0; i < n; i++)
		if (note(call, due[i], &asked[i]) < 0)
			return -1;
	return 0;
}

/* --- Signing in ---------------------------------------------------------------------------------------------------------- */

int servers_refuse_sign_in(struct call *call, const char *name, int64_t id, const char *url)
{
	const char *message = arena_printf(call->arena, "Please authenticate with %s first", name);
	struct text extra;

	text_init(&extra, call->arena);
	text_adds(&extra,
	          "{\"error\":\"OAuth authentication required\",\"oauth_required\":true,\"message\":");
	text_add_json(&extra, message, strlen(message));
	text_addf(&extra, ",\"server_id\":%lld", (long long)id);
	if (url) {
		text_adds(&extra, ",\"oauth_url\":");
		text_add_json(&extra, url, strlen(url));
	}
	text_addc(&extra, '}');
	call->extra = extra.at;
	return error_set(call->err, ERROR_UNAUTHENTICATED, "%s", message);
}
