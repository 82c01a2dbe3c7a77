#include <string.h>
#include <strings.h>

#include "common/oauth/internal.h"

/* --- Parts of a URL ------------------------------------------------------------------------------------------------------ */

/* The length of "https://host:port". */
static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return (size_t)(host - url) + strcspn(host, "/?#");
}

const char *oauth_origin(const char *url, struct arena *a)
{
	return oauth_is_url(url) ? arena_strndup(a, url, origin_length(url)) : NULL;
}

/* "/mcp" of "https://host/mcp/?x": without the query and the last slash. */
static const char *path_of(const char *url, struct arena *a)
{
	const char *path = url + origin_length(url);
	size_t length = strcspn(path, "?#");

	while (length && path[length - 1] == '/')
		length--;
	return arena_strndup(a, path, length);
}

/* --- Resources ------------------------------------------------------------------------------------------------------------ */

/* What calls itself `resource` speaks for `url` when it is that, or above it on the same host. */
static bool speaks_for(const char *resource, const char *url, struct arena *a)
{
	const char *above, *path;
	size_t length;

	if (!oauth_is_url(resource) || origin_length(resource) != origin_length(url) ||
	    strncasecmp(resource, url, origin_length(url)) != 0)
		return false;
	above = path_of(resource, a);
	path = path_of(url, a);
	length = strlen(above);
	return strncmp(path, above, length) == 0 && (path[length] == '/' || !path[length]);
}

static const char *first_issuer(json_object *document, const char *url, struct arena *a)
{
	json_object *list = json_get(document, "authorization_servers");
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		json_object *one = json_object_array_get_idx(list, i);
		const char *issuer =
		    json_object_is_type(one, json_type_string) ? json_object_get_string(one) : "";

		if (oauth_is_url(issuer) && oauth_is_no_weaker(issuer, url) && !strchr(issuer, '?'))
			return arena_strdup(a, issuer);
	}
	return NULL;
}

int oauth_read_resource(json_object *document, const char *url, struct oauth_resource *ret, struct arena *a,
                        struct error *err)
{
	const char *resource = oauth_word(document, "resource", OAUTH_URL_BYTES, a);

	if (!resource || !speaks_for(resource, url, a))
		return error_set(err, ERROR_UPSTREAM,
		                 "what the server says of its sign-in is about another server (%.100s)",
		                 resource ? resource : "unnamed");
	*ret = (struct oauth_resource){
		.resource = resource,
		.issuer = first_issuer(document, url, a),
		.scope = oauth_scope(oauth_words(document, "scopes_supported", a), a),
	};
	if (!ret->issuer)
		return error_set(err, ERROR_UPSTREAM, "the server names nobody who could sign you in");
	return 1;
}

/* What the resource at `url` says of itself: from where its challenge says, else from the well-known places. 1 found;
 * 0 it says nothing (a server from before 2025-06-18: its own root is the issuer); -1. */
static int find_resource(const struct oauth *o, const char *url, const struct oauth_challenge *challenge,
                         struct oauth_resource *ret, struct error *err)
{
	const char *origin = oauth_origin(url, o->arena), *path, *named = challenge->resource_metadata;
	const char *places[3] = { 0 };

	if (!origin)
		return error_set(err, ERROR_INVALID, "this is not an address that can be signed in to");
	path = path_of(url, o->arena);
	places[0] = named && oauth_is_no_weaker(named, url) ? named : NULL;
	places[1] =
	    *path ? arena_printf(o->arena, "%s/.well-known/oauth-protected-resource%s", origin, path) : NULL;
	places[2] = arena_printf(o->arena, "%s/.well-known/oauth-protected-resource", origin);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		OWN(json) json_object *document = NULL;
		int found = places[i] ? oauth_get(o, places[i], &document, err) : 0;

		if (found)
			return found < 0 ? -1 : oauth_read_resource(document, url, ret, o->arena, err);
	}
	return 0;
}

/* --- Authorization servers ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *word;
	enum oauth_method method;
} methods[] = {
	{ "none", OAUTH_NONE },
	{ "client_secret_basic", OAUTH_BASIC },
	{ "client_secret_post", OAUTH_POST },
};

static unsigned read_methods(json_object *document, struct arena *a)
{
	const char *words = oauth_words(document, "token_endpoint_auth_methods_supported", a);
	unsigned all = 0;

	if (!words)
		return OAUTH_BASIC; /* what RFC 8414 says it then is */
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (oauth_has_word(words, methods[i].word))
			all |= methods[i].method;
	return all;
}

/* An address in it, or NULL. */
static const char *door(json_object *document, const char *key, const char *issuer, struct arena *a)
{
	const char *url = oauth_word(document, key, OAUTH_URL_BYTES, a);

	return url && oauth_is_url(url) && oauth_is_no_weaker(url, issuer) ? url : NULL;
}

/* Of a document of any size, what is read here. */
static const char *keep(json_object *document, struct arena *a)
{
	static const char *const keys[] = {
		"authorization_endpoint",
		"token_endpoint",
		"registration_endpoint",
		"revocation_endpoint",
		"userinfo_endpoint",
		"jwks_uri",
		"token_endpoint_auth_methods_supported",
		"code_challenge_methods_supported",
		"authorization_response_iss_parameter_supported",
		"client_id_metadata_document_supported",
	};
	OWN(json) json_object *kept = json_object_new_object();

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_get(document, keys[i]))
			json_object_object_add(kept, keys[i], json_object_get(json_get(document, keys[i])));
	return json_print(kept, a);
}

static int read_server(json_object *document, const char *issuer, struct oauth_server *ret, struct arena *a,
                       struct error *err)
{
	*ret = (struct oauth_server){
		.issuer = issuer,
		.authorization_endpoint = door(document, "authorization_endpoint", issuer, a),
		.token_endpoint = door(document, "token_endpoint", issuer, a),
		.registration_endpoint = door(document, "registration_endpoint", issuer, a),
		.revocation_endpoint = door(document, "revocation_endpoint", issuer, a),
		.userinfo_endpoint = door(document, "userinfo_endpoint", issuer, a),
		.jwks_uri = door(document, "jwks_uri", issuer, a),
		.methods = read_methods(document, a),
		.proves =
		    oauth_has_word(oauth_words(document, "code_challenge_methods_supported", a), "S256"),
		.says_issuer = json_flag(document, "authorization_response_iss_parameter_supported", 0),
		.takes_documents = json_flag(document, "client_id_metadata_document_supported", 0),
		.offers_offline =
		    oauth_has_word(oauth_words(document, "scopes_supported", a), "offline_access"),
		.document = keep(document, a),
	};
	if (!ret->authorization_endpoint || !ret->token_endpoint)
		return error_set(err, ERROR_UPSTREAM, "%.100s does not say where to sign in", issuer);
	return 0;
}

int oauth_server_read(const char *text, const char *issuer, struct oauth_server *ret, struct arena *a,
                      struct error *err)
{
	OWN(json) json_object *document = NULL;

	if (json_parse(text, strlen(text), &document, err) < 0)
		return -1;
	return read_server(document, issuer, ret, a, err);
}

int oauth_discover(const struct oauth *o, const char *issuer, struct oauth_server *ret, struct error *err)
{
	const char *origin = oauth_origin(issuer, o->arena), *path;
	const char *places[3] = { 0 };

	if (!origin)
		return error_set(err, ERROR_UPSTREAM, "%.100s is no issuer of tokens", issuer);
	path = path_of(issuer, o->arena);
	places[0] = arena_printf(o->arena, "%s/.well-known/oauth-authorization-server%s", origin, path);
	places[1] = arena_printf(o->arena, "%s/.well-known/openid-configuration%s", origin, path);
	places[2] =
	    *path ? arena_printf(o->arena, "%s%s/.well-known/openid-configuration", origin, path) : NULL;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		OWN(json) json_object *document = NULL;
		int found = places[i] ? oauth_get(o, places[i], &document, err) : 0;
		const char *its = json_string(document, "issuer");

		if (found < 0)
			return -1;
		if (!found)
			continue;
		if (!its || strcmp(its, issuer) != 0)
			return error_set(err, ERROR_UPSTREAM, "%.100s says that it is somebody else (%.100s)",
			                 issuer, its ? its : "unnamed");
		return read_server(document, arena_strdup(o->arena, issuer), ret, o->arena, err) < 0 ? -1 : 1;
	}
	return 0;
}

void oauth_server_assume(const char *origin, struct oauth_server *ret, struct arena *a)
{
	*ret = (struct oauth_server){
		.issuer = origin,
		.authorization_endpoint = arena_printf(a, "%s/authorize", origin),
		.token_endpoint = arena_printf(a, "%s/token", origin),
		.registration_endpoint = arena_printf(a, "%s/register", origin),
		.methods = OAUTH_NONE | OAUTH_BASIC | OAUTH_POST,
		.proves = true, /* which the protocol of its day demanded */
	};
	ret->document = arena_printf(
	    a,
	    "{\"authorization_endpoint\":\"%s\",\"token_endpoint\":\"%s\",\"registration_endpoint\":\"%s\","
	    "\"token_endpoint_auth_methods_supported\":[\"none\",\"client_secret_basic\",\"client_secret_post\"],"
	    "\"code_challenge_methods_supported\":[\"S256\"]}",
	    ret->authorization_endpoint, ret->token_endpoint, ret->registration_endpoint);
}

int oauth_find_server(const struct oauth *o, const char *url, const struct oauth_challenge *challenge,
                      struct oauth_resource *resource, struct oauth_server *ret, struct error *err)
{
	int named = find_resource(o, url, challenge, resource, err), found;

	if (named < 0)
		return -1;
	if (!named) /* of 2025-03-26: its own root signs people in */
		*resource = (struct oauth_resource){ .issuer = oauth_origin(url, o->arena) };
	found = oauth_discover(o, resource->issuer, ret, err);
	if (found < 0)
		return -1;
	if (!found && named)
		return error_set(err, ERROR_UPSTREAM, "%.100s does not say how to sign in", resource->issuer);
	if (!found)
		oauth_server_assume(resource->issuer, ret, o->arena);
	return oauth_demand_proof(ret, err);
}

const char *oauth_choose_scope(const struct oauth_challenge *challenge, const struct oauth_resource *resource,
                               const struct oauth_server *s, const char *granted, struct arena *a)
{
	const char *scope = challenge->scope ? challenge->scope : resource->scope;

	scope = oauth_scope_join(granted, scope, a);
	return scope && s->offers_offline ? oauth_scope_join(scope, "offline_access", a) : scope;
}

int oauth_demand_proof(const struct oauth_server *s, struct error *err)
{
	return s->proves
	           ? 0
	           : error_set(err, ERROR_UPSTREAM,
	                       "%.100s does not protect a sign-in against theft (PKCE with S256)", s->issuer);
}
