#include "svc-chat/tools/inventory.h"

#include <string.h>

#include "common/base/clock.h"
#include "svc-chat/mcp/mcp.h"

enum { MOST_SECONDS = 3600 /* that a server may keep us from asking it again */ };

static void add_json(json_object *object, const char *key, const char *text)
{
	json_object *value = NULL;
	struct error unreadable = { 0 };

	if (text && json_parse(text, strlen(text), &value, &unreadable) == 0)
		json_object_object_add(object, key, value);
}

static void add_text(json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

/* Those that fit. */
static void pack(struct inventory *server, const struct mcp_tool *tools, size_t count, struct arena *a)
{
	OWN(json) json_object *list = json_object_new_array();
	size_t bytes = 0;

	server->count = 0;
	for (size_t i = 0; i < count; i++) {
		json_object *tool = json_object_new_object();

		add_text(tool, "name", tools[i].name);
		add_text(tool, "title", tools[i].title);
		add_text(tool, "description", tools[i].description);
		add_json(tool, "inputSchema", tools[i].input_schema);
		add_json(tool, "annotations", tools[i].annotations);
		bytes += strlen(json_object_to_json_string_ext(tool, JSON_C_TO_STRING_PLAIN)) + 1;
		json_object_array_add(list, tool);
		server->count++;
		if (bytes > INVENTORY_BYTES) {
			json_object_array_del_idx(list, (size_t)--server->count, 1);
			break;
		}
	}
	server->tools = json_print(list, a);
}

/* What changes while it is told is stale at once. */
static int fresh_seconds(int64_t ttl_ms, bool changed)
{
	return changed                        ? 0
	       : ttl_ms < 0                   ? -1
	       : ttl_ms / 1000 > MOST_SECONDS ? MOST_SECONDS
	                                      : (int)(ttl_ms / 1000);
}

/* --- Asking ------------------------------------------------------------------------------------------------------------- */

/* One that is asked. What it sends goes when its list is made, however long the turn that asks goes on. */
struct listing {
	struct mcp m;
	struct arena arena;
	bool waits;
};

static void begin(struct listing *one, struct egress *egress, const struct inventory *server, int ms,
                  struct mcp_waiter *waiter)
{
	arena_init(&one->arena, 0);
	one->waits = true;
	one->m = (struct mcp){
		.egress = egress,
		.arena = &one->arena,
		.url = server->url,
		.headers = server->headers,
		.bearer = server->bearer,
		.deadline = clock_mono_ms() + ms,
		.wake = mcp_waiter_wake,
		.wake_arg = waiter,
		.era = mcp_first_era(server->events, server->sessions),
		.elicits = true, /* some tools are offered only to those who have a user */
	};
	mcp_begin_list(&one->m);
}

/* True while it waits. */
static bool go_on(struct listing *one, struct inventory *server, struct arena *a)
{
	struct mcp *m = &one->m;
	int more = mcp_go_on(m, &server->err);

	if (more > 0)
		return true;
	if (more < 0) {
		server->challenge = arena_strdup(a, m->challenge);
	} else {
		pack(server, m->tools, m->tool_count, a);
		server->sessions = m->era != MCP_STATELESS;
		server->fresh_seconds = fresh_seconds(m->ttl_ms, m->tools_changed);
	}
	mcp_close(m);
	arena_done(&one->arena);
	return false;
}

void inventory_ask(struct egress *egress, struct inventory *server, int ms, struct arena *a)
{
	inventory_ask_all(egress, server, 1, ms, a);
}

void inventory_ask_all(struct egress *egress, struct inventory *servers, size_t count, int ms,
                       struct arena *a)
{
	struct listing *all = arena_new(a, struct listing, count);
	struct mcp_waiter waiter;
	int64_t until;
	size_t left;

	mcp_waiter_init(&waiter);
	for (size_t i = 0; i < count; i++)
		if (!servers[i].err.code)
			begin(&all[i], egress, &servers[i], ms, &waiter);
	for (;;) {
		until = 0;
		left = 0;
		for (size_t i = 0; i < count; i++) {
			int64_t its;

			all[i].waits = all[i].waits && go_on(&all[i], &servers[i], a);
			left += all[i].waits;
			its = all[i].m.until;
			if (all[i].waits && its && (!until || its < until))
				until = its;
		}
		if (!left)
			break;
		mcp_waiter_wait(&waiter, until);
	}
	mcp_waiter_done(&waiter);
}
