/* What a model gets that calls in words: the tools, its own calls and what they gave back, as text. */
#include <string.h>

#include "common/base/text.h"
#include "svc-chat/model/defuse.h"
#include "svc-chat/model/prompted.h"

static const char how[] =
    "\n\nYou can call tools. To call one, write nothing but a block like this, one for each call:\n"
    "<tool_call>\n{\"name\": \"name of the tool\", \"arguments\": {}}\n</tool_call>\n"
    "The results come in the next message. Call only tools of this list, and none where the answer needs none:\n";

static const char *with_tools(const struct model_request *request, const char *system, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, system);
	text_adds(&t, how);
	for (size_t i = 0; i < request->tool_count; i++)
		text_addf(&t, "- %s: %s\n  arguments, as a JSON Schema: %s\n", request->tools[i].name,
		          request->tools[i].description, request->tools[i].schema);
	return t.at;
}

static const char *with_calls(const struct model_message *m, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, m->content);
	for (size_t i = 0; i < m->call_count; i++) {
		text_adds(&t, "\n<tool_call>\n{\"name\": ");
		text_add_json(&t, m->calls[i].name, strlen(m->calls[i].name));
		text_addf(&t, ", \"arguments\": %s}\n</tool_call>", m->calls[i].arguments);
	}
	return t.at;
}

/* The results of one round are one message. */
static size_t add_results(const struct model_message *from, size_t count, struct model_message *ret,
                          struct arena *a)
{
	struct text t;
	size_t n = 0;

	text_init(&t, a);
	for (; n < count && strcmp(from[n].role, "tool") == 0; n++) {
		text_adds(&t, "<tool_result name=\"");
		defuse_name(from[n].name ? from[n].name : "", &t);
		text_addf(&t, "\">\n%s\n</tool_result>\n", from[n].content);
	}
	*ret = (struct model_message){ .role = "user", .content = t.at };
	return n;
}

const struct model_message *prompted_messages(const struct model_request *request,
                                              const struct model_message *messages, size_t *count,
                                              struct arena *a)
{
	struct model_message *list = arena_new(a, struct model_message, *count + 1);
	bool told = false;
	size_t n = 0;

	for (size_t i = 0; i < *count;) {
		if (strcmp(messages[i].role, "tool") == 0) {
			i += add_results(messages + i, *count - i, &list[n++], a);
			continue;
		}
		list[n] = (struct model_message){ .role = messages[i].role, .content = messages[i].content };
		if (!told && strcmp(messages[i].role, "system") == 0) {
			list[n].content = with_tools(request, messages[i].content, a);
			told = true;
		} else if (messages[i].call_count) {
			list[n].content = with_calls(&messages[i], a);
		}
		n++;
		i++;
	}
	*count = n;
	return list;
}
