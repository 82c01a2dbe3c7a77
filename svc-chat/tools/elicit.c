#include "svc-chat/tools/elicit.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/tools/schema.h"

enum {
	MESSAGE_MOST = 4000,
	SCHEMA_MOST = 32 << 10,
	FIELDS_MOST = 100,
	URL_MOST = 2000,
	ANSWER_MOST = 64 << 10,
};

/* --- Secrets ------------------------------------------------------------------------------------------------------------ */

/* "apiKey", "API key", "api_key": " api key ". */
static const char *words_of(const char *name, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addc(&t, ' ');
	for (const char *p = name; *p; p++) {
		bool begins = isupper((unsigned char)*p) && p > name && islower((unsigned char)p[-1]);

		if ((begins || !isalnum((unsigned char)*p)) && t.at[t.length - 1] != ' ')
			text_addc(&t, ' ');
		if (isalnum((unsigned char)*p))
			text_addc(&t, (char)tolower((unsigned char)*p));
	}
	if (t.at[t.length - 1] != ' ')
		text_addc(&t, ' ');
	return t.at;
}

static bool names_secret(const char *name, struct arena *a)
{
	static const char *const secrets[] = {
		" password ",
		" passwd ",
		" passphrase ",
		" passcode ",
		" pwd ",
		" secret ",
		" api key ",
		" apikey ",
		" private key ",
		" access key ",
		" access token ",
		" auth token ",
		" api token ",
		" bearer token ",
		" refresh token ",
		" card number ",
		" credit card ",
		" cvv ",
		" cvc ",
		" pin code ",
		" recovery code ",
		" seed phrase ",
		" social security number ",
	};
	const char *words = name ? words_of(name, a) : "";

	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (strstr(words, secrets[i]))
			return true;
	return false;
}

/* --- Forms -------------------------------------------------------------------------------------------------------------- */

static bool is_flat(json_object *field)
{
	static const char *const types[] = { "string", "number", "integer", "boolean" };
	const char *type = json_string(field, "type"), *inner = json_string(json_get(field, "items"), "type");

	for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return type && strcmp(type, "array") == 0 && json_get(field, "items") &&
	       (!inner || strcmp(inner, "string") == 0);
}

static bool may_be_shown(json_object *schema, struct arena *a)
{
	json_object *fields = json_get(schema, "properties");

	if (!json_object_is_type(fields, json_type_object) || json_object_object_length(fields) > FIELDS_MOST)
		return false;
	json_object_object_foreach(fields, name, field)
	{
		const char *format = json_string(field, "format");

		if (!is_flat(field) || (format && strcmp(format, "password") == 0) || names_secret(name, a) ||
		    names_secret(json_string(field, "title"), a))
			return false;
	}
	return true;
}

/* --- Addresses ---------------------------------------------------------------------------------------------------------- */

/* NULL: it is none that a user should be sent to. */
static const char *host_of(const char *url, struct arena *a)
{
	size_t scheme = url && strncasecmp(url, "https://", 8) == 0  ? 8
	                : url && strncasecmp(url, "http://", 7) == 0 ? 7
	                                                             : 0;
	size_t length;

	if (!scheme || strlen(url) > URL_MOST)
		return NULL;
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '\\')
			return NULL;
	length = strcspn(url + scheme, "/?#");
	if (!length || memchr(url + scheme, '@', length)) /* what looks like a host there is a name */
		return NULL;
	return arena_strndup(a, url + scheme, length);
}

/* --- Asked -------------------------------------------------------------------------------------------------------------- */

void elicit_read(const char *params, const char *id, Chat__Elicitation *ret, struct arena *a)
{
	OWN(json) json_object *asked = NULL;
	struct error err = { 0 };
	const char *message, *mode;

	chat__elicitation__init(ret);
	ret->id = (char *)id;
	if (json_parse(params, strlen(params), &asked, &err) < 0)
		asked = NULL;
	message = json_string(asked, "message");
	mode = json_string(asked, "mode");
	ret->message = message ? arena_strndup(a, message, utf8_clip(message, strlen(message), MESSAGE_MOST))
	                       : (char *)"";
	if (mode && strcmp(mode, "url") == 0) {
		ret->url = arena_strdup(a, json_string(asked, "url"));
		ret->host = (char *)host_of(ret->url, a);
		if (!ret->host)
			ret->url = NULL;
	} else if (!mode || strcmp(mode, "form") == 0) {
		json_object *schema = json_get(asked, "requestedSchema");

		if (may_be_shown(schema, a))
			ret->schema = json_print(schema, a);
		if (ret->schema && strlen(ret->schema) > SCHEMA_MOST)
			ret->schema = NULL;
	}
	if (!ret->schema && !ret->url)
		ret->action = (char *)"decline";
}

/* --- Answered ----------------------------------------------------------------------------------------------------------- */

/* What the form has, by what was filled in, else by its defaults. */
static json_object *fill_in(json_object *schema, json_object *content)
{
	json_object *filled = json_object_new_object();

	json_object_object_foreach(json_get(schema, "properties"), name, field)
	{
		json_object *value = json_get(content, name);

		value = value ? value : json_get(field, "default");
		if (value)
			json_object_object_add(filled, name, json_object_get(value));
	}
	return filled;
}

const char *elicit_answer(const Chat__Elicitation *asked, const char *action, const char *content,
                          struct text *why, struct arena *a)
{
	OWN(json) json_object *schema = NULL, *given = NULL, *answer = json_object_new_object();
	struct error err = { 0 };
	json_object *filled;
	const char *ret;

	json_object_object_add(answer, "action", json_object_new_string(action));
	if (strcmp(action, "accept") != 0 || !asked->schema)
		return json_print(answer, a);
	if (json_parse(asked->schema, strlen(asked->schema), &schema, &err) < 0 ||
	    (content && json_parse(content, strlen(content), &given, &err) < 0)) {
		text_adds(why, err.message);
		return NULL;
	}
	filled = fill_in(schema, given);
	json_object_object_add(answer, "content", filled);
	if (!schema_check(schema, filled, why))
		return NULL;
	ret = json_print(answer, a);
	if (strlen(ret) <= ANSWER_MOST)
		return ret;
	text_adds(why, "it is longer than an answer may be");
	return NULL;
}
