#include "svc-chat/chatbot_server.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/base/version.h"
#include "common/json/json_write.h"
#include "shapes.h"
#include "svc-chat/chatbot_methods.h"
#include "svc-chat/turn/ask.h"
#include "svc-chat/turn/retrieve.h"

enum {
	KEPT_MS = 60 * 1000,
	QUESTION_MAX = 32000, /* characters */
	HISTORY_MAX = 200,    /* messages */
	FOUND_MAX = 20,
	PROGRESS_MS = 250,
};

static const char tools[] =
    "\"tools\":[{\"name\":\"search\",\"title\":\"Search the documents\",\"description\":\"Finds the passages of this "
    "chatbot's documents that best answer a question. Gives each with its document, page and place in the text.\","
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\",\"minLength\":1,"
    "\"maxLength\":32000,\"description\":\"A question, or words to look for.\"},\"limit\":{\"type\":\"integer\","
    "\"minimum\":1,\"maximum\":20,\"description\":\"How many passages at most; 8 by default.\"}},"
    "\"required\":[\"query\"]},\"outputSchema\":{\"type\":\"object\",\"properties\":{\"results\":{\"type\":\"array\","
    "\"items\":{\"type\":\"object\"}}},\"required\":[\"results\"]},\"annotations\":{\"readOnlyHint\":true,"
    "\"openWorldHint\":false}},"
    "{\"name\":\"ask\",\"title\":\"Ask the chatbot\",\"description\":\"Asks this chatbot, which answers from its "
    "documents and cites them: \\\"[1]\\\" in the answer is the first of the sources. Nothing is stored; what was said "
    "before can be given along.\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"question\":{\"type\":\"string\","
    "\"minLength\":1,\"maxLength\":32000},\"history\":{\"type\":\"array\",\"maxItems\":200,\"description\":\"What was "
    "said before, oldest first.\",\"items\":{\"type\":\"object\",\"properties\":{\"role\":{\"type\":\"string\","
    "\"enum\":[\"user\",\"assistant\"]},\"content\":{\"type\":\"string\"}},\"required\":[\"role\",\"content\"]}}},"
    "\"required\":[\"question\"]},\"outputSchema\":{\"type\":\"object\",\"properties\":{\"answer\":{\"type\":\"string\"},"
    "\"sources\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"rag_status\":{\"type\":\"string\"}},"
    "\"required\":[\"answer\",\"sources\",\"rag_status\"]},\"annotations\":{\"readOnlyHint\":true,"
    "\"openWorldHint\":false}}]";

struct chatbot_served *chatbot_served_of(const struct served *r)
{
	return r->server->arg;
}

enum served_outcome chatbot_failed_inside(struct served *r)
{
	const char *why = chatbot_served_of(r)->call->err->message;

	return served_fail(r, SERVED_INTERNAL, *why ? arena_strdup(r->arena, why) : "this failed on our side",
	                   NULL);
}

void chatbot_add_string(struct text *out, const char *name, const char *value)
{
	text_addf(out, ",\"%s\":", name);
	text_add_json(out, value, strlen(value));
}

/* A tool that failed: its model is told, and may do better. */
static enum served_outcome tool_failed(struct served *r, const char *why)
{
	text_init(&r->result, r->arena);
	text_adds(&r->result, "\"content\":[{\"type\":\"text\",\"text\":");
	text_add_json(&r->result, why, strlen(why));
	text_adds(&r->result, "}],\"isError\":true");
	return SERVED_DONE;
}

/* A question or query: text that says something. NULL: it does not. */
static const char *question_of(const struct served *r, const char *name)
{
	json_object *value = served_argument(r, name);
	const char *text =
	    json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	return text && text[strspn(text, " \t\r\n")] && utf8_length(text, strlen(text)) <= QUESTION_MAX
	           ? text
	           : NULL;
}

/* --- search ------------------------------------------------------------------------------------------------------------- */

static void add_sources(struct text *out, Documents__Source **sources, size_t n)
{
	text_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_addc(out, ',');
		json_from_message(out, &shape_documents__source, &sources[i]->base);
	}
	text_addc(out, ']');
}

static void name_source(struct text *out, size_t i, const Documents__Source *s)
{
	text_addf(out, "[%zu] %s", i + 1, s->document_name ? s->document_name : "");
	if (s->has_page)
		text_addf(out, ", page %d", s->page);
}

/* For models that read text alone. */
static const char *passages_as_text(const struct served *r, Documents__Source **found, size_t n)
{
	struct text t;

	text_init(&t, r->arena);
	for (size_t i = 0; i < n; i++) {
		text_adds(&t, i ? "\n\n" : "");
		name_source(&t, i, found[i]);
		text_addf(&t, "\n%s", found[i]->text ? found[i]->text : "");
	}
	return n ? t.at : "Nothing was found.";
}

static enum served_outcome search(struct served *r)
{
	struct chatbot_served *bot = chatbot_served_of(r);
	json_object *limit = served_argument(r, "limit");
	struct ask ask = { .call = bot->call, .chat = bot->call->state };

	ask_as(&ask, bot->found, r->arena);
	ask.answer_count = 0;
	ask.question = question_of(r, "query");
	if (!ask.question)
		return tool_failed(r, "query must be text of 1 to 32,000 characters");
	if (limit) {
		if (!json_object_is_type(limit, json_type_int) || json_object_get_int64(limit) < 1 ||
		    json_object_get_int64(limit) > FOUND_MAX)
			return tool_failed(r, "limit must be a whole number from 1 to 20");
		ask.settings.top_k = (int)json_object_get_int64(limit);
	}
	if (ask_search(&ask) < 0)
		return tool_failed(r, bot->call->err->message);
	text_adds(&r->result, "\"content\":[{\"type\":\"text\"");
	chatbot_add_string(&r->result, "text", passages_as_text(r, ask.found, ask.found_count));
	text_adds(&r->result, "}],\"structuredContent\":{\"results\":");
	add_sources(&r->result, ask.found, ask.found_count);
	text_addc(&r->result, '}');
	return SERVED_DONE;
}

/* --- ask ---------------------------------------------------------------------------------------------------------------- */

static void look(struct chatbot_served *bot)
{
	if (atomic_load(bot->call->cancelled))
		atomic_store(&bot->stop, true);
}

static void tell_progress(struct chatbot_served *bot, const char *message)
{
	int64_t now = clock_mono_ms();

	if (now - bot->told_ms < PROGRESS_MS)
		return;
	bot->told_ms = now;
	served_progress(bot->request, (double)bot->characters, 0, message);
}

static void take_text(void *arg, const char *bytes, size_t size)
{
	struct chatbot_served *bot = arg;

	look(bot);
	text_add(&bot->answer, bytes, size);
	bot->characters += (int64_t)utf8_length(bytes, size);
	tell_progress(bot, "writing");
}

static void take_reasoning(void *arg, const char *bytes, size_t size)
{
	struct chatbot_served *bot = arg;

	look(bot);
	bot->characters += (int64_t)utf8_length(bytes, size);
	tell_progress(bot, "thinking");
}

static void take_back(void *arg)
{
	struct chatbot_served *bot = arg;

	bot->answer.length = 0;
	bot->answer.at[0] = '\0';
}

/* -1: it is no list of messages. */
static int read_history(const struct served *r, struct ask *ask)
{
	json_object *list = served_argument(r, "history");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	struct model_message *history = arena_new(r->arena, struct model_message, n + 1);

	if ((list && !json_object_is_type(list, json_type_array)) || n > HISTORY_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *role = json_string(item, "role"), *content = json_string(item, "content");

		if (!role || !content || (strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0))
			return -1;
		history[i] =
		    (struct model_message){ arena_strdup(r->arena, role), arena_strdup(r->arena, content) };
	}
	ask->history = history;
	ask->history_count = n;
	return 0;
}

static const char *answer_as_text(const struct served *r, const char *answer, Documents__Source **sources,
                                  size_t n)
{
	struct text t;

	text_init(&t, r->arena);
	text_adds(&t, answer);
	for (size_t i = 0; i < n; i++) {
		text_adds(&t, i ? "\n" : "\n\nSources:\n");
		name_source(&t, i, sources[i]);
	}
	return t.at;
}

static void add_answer(struct served *r, const struct ask *ask)
{
	struct chatbot_served *bot = chatbot_served_of(r);
	Documents__Source **sources;
	size_t n;

	sources = ask_sources(ask, &n);
	text_adds(&r->result, "\"content\":[{\"type\":\"text\"");
	chatbot_add_string(&r->result, "text", answer_as_text(r, bot->answer.at, sources, n));
	text_adds(&r->result, "}],\"structuredContent\":{\"answer\":");
	text_add_json(&r->result, bot->answer.at, bot->answer.length);
	text_adds(&r->result, ",\"sources\":");
	add_sources(&r->result, sources, n);
	chatbot_add_string(&r->result, "rag_status", ask_rag_status(ask));
	text_addc(&r->result, '}');
}

/* Searched, or answered; or a model is at it. */
static enum served_outcome settle(struct chatbot_served *bot, int result)
{
	if (result == 0 && !bot->searched) {
		bot->searched = true;
		result = ask_model(&bot->ask);
	}
	if (result > 0)
		return SERVED_WAITS;
	if (result < 0)
		return tool_failed(bot->request, bot->call->err->message);
	add_answer(bot->request, &bot->ask);
	return SERVED_DONE;
}

static enum served_outcome ask_it(struct served *r)
{
	struct chatbot_served *bot = chatbot_served_of(r);
	struct ask *ask = &bot->ask;

	*ask = (struct ask){
		.call = bot->call,
		.chat = bot->call->state,
		.stop = &bot->stop,
		.wake = bot->wake,
		.wake_arg = bot->wake_arg,
		.on_text = take_text,
		.on_reasoning = take_reasoning,
		.on_take_back = take_back,
		.usage = CHAT__TOKEN_USAGE__INIT,
		.arg = bot,
	};
	ask_as(ask, bot->found, r->arena);
	ask->question = arena_strdup(r->arena, question_of(r, "question"));
	if (!ask->question)
		return tool_failed(r, "question must be text of 1 to 32,000 characters");
	if (read_history(r, ask) < 0)
		return tool_failed(
		    r, "history must be a list of at most 200 {role, content}, role user or assistant");
	if (!r->voice)
		return SERVED_LATER;
	text_init(&bot->answer, r->arena);
	bot->request = r;
	bot->told_ms = clock_mono_ms();
	served_progress(r, 0, 0, "searching");
	return settle(bot, ask_search(ask));
}

enum served_outcome chatbot_server_go_on(struct chatbot_served *bot, struct mcp_server_reply *ret)
{
	enum served_outcome outcome;

	look(bot);
	outcome = settle(bot, ask_go_on(&bot->ask));
	if (outcome != SERVED_WAITS)
		served_answer(bot->request, outcome, ret);
	return outcome;
}

int64_t chatbot_server_until(const struct chatbot_served *bot)
{
	return ask_until(&bot->ask);
}

/* --- Tools -------------------------------------------------------------------------------------------------------------- */

static enum served_outcome list_tools(struct served *r)
{
	text_adds(&r->result, tools);
	return SERVED_DONE;
}

static enum served_outcome call_tool(struct served *r)
{
	const char *name = json_string(r->params, "name");

	if (name && strcmp(name, "search") == 0)
		return search(r);
	if (name && strcmp(name, "ask") == 0)
		return ask_it(r);
	return served_fail(r, SERVED_INVALID_PARAMS, "there is no such tool: search and ask are there", NULL);
}

/* --- The server ----------------------------------------------------------------------------------------------------------- */

static const char *instructions_of(const Chatbots__Chatbot *bot, struct arena *a)
{
	return arena_printf(
	    a,
	    "%s%s%s\nIt answers from its documents: `ask` gives an answer with citations, `search` the "
	    "passages themselves, and resources are the documents' texts.",
	    bot->name, bot->description && *bot->description ? ": " : "",
	    bot->description ? bot->description : "");
}

struct mcp_server *chatbot_server(struct chatbot_served *bot)
{
	struct mcp_server *s = arena_new(bot->call->arena, struct mcp_server, 1);

	*s = (struct mcp_server){
		.name = "parley",
		.title = bot->found->chatbot->name,
		.version = PARLEY_VERSION,
		.instructions = instructions_of(bot->found->chatbot, bot->call->arena),
		.lists_last_ms = KEPT_MS,
		.arg = bot,
		.list_tools = list_tools,
		.call_tool = call_tool,
		.list_resources = chatbot_list_resources,
		.list_templates = chatbot_list_templates,
		.read_resource = chatbot_read_resource,
	};
	return s;
}
