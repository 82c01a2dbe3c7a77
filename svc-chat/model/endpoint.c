#include "svc-chat/model/endpoint.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "svc-chat/model/prompted.h"

OWN_DEFINE(curlu, CURLU *, curl_url_cleanup)

/* --- Where -------------------------------------------------------------------------------------------------------- */

static const char *trimmed(const char *text, struct arena *a)
{
	size_t size;

	text += strspn(text, " \t\r\n");
	for (size = strlen(text); size && strchr(" \t\r\n", text[size - 1]); size--)
		;
	return arena_strndup(a, text, size);
}

static int check_url(const char *name, const char *url, struct error *err)
{
	OWN(curlu) CURLU *parsed = curl_url();

	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return error_set(err, ERROR_INVALID, "%s has a blank or a control character in it",
			                 name);
	if ((strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) ||
	    curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		return error_set(err, ERROR_INVALID,
		                 "%s must be a URL like https://api.openai.com/v1, not \"%.80s\"", name, url);
	return 0;
}

static int check_key(const char *name, const char *key, struct error *err)
{
	for (const char *c = key; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return error_set(err, ERROR_INVALID,
			                 "the key beside %s has a control character in it", name);
	return 0;
}

int endpoint_init(struct endpoint *e, const char *name, const char *base_url, const char *key,
                  const char *model, struct arena *a, struct error *err)
{
	static const char suffix[] = "/chat/completions";
	const char *url = trimmed(base_url, a), *query;
	size_t length;

	*e = (struct endpoint){ .name = name, .key = trimmed(key, a), .model = trimmed(model, a) };
	if (check_url(name, url, err) < 0 || check_key(name, e->key, err) < 0)
		return -1;
	length = strcspn(url, "?#");
	query = url[length] == '?' ? arena_strndup(a, url + length, strcspn(url + length, "#")) : "";
	for (size_t before = length + 1; before != length;) {
		before = length;
		while (length && url[length - 1] == '/')
			length--;
		if (length > sizeof suffix &&
		    strncmp(url + length - (sizeof suffix - 1), suffix, sizeof suffix - 1) == 0)
			length -= sizeof suffix - 1;
	}
	e->base_url = arena_printf(a, "%.*s%s", (int)length, url, query);
	e->chat_url = arena_printf(a, "%.*s%s%s", (int)length, url, suffix, query);
	e->models_url = arena_printf(a, "%.*s/models%s", (int)length, url, query);
	e->headers[0] = "Content-Type: application/json";
	e->headers[1] = "Accept: text/event-stream, application/json";
	if (*e->key)
		e->headers[2] = arena_printf(
		    a, strstr(query, "api-version=") ? "api-key: %s" : "Authorization: Bearer %s", e->key);
	return 0;
}

/* --- What --------------------------------------------------------------------------------------------------------- */

static void add_string(struct text *t, const char *string)
{
	text_add_json(t, string, strlen(string));
}

/* Endpoints read the arguments again, and some fail where they are no JSON. */
static const char *valid_arguments(const char *arguments)
{
	OWN(json) json_object *value = NULL;
	struct error ignored = { 0 };

	return json_parse(arguments, strlen(arguments), &value, &ignored) == 0 &&
	               json_object_is_type(value, json_type_object)
	           ? arguments
	           : "{}";
}

static void add_calls(struct text *t, const struct model_message *m, const struct quirks *quirks)
{
	const char *thought = m->reasoning ? m->reasoning : quirks->bits & QUIRK_THOUGHT_BACK ? "" : NULL;

	if (thought && !(quirks->bits & QUIRK_NO_THOUGHT_BACK)) {
		text_adds(t, ",\"reasoning_content\":");
		add_string(t, thought);
	}
	for (size_t i = 0; i < m->call_count; i++) {
		text_adds(t, i ? ",{\"id\":" : ",\"tool_calls\":[{\"id\":");
		add_string(t, m->calls[i].id);
		text_adds(t, ",\"type\":\"function\",\"function\":{\"name\":");
		add_string(t, m->calls[i].name);
		text_adds(t, ",\"arguments\":");
		add_string(t, valid_arguments(m->calls[i].arguments));
		text_adds(t, "}}");
	}
	text_addc(t, ']');
}

static void add_message(struct text *t, const struct model_message *m, const char *head,
                        const struct quirks *quirks, struct arena *a)
{
	text_adds(t, t->at[t->length - 1] == '[' ? "{\"role\":\"" : ",{\"role\":\"");
	text_adds(t, m->role);
	text_adds(t, "\",\"content\":");
	add_string(t, head ? arena_printf(a, "%s\n\n%s", head, m->content) : m->content);
	if (m->call_count)
		add_calls(t, m, quirks);
	if (m->call_id) {
		text_adds(t, ",\"tool_call_id\":");
		add_string(t, m->call_id);
	}
	text_addc(t, '}');
}

/* Where no system message may be, its text goes to the head of the first message after it. */
static void add_messages(struct text *t, const struct model_message *messages, size_t count,
                         const struct quirks *quirks, struct arena *a)
{
	const char *head = NULL;

	for (size_t i = 0; i < count; i++) {
		if ((quirks->bits & QUIRK_NO_SYSTEM) && strcmp(messages[i].role, "system") == 0) {
			head = messages[i].content;
			continue;
		}
		add_message(t, &messages[i], head, quirks, a);
		head = NULL;
	}
}

/* plain: without what may be odd about their schemas, which then stand in their descriptions. */
static void add_tools(struct text *t, const struct model_request *request, bool plain, struct arena *a)
{
	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];

		text_adds(t, i ? "," : ",\"tools\":[");
		text_adds(t, "{\"type\":\"function\",\"function\":{\"name\":");
		add_string(t, tool->name);
		text_adds(t, ",\"description\":");
		add_string(t, plain
		                  ? arena_printf(a, "%s\nIts arguments are described by this JSON Schema: %s",
		                                 tool->description, tool->schema)
		                  : tool->description);
		text_addf(t, ",\"parameters\":%s}}",
		          plain ? "{\"type\":\"object\",\"properties\":{}}" : tool->schema);
	}
	text_addc(t, ']');
}

const char *endpoint_body(const struct model_request *request, const struct model_message *messages,
                          size_t count, const char *model, const struct quirks *quirks, bool plain_tools,
                          struct arena *a)
{
	bool prompted = request->tool_count && (quirks->bits & QUIRK_NO_TOOLS);
	int most = request->max_tokens;
	struct text t;

	if (quirks->most_tokens && quirks->most_tokens < most)
		most = (int)quirks->most_tokens;
	text_init(&t, a);
	text_adds(&t, "{\"model\":");
	text_add_json(&t, model, strlen(model));
	text_adds(&t, ",\"messages\":[");
	if (prompted)
		messages = prompted_messages(request, messages, &count, a);
	add_messages(&t, messages, count, quirks, a);
	text_adds(&t, "]");
	if (request->tool_count && !prompted)
		add_tools(&t, request, plain_tools, a);
	if (!(quirks->bits & QUIRK_NO_STREAM))
		text_adds(&t, ",\"stream\":true");
	if (!(quirks->bits & (QUIRK_NO_STREAM | QUIRK_NO_STREAM_OPTIONS)))
		text_adds(&t, ",\"stream_options\":{\"include_usage\":true}");
	if (!(quirks->bits & QUIRK_NO_MAX_TOKENS))
		text_addf(&t, ",\"%s\":%d",
		          quirks->bits & QUIRK_COMPLETION_TOKENS ? "max_completion_tokens" : "max_tokens",
		          most);
	if (!(quirks->bits & QUIRK_NO_TEMPERATURE))
		text_addf(&t, ",\"temperature\":%g", request->temperature);
	text_addc(&t, '}');
	return t.at;
}
