#include "svc-chat/tools/inventory.h"

#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
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

void inventory_ask(struct egress *egress, struct inventory *server, int ms, struct arena *a)
{
	atomic_bool changed = false;
	struct mcp m = {
		.egress = egress,
		.arena = a,
		.url = server->url,
		.headers = server->headers,
		.bearer = server->bearer,
		.deadline = clock_mono_ms() + ms,
		.era = mcp_first_era(server->events, server->sessions),
		.elicits = true, /* some tools are offered only to those who have a user */
		.tools_changed = &changed,
	};
	struct mcp_tool *tools;
	int64_t ttl_ms;
	size_t count;

	if (mcp_list_tools(&m, &tools, &count, &ttl_ms, &server->err) < 0) {
		server->challenge = arena_strdup(a, m.challenge);
	} else {
		pack(server, tools, count, a);
		server->sessions = m.era != MCP_STATELESS;
		server->fresh_seconds = fresh_seconds(ttl_ms, atomic_load(&changed));
	}
	mcp_close(&m);
}

/* --- Many ------------------------------------------------------------------------------------------------------------- */

struct inventory_thread {
	struct egress *egress;
	struct inventory *server;
	struct arena arena;
	pthread_t thread;
	int ms;
	bool started;
};

static void *ask_one(void *arg)
{
	struct inventory_thread *one = arg;

	inventory_ask(one->egress, one->server, one->ms, &one->arena);
	return NULL;
}

/* Out of the thread's arena into the caller's. */
static void keep(struct inventory *server, struct arena *a)
{
	server->tools = arena_strdup(a, server->tools);
	server->challenge = arena_strdup(a, server->challenge);
	server->err.fields = NULL;
}

void inventory_ask_all(struct egress *egress, struct inventory *servers, size_t count, int ms,
                       struct arena *a)
{
	struct inventory_thread *all = arena_new(a, struct inventory_thread, count);

	for (size_t i = 0; i < count; i++) {
		all[i].egress = egress;
		all[i].server = &servers[i];
		all[i].ms = ms;
		arena_init(&all[i].arena, 0);
		if (servers[i].err.code)
			continue;
		all[i].started = thread_try(&all[i].thread, ask_one, &all[i]) == 0;
		if (!all[i].started)
			error_busy(&servers[i].err, 1, "too much is under way");
	}
	for (size_t i = 0; i < count; i++) {
		if (all[i].started)
			pthread_join(all[i].thread, NULL);
		keep(&servers[i], a);
		arena_done(&all[i].arena);
	}
}
