#include "svc-chat/oauth/configured.h"

#include <string.h>
#include <strings.h>

#include "common/base/query.h"
#include "common/json/json.h"

/* --- One client ---------------------------------------------------------------------------------------------------------- */

static const char *parameters(json_object *object, struct arena *a)
{
	json_object *all = json_get(object, "parameters");
	struct text text;

	if (!json_object_is_type(all, json_type_object))
		return NULL;
	text_init(&text, a);
	text_adds(&text, "");
	json_object_object_foreach(all, name, value)
	{
		if (json_object_is_type(value, json_type_string)) {
			text_adds(&text, text.length ? "&" : "");
			query_encode(&text, name);
			text_addc(&text, '=');
			query_encode(&text, json_object_get_string(value));
		}
	}
	return text.at;
}

static const char *const *hosts(json_object *object, struct arena *a)
{
	json_object *all = json_get(object, "hosts");
	size_t count;
	const char **list;

	if (!json_object_is_type(all, json_type_array))
		return NULL;
	count = json_object_array_length(all);
	list = arena_new(a, const char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		const char *host = json_object_get_string(json_object_array_get_idx(all, i));

		list[i] = arena_strdup(a, host ? host : "");
	}
	return list;
}

static int take(const char *name, json_object *object, struct configured_client *c, struct arena *a,
                struct error *err)
{
	const char *method = json_string(object, "token_endpoint_auth_method");
	struct oauth_server server;

	*c = (struct configured_client){
		.name = arena_strdup(a, name),
		.issuer = arena_strdup(a, json_string(object, "issuer")),
		.scope = arena_strdup(a, json_string(object, "scope")),
		.more = parameters(object, a),
		.hosts = hosts(object, a),
		.client = { .id = arena_strdup(a, json_string(object, "client_id")),
		            .secret = arena_strdup(a, json_string(object, "client_secret")) },
	};
	if (method && strcmp(method, "client_secret_post") == 0)
		c->client.method = OAUTH_POST;
	if (json_get(object, "authorization_endpoint"))
		c->document = json_print(object, a);
	if (!c->client.id || (!c->issuer && !c->document))
		return error_set(err, ERROR_INVALID,
		                 "OAUTH_CLIENTS: %.60s needs a client_id, and an issuer or its endpoints",
		                 name);
	if (c->document &&
	    oauth_server_read(c->document, c->issuer ? c->issuer : "http://any", &server, a, err) < 0)
		return error_set(err, ERROR_INVALID, "OAUTH_CLIENTS: %.60s: its endpoints are no addresses",
		                 name);
	if (c->document)
		c->document = server.document;
	return 0;
}

int configured_load(const char *text, struct configured_client **ret, struct arena *a, struct error *err)
{
	OWN(json) json_object *all = NULL;

	*ret = NULL;
	if (!*text)
		return 0;
	if (json_parse(text, strlen(text), &all, err) < 0 || !json_object_is_type(all, json_type_object)) {
		error_clear(err);
		return error_set(err, ERROR_INVALID, "OAUTH_CLIENTS must be a JSON object of providers");
	}
	json_object_object_foreach(all, name, object)
	{
		struct configured_client *c = arena_new(a, struct configured_client, 1);

		if (take(name, object, c, a, err) < 0)
			return -1;
		c->next = *ret;
		*ret = c;
	}
	return 0;
}

/* --- Finding one ----------------------------------------------------------------------------------------------------------- */

static bool may_have(const struct configured_client *c, const char *url)
{
	const char *host = strstr(url, "://");
	size_t length;

	if (!c->hosts)
		return true;
	host = host ? host + 3 : url;
	length = strcspn(host, ":/?#");
	for (const char *const *one = c->hosts; *one; one++)
		if (strlen(*one) == length && strncasecmp(*one, host, length) == 0)
			return true;
	return false;
}

const struct configured_client *configured_by_name(const struct configured_client *list, const char *name,
                                                   const char *url)
{
	for (; name && list; list = list->next)
		if (strcasecmp(list->name, name) == 0 && may_have(list, url))
			return list;
	return NULL;
}

const struct configured_client *configured_by_issuer(const struct configured_client *list, const char *issuer,
                                                     const char *url)
{
	for (; list; list = list->next)
		if (list->issuer && strcmp(list->issuer, issuer) == 0 && may_have(list, url))
			return list;
	return NULL;
}
