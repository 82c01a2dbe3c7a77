#include "svc-integrations/config.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/json/json.h"

enum { SHOWN = 4, ORIGIN_MAX = 300, ORIGINS_MAX = 50, URL_MAX = 2000 };

static const struct {
	const char *name, *camel;
	size_t at;
	const char *only; /* of that type; NULL: of all that have any */
} secrets[] = {
	{ "bot_token", "botToken", offsetof(struct secrets, bot_token), "slack" },
	{ "signing_secret", "signingSecret", offsetof(struct secrets, signing_secret), NULL },
	/* Nobody gives or is shown these. */
	{ "refresh_token", NULL, offsetof(struct secrets, refresh_token), NULL },
	{ "installed", NULL, offsetof(struct secrets, installed), NULL },
	{ "previous_secret", NULL, offsetof(struct secrets, previous_secret), NULL },
	{ "previous_until", NULL, offsetof(struct secrets, previous_until), NULL },
};
enum { SECRETS = sizeof secrets / sizeof *secrets };

static const char **secret_of(const struct secrets *s, size_t i)
{
	return (const char **)((char *)s + secrets[i].at);
}

static json_object *parse_or_empty(const char *text)
{
	struct error ignored = { 0 };
	json_object *object = NULL;

	if (text && json_parse(text, strlen(text), &object, &ignored) == 0 &&
	    json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return json_object_new_object();
}

/* --- Secrets -------------------------------------------------------------------------------------------------------- */

static bool is_masked(const char *value)
{
	return !*value || strncmp(value, "****", 4) == 0;
}

static const char *mask(const char *secret, struct arena *a)
{
	size_t length = strlen(secret);

	return arena_printf(a, "****%s", length > 2 * SHOWN ? secret + length - SHOWN : "");
}

/* What a header can hold: Slack's tokens and secrets are of letters, digits and dashes. */
static bool is_printable(const char *value)
{
	for (; *value; value++)
		if (*value <= ' ' || *value > '~')
			return false;
	return true;
}

static int take_secret(json_object *patch, size_t i, struct secrets *fresh, struct arena *a,
                       struct error *err)
{
	const char *names[] = { secrets[i].name, secrets[i].camel };

	for (size_t n = 0; n < 2; n++) {
		const char *value = json_string(patch, names[n]);

		if (value && !is_printable(value))
			return error_field(err, a, "body", arena_printf(a, "config.%s", names[n]),
			                   "value_error", "must hold no blanks and no special characters");
		if (value && !is_masked(value))
			*secret_of(fresh, i) = arena_strdup(a, value);
		json_object_object_del(patch, names[n]);
	}
	return 0;
}

const char *config_show_secrets(const char *type, const char *config, const struct secrets *now,
                                struct arena *a)
{
	OWN(json) json_object *object = parse_or_empty(config);
	bool all = true;

	for (size_t i = 0; i < SECRETS && secrets[i].camel; i++) {
		const char *value = *secret_of(now, i);

		if (value)
			json_object_object_add(object, secrets[i].name,
			                       json_object_new_string(mask(value, a)));
		else
			json_object_object_del(object, secrets[i].name);
		all &= value || now->installed || (secrets[i].only && strcmp(secrets[i].only, type) != 0);
	}
	json_object_object_add(object, "configured", json_object_new_boolean(all));
	return json_print(object, a);
}

char *config_pack_secrets(const struct secrets *now, struct arena *a)
{
	OWN(json) json_object *object = json_object_new_object();

	for (size_t i = 0; i < SECRETS; i++)
		if (*secret_of(now, i))
			json_object_object_add(object, secrets[i].name,
			                       json_object_new_string(*secret_of(now, i)));
	return json_print(object, a);
}

void config_unpack_secrets(const char *text, struct secrets *ret, struct arena *a)
{
	OWN(json) json_object *object = parse_or_empty(text);

	for (size_t i = 0; i < SECRETS; i++)
		*secret_of(ret, i) = arena_strdup(a, json_string(object, secrets[i].name));
}

/* --- Websites ------------------------------------------------------------------------------------------------------- */

/* "https://host", in lower case, or a sentence's -1. given: "Shop.example.com", "https://shop.example.com:8443/". */
static int to_origin(const char *given, const char *field, char **ret, struct arena *a, struct error *err)
{
	bool http = strncasecmp(given, "http://", 7) == 0, https = strncasecmp(given, "https://", 8) == 0;
	size_t host;
	char *origin;

	given += http ? 7 : https ? 8 : 0;
	host = strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]");
	if (host == 0 || host > ORIGIN_MAX || (given[host] && strcmp(given + host, "/")))
		return error_field(
		    err, a, "body", field, "value_error",
		    "must be a host like shop.example.com, or an origin like https://shop.example.com");
	origin = arena_printf(a, "%s://%.*s", http ? "http" : "https", (int)host, given);
	for (char *c = origin; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*ret = origin;
	return 0;
}

static int check_origins(json_object *config, struct arena *a, struct error *err)
{
	json_object *list = json_get(config, "allowedOrigins");
	size_t n = list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (list && (!json_object_is_type(list, json_type_array) || n > ORIGINS_MAX))
		return error_field(err, a, "body", "config.allowedOrigins", "type_error",
		                   "must be a list of at most %d origins", ORIGINS_MAX);
	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *field = arena_printf(a, "config.allowedOrigins.%zu", i);
		char *origin;

		if (!json_object_is_type(item, json_type_string))
			return error_field(err, a, "body", field, "type_error", "must be a string");
		if (to_origin(json_object_get_string(item), field, &origin, a, err) < 0)
			return -1;
		json_object_array_put_idx(list, i, json_object_new_string(origin));
	}
	return 0;
}

static int check_website(json_object *config, struct arena *a, struct error *err)
{
	json_object *domain = json_get(config, "domain");
	char *origin;

	if (domain && !json_object_is_type(domain, json_type_string))
		return error_field(err, a, "body", "config.domain", "type_error", "must be a string");
	if (domain && to_origin(json_object_get_string(domain), "config.domain", &origin, a, err) < 0)
		return -1;
	return check_origins(config, a, err);
}

static const char *domain_of(json_object *config, struct arena *a)
{
	const char *domain = json_string(config, "domain");
	struct error ignored = { 0 };
	char *origin = NULL;

	return domain && to_origin(domain, "config.domain", &origin, a, &ignored) == 0 ? origin : NULL;
}

const char *config_domain(const char *config, struct arena *a)
{
	OWN(json) json_object *object = parse_or_empty(config);

	return domain_of(object, a);
}

const char **config_origins(const char *config, size_t *count, struct arena *a)
{
	OWN(json) json_object *object = parse_or_empty(config);
	json_object *list = json_get(object, "allowedOrigins");
	const char *domain = domain_of(object, a);
	const char **origins = arena_new(a, const char *, ORIGINS_MAX + 2);

	*count = 0;
	for (size_t i = 0; list && i < json_object_array_length(list) && i < ORIGINS_MAX; i++)
		origins[(*count)++] =
		    arena_strdup(a, json_object_get_string(json_object_array_get_idx(list, i)));
	if (*count == 0 && domain) {
		origins[(*count)++] = domain;
		if (strncmp(domain, "https://www.", 12) && strncmp(domain, "https://", 8) == 0)
			origins[(*count)++] = arena_printf(a, "https://www.%s", domain + 8);
	}
	return origins;
}

/* --- Webhooks ------------------------------------------------------------------------------------------------------- */

const char *const config_events[CONFIG_EVENTS + 1] = { "message.created",         "answer.rated",
	                                               "conversation.unanswered", "document.ready",
	                                               "document.failed",         NULL };

static bool is_event(const char *name)
{
	for (size_t i = 0; config_events[i]; i++)
		if (name && strcmp(config_events[i], name) == 0)
			return true;
	return false;
}

static int check_webhook(json_object *config, struct arena *a, struct error *err)
{
	json_object *events = json_get(config, "events");
	const char *url = json_string(config, "url");

	if (!url || strlen(url) > URL_MAX ||
	    (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0))
		return error_field(err, a, "body", "config.url", url ? "value_error" : "missing",
		                   "must be an address of at most %d characters that begins with https://",
		                   URL_MAX);
	if (events && !json_object_is_type(events, json_type_array))
		return error_field(err, a, "body", "config.events", "type_error", "must be a list");
	for (size_t i = 0; events && i < json_object_array_length(events); i++) {
		json_object *item = json_object_array_get_idx(events, i);

		if (!json_object_is_type(item, json_type_string) || !is_event(json_object_get_string(item)))
			return error_field(err, a, "body", arena_printf(a, "config.events.%zu", i),
			                   "value_error",
			                   "must be one of message.created, answer.rated, "
			                   "conversation.unanswered, document.ready, document.failed");
	}
	return 0;
}

bool config_wants(const char *config, const char *event)
{
	OWN(json) json_object *object = parse_or_empty(config);
	json_object *events = json_get(object, "events");
	size_t count = json_object_is_type(events, json_type_array) ? json_object_array_length(events) : 0;

	for (size_t i = 0; i < count; i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(events, i)), event) == 0)
			return true;
	return count == 0;
}

const char *config_url(const char *config, struct arena *a)
{
	OWN(json) json_object *object = parse_or_empty(config);

	return arena_strdup(a, json_string(object, "url"));
}

/* --- All ----------------------------------------------------------------------------------------------------------- */

static void lay_over(json_object *config, json_object *change)
{
	json_object_object_foreach(change, key, value)
	{
		if (value)
			json_object_object_add(config, key, json_object_get(value));
		else
			json_object_object_del(config, key);
	}
}

static const struct {
	const char *type;
	int (*check)(json_object *config, struct arena *a, struct error *err);
} checks[] = { { "website", check_website }, { "webhook", check_webhook } };

int config_apply(const char *type, const char *current, const char *patch, const char **ret,
                 struct secrets *fresh, struct arena *a, struct error *err)
{
	OWN(json) json_object *config = parse_or_empty(current);
	OWN(json) json_object *change = parse_or_empty(patch);

	for (size_t i = 0; i < SECRETS && secrets[i].camel; i++)
		if (take_secret(change, i, fresh, a, err) < 0)
			return -1;
	json_object_object_del(change, "configured"); /* ours to say */
	lay_over(config, change);
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		if (strcmp(type, checks[i].type) == 0 && checks[i].check(config, a, err) < 0)
			return -1;
	*ret = json_print(config, a);
	return 0;
}
