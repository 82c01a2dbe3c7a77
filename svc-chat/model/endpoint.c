#include "svc-chat/model/endpoint.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "common/base/text.h"

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

static void add_message(struct text *t, const char *role, const char *head, const char *content,
                        struct arena *a)
{
	const char *whole = head ? arena_printf(a, "%s\n\n%s", head, content) : content;

	text_addf(t, "%s{\"role\":\"%s\",\"content\":", t->at[t->length - 1] == '[' ? "" : ",", role);
	text_add_json(t, whole, strlen(whole));
	text_addc(t, '}');
}

/* Where no system message may be, its text goes to the head of the first message after it. */
static void add_messages(struct text *t, const struct chat_message *messages, size_t count, bool no_system,
                         struct arena *a)
{
	const char *head = NULL;

	for (size_t i = 0; i < count; i++) {
		if (no_system && strcmp(messages[i].role, "system") == 0) {
			head = messages[i].content;
			continue;
		}
		add_message(t, messages[i].role, head, messages[i].content, a);
		head = NULL;
	}
}

const char *endpoint_body(const struct chat_request *request, const struct chat_message *messages,
                          size_t count, const char *model, const struct quirks *quirks, struct arena *a)
{
	int most = request->max_tokens;
	struct text t;

	if (quirks->most_tokens && quirks->most_tokens < most)
		most = (int)quirks->most_tokens;
	text_init(&t, a);
	text_adds(&t, "{\"model\":");
	text_add_json(&t, model, strlen(model));
	text_adds(&t, ",\"messages\":[");
	add_messages(&t, messages, count, quirks->bits & QUIRK_NO_SYSTEM, a);
	text_adds(&t, "]");
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
