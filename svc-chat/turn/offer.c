/* What a model may call in a turn: the tools that everybody has in chats, and those of the user's servers. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/model/defuse.h"
#include "svc-chat/model/tokens.h"
#include "svc-chat/state.h"
#include "svc-chat/turn/rounds.h"

enum {
	TOOLS_MOST = 128,    /* what endpoints take */
	AGAIN_SECONDS = 300, /* a server that failed does not delay every turn */
	DESCRIPTION_MOST = 1024,
	DESCRIPTION_SHORT = 160,
};

int64_t rounds_context(const struct ask *ask)
{
	return ask->settings.context_tokens ? ask->settings.context_tokens : ask->chat->context_tokens;
}

static const char *defused(const char *text, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	defuse_text(text, strlen(text), &t);
	return t.at ? t.at : "";
}

/* With every text in it made harmless, names too: a schema speaks to the model as a description does. It is not deep
 * (json_parse). */
static json_object *defused_schema(json_object *value, struct arena *a)
{
	json_object *ret;

	switch (json_object_get_type(value)) {
	case json_type_string: return json_object_new_string(defused(json_object_get_string(value), a));
	case json_type_array:
		ret = json_object_new_array();
		for (size_t i = 0; i < json_object_array_length(value); i++)
			json_object_array_add(ret, defused_schema(json_object_array_get_idx(value, i), a));
		return ret;
	case json_type_object:
		ret = json_object_new_object();
		json_object_object_foreach(value, key, member)
		{
			json_object_object_add(ret, defused(key, a), defused_schema(member, a));
		}
		return ret;
	default: return json_object_get(value);
	}
}

/* As endpoints take it: an object of properties. */
static const char *schema_for_model(const char *text, struct arena *a)
{
	OWN(json) json_object *schema = NULL, *safe = NULL;
	struct error ignored = { 0 };

	if (json_parse(text, strlen(text), &schema, &ignored) < 0 ||
	    !json_object_is_type(schema, json_type_object))
		return "{\"type\":\"object\",\"properties\":{}}";
	json_object_object_del(schema, "$schema");
	if (!json_get(schema, "type"))
		json_object_object_add(schema, "type", json_object_new_string("object"));
	if (!json_object_is_type(json_get(schema, "properties"), json_type_object))
		json_object_object_add(schema, "properties", json_object_new_object());
	safe = defused_schema(schema, a);
	return json_print(safe, a);
}

static const char *description_for_model(const struct tool *tool, size_t most, struct arena *a)
{
	const char *text = tool->description ? tool->description : tool->title ? tool->title : tool->own_name;
	struct text t;

	text_init(&t, a);
	defuse_text(text, utf8_clip(text, strlen(text), most), &t);
	return t.at;
}

/* Those that find room in their share of the context; described shorter where they would not. */
static size_t offer(struct rounds *r, const struct tool *tools, size_t count, struct model_tool *list,
                    size_t n, size_t description)
{
	int64_t room = rounds_context(r->ask) / 4;

	for (size_t i = 0; i < count && n < TOOLS_MOST; i++) {
		if (strcmp(tools[i].policy, "deny") == 0)
			continue;
		list[n] = (struct model_tool){ tools[i].name,
			                       description_for_model(&tools[i], description, r->call->arena),
			                       schema_for_model(tools[i].schema, r->call->arena) };
		room -= tokens_of(list[n].name) + tokens_of(list[n].description) + tokens_of(list[n].schema);
		if (room < 0 && description > DESCRIPTION_SHORT)
			return 0;
		if (room < 0)
			break;
		n++;
	}
	return n;
}

static void offer_all(struct rounds *r, bool in_chat)
{
	struct model_tool *list = arena_new(r->call->arena, struct model_tool, TOOLS_MOST);
	size_t own = in_chat ? builtin_count : 0, n = offer(r, builtins, own, list, 0, DESCRIPTION_MOST), all;

	all = offer(r, r->box.tools, r->box.count, list, n, DESCRIPTION_MOST);
	if (!all && r->box.count)
		all = offer(r, r->box.tools, r->box.count, list, n, DESCRIPTION_SHORT);
	r->ask->tools = list;
	r->ask->tool_count = all > n ? all : n;
	r->ask->searches = in_chat;
}

/* No model, so none that calls: what is in the user's documents is searched for it, and no use of tools is pretended. */
static int without_tools(struct rounds *r, bool in_chat)
{
	struct server_row *rows;
	size_t count;

	if (servers_all(r->call, &rows, &count) < 0)
		return -1;
	if (count)
		r->ask->remark =
		    "(Your tools need a model: none is set up here, so none of them was called.)";
	return in_chat ? builtin_search(r, r->begun->question) : 0;
}

int rounds_open(struct rounds *r)
{
	bool in_chat = !r->begun->chatbot_id;
	struct server_row *rows;
	size_t count;

	r->until = clock_mono_ms() + r->chat->tools_seconds * 1000;
	if (r->begun->visitor || !(in_chat || r->ask->settings.tools))
		return 0;
	if (!ask_whom(r->ask)->calls_tools)
		return without_tools(r, in_chat);
	if (servers_all(r->call, &rows, &count) < 0 ||
	    servers_refresh(r->call, rows, count, AGAIN_SECONDS) < 0 ||
	    toolbox_fill(r->call, rows, count, r->writer->session, &r->box) < 0)
		return -1;
	offer_all(r, in_chat);
	return 0;
}

const struct tool *rounds_tool(const struct rounds *r, const char *name)
{
	for (size_t i = 0; !r->begun->chatbot_id && i < builtin_count; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return toolbox_find(&r->box, name);
}
