/* OpenAI's API over one's chatbots: they are its models. */
#include <string.h>
#include <time.h>

#include "chat.methods.h"
#include "chatbots.client.h"
#include "common/base/id.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/completions.h"
#include "svc-chat/turn/retrieve.h"

enum { MODELS_MAX = 2000, QUESTION_MAX = 32000 /* characters */ };

/* --- Models --------------------------------------------------------------------------------------------------------- */

static int64_t seconds_of(const char *rfc3339)
{
	struct tm tm = { 0 };

	return rfc3339 && strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm) ? timegm(&tm) : 0;
}

static void describe(const Chatbots__Chatbot *bot, Chat__Model *out)
{
	out->id = bot->id;
	out->object = (char *)"model";
	out->has_created = true;
	out->created = seconds_of(bot->created_at);
	out->owned_by = bot->owner_id;
	out->name = bot->name;
}

static int find_model(struct call *call, const char *id, Chatbots__FoundChatbot **ret)
{
	if (uuid_valid(id)) {
		if (retrieve_chatbot(call, id, ret) == 0)
			return 0;
		if (call->err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(call->err);
	}
	call->extra = arena_strdup(call->arena, "{\"param\":\"model\",\"code\":\"model_not_found\"}");
	return error_set(call->err, ERROR_NOT_FOUND,
	                 "there is no such model: it is the id of a chatbot, and /v1/models lists them");
}

int chat_list_models(struct call *call, const Chat__ListModelsRequest *in, Chat__ModelList *out)
{
	Chatbots__ListChatbotsRequest page = CHATBOTS__LIST_CHATBOTS_REQUEST__INIT;
	const struct chat *chat = chat_state(call);
	struct call near = retrieve_nearer(call);
	Chatbots__ChatbotList *bots;

	(void)in;
	out->object = (char *)"list";
	out->data = arena_new(call->arena, Chat__Model *, MODELS_MAX);
	do {
		if (chatbots_client_list_chatbots(chat->chatbots, &near, &page, &bots) < 0)
			return -1;
		for (size_t i = 0; i < bots->n_chatbots && out->n_data < MODELS_MAX; i++) {
			Chat__Model *model = arena_new(call->arena, Chat__Model, 1);

			chat__model__init(model);
			describe(bots->chatbots[i], model);
			out->data[out->n_data++] = model;
		}
		page.cursor = bots->next;
	} while (page.cursor && *page.cursor && out->n_data < MODELS_MAX);
	return 0;
}

int chat_get_model(struct call *call, const Chat__ModelRequest *in, Chat__Model *out)
{
	Chatbots__FoundChatbot *bot;

	if (find_model(call, in->model, &bot) < 0)
		return -1;
	describe(bot->chatbot, out);
	return 0;
}

/* --- What is asked --------------------------------------------------------------------------------------------------- */

static int refuse(struct call *call, const char *field, const char *why)
{
	return error_field(call->err, call->arena, "body", field, "value_error", "%s", why);
}

static int refuse_content(struct call *call, size_t i, const char *why)
{
	return refuse(call, arena_printf(call->arena, "messages.%zu.content", i), why);
}

static int add_part(struct call *call, size_t i, json_object *part, struct text *out)
{
	const char *type = json_string(part, "type"), *text = json_string(part, "text");

	if (!type || strcmp(type, "text") != 0 || !text)
		return refuse_content(call, i, "only parts of the type \"text\" can be read");
	text_adds(out, text);
	return 0;
}

/* The text of a message, however it is given. */
static int read_content(struct call *call, size_t i, const char *content, struct text *out)
{
	OWN(json) json_object *value = NULL;

	if (!content)
		return 0;
	if (json_parse(content, strlen(content), &value, call->err) < 0)
		return -1;
	if (json_object_is_type(value, json_type_string)) {
		text_adds(out, json_object_get_string(value));
		return 0;
	}
	if (!json_object_is_type(value, json_type_array))
		return refuse_content(call, i, "must be text, or a list of parts of text");
	for (size_t k = 0; k < json_object_array_length(value); k++)
		if (add_part(call, i, json_object_array_get_idx(value, k), out) < 0)
			return -1;
	return 0;
}

static bool says_nothing(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* The last message is the question; those of the system join the instructions; the others are the history. */
static int read_messages(struct call *call, const Chat__CompletionRequest *in, struct unstored *c)
{
	struct model_message *said = arena_new(c->arena, struct model_message, in->n_messages + 1);
	struct text instructions, content;
	size_t count = 0;

	text_init(&instructions, c->arena);
	text_adds(&instructions, c->ask.settings.instructions);
	for (size_t i = 0; i < in->n_messages; i++) {
		const char *role = in->messages[i]->role;

		text_init(&content, c->arena);
		if (read_content(call, i, in->messages[i]->content, &content) < 0)
			return -1;
		if (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0)
			text_addf(&instructions, "%s%s", instructions.length ? "\n\n" : "", content.at);
		else
			said[count++] = (struct model_message){ arena_strdup(c->arena, role), content.at };
	}
	if (!count || strcmp(said[count - 1].role, "user") != 0 || says_nothing(said[count - 1].content))
		return refuse(call, "messages", "the last message must be the user's, and say something");
	c->ask.question = said[--count].content;
	if (utf8_length(c->ask.question, strlen(c->ask.question)) > QUESTION_MAX)
		return refuse(call, "messages", "the last message must have at most 32,000 characters");
	c->ask.history = said;
	c->ask.history_count = count;
	c->ask.settings.instructions = instructions.at;
	return 0;
}

/* A list that is there, and not empty. */
static bool lists_something(const char *json)
{
	struct error ignored = { 0 };
	OWN(json) json_object *value = NULL;

	return json && json_parse(json, strlen(json), &value, &ignored) == 0 &&
	       !(json_object_is_type(value, json_type_array) && !json_object_array_length(value));
}

static bool wants_text(const char *format)
{
	struct error ignored = { 0 };
	OWN(json) json_object *value = NULL;
	const char *type;

	if (!format || json_parse(format, strlen(format), &value, &ignored) < 0)
		return true;
	type = json_string(value, "type");
	return type && strcmp(type, "text") == 0;
}

/* What would make another answer than the client can read. Other unknown parameters change little, and are ignored. */
static int refuse_unknown(struct call *call, const Chat__CompletionRequest *in)
{
	int rc = 0;

	if (lists_something(in->tools))
		rc = refuse(call, "tools", "tools are not called here; a chatbot answers from its documents");
	if (lists_something(in->functions))
		rc = refuse(call, "functions", "functions are not called here");
	if (!wants_text(in->response_format))
		rc = refuse(call, "response_format", "an answer is text; no other format is known here");
	if (in->logprobs)
		rc = refuse(call, "logprobs", "are not known here");
	return rc;
}

static int prepare(struct call *call, const Chat__CompletionRequest *in, const Chatbots__FoundChatbot *bot,
                   struct unstored *c)
{
	ask_as(&c->ask, retrieve_copy(bot, c->arena), c->arena); /* the writer outlives the call */
	c->model = arena_strdup(c->arena, in->model);
	c->tells_usage = in->stream_options && in->stream_options->include_usage;
	if (in->has_temperature)
		c->ask.settings.temperature = in->temperature;
	if (in->has_max_tokens)
		c->ask.settings.max_tokens = in->max_tokens;
	return read_messages(call, in, c);
}

int chat_create_completion(struct call *call, const Chat__CompletionRequest *in, Chat__CompletionReply *out)
{
	Chatbots__FoundChatbot *bot;
	struct unstored *c;

	if (refuse_unknown(call, in) < 0 || find_model(call, in->model, &bot) < 0 ||
	    unstored_new(call, &completions, &c) < 0)
		return -1;
	if (prepare(call, in, bot, c) < 0) {
		unstored_drop(c);
		return -1;
	}
	return in->stream ? unstored_chunks(call, c, &out->started) : unstored_whole(call, c, &out->base);
}
