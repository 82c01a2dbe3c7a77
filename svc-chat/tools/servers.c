#include "svc-chat/tools/servers.h"

#include <string.h>

#include "common/json/json.h"
#include "common/service/sealer.h"
#include "svc-chat/state.h"

enum { FRESH_SECONDS = 300 /* what is known of a server's tools is good */ };

static const struct chat *chat_of(const struct call *call)
{
	return call->state;
}

int servers_all(struct call *call, struct server_row **rows, size_t *count)
{
	int64_t next;

	return store_list_servers(call->db, call->owner_id, 0, 0, rows, count, &next, call->arena, call->err);
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

bool servers_wants_sign_in(const struct error *err)
{
	return err->code == ERROR_UNAUTHENTICATED || err->code == ERROR_FORBIDDEN;
}

/* What asking has shown goes into the row, and is kept. */
static int note(struct call *call, struct server_row *row, const struct inventory *asked)
{
	bool failed = asked->err.code != 0;

	row->status = !failed ? "connected" : servers_wants_sign_in(&asked->err) ? "needs_auth" : "error";
	row->status_detail = failed ? arena_strdup(call->arena, asked->err.message) : NULL;
	row->sessions = asked->sessions;
	if (!failed) {
		row->tools = asked->tools;
		row->tools_count = asked->count;
	}
	return store_note_server(call->db, call->owner_id, row, failed ? NULL : asked->tools, call->err);
}

int servers_ask(struct call *call, struct server_row *row, int ms, struct inventory *asked)
{
	*asked = (struct inventory){ .url = row->uri, .sessions = row->sessions };
	if (servers_headers(call, row, &asked->headers) < 0)
		return -1;
	inventory_ask(chat_of(call)->egress, asked, ms, call->arena);
	return note(call, row, asked);
}

static bool is_due(const struct server_row *row, int again_seconds)
{
	bool failed = strcmp(row->status, "error") == 0 || strcmp(row->status, "needs_auth") == 0;

	return row->age < 0 || row->age > (failed ? again_seconds : FRESH_SECONDS);
}

int servers_refresh(struct call *call, struct server_row *rows, size_t count, int again_seconds)
{
	struct inventory *asked = arena_new(call->arena, struct inventory, count);
	struct server_row **due = arena_new(call->arena, struct server_row *, count);
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_due(&rows[i], again_seconds))
			continue;
		asked[n] = (struct inventory){ .url = rows[i].uri, .sessions = rows[i].sessions };
		if (servers_headers(call, &rows[i], &asked[n].headers) < 0)
			return -1;
		due[n++] = &rows[i];
	}
	inventory_ask_all(chat_of(call)->egress, asked, n, SERVERS_REFRESH_MS, call->arena);
	for (size_t i = 0; i < n; i++)
		if (note(call, due[i], &asked[i]) < 0)
			return -1;
	return 0;
}
