#include <string.h>

#include "common/oauth/internal.h"

static json_object *text(const char *value)
{
	return json_object_new_string(value);
}

static json_object *list(const char *one, const char *other)
{
	json_object *array = json_object_new_array();

	json_object_array_add(array, text(one));
	if (other)
		json_object_array_add(array, text(other));
	return array;
}

static const char *const words[] = {
	[OAUTH_NONE] = "none",
	[OAUTH_BASIC] = "client_secret_basic",
	[OAUTH_POST] = "client_secret_post",
};

/* Without a secret there is none to lose; what the token is worth then hangs on the proof, which is always there. */
static enum oauth_method best_method(unsigned methods)
{
	return methods & OAUTH_NONE    ? OAUTH_NONE
	       : methods & OAUTH_BASIC ? OAUTH_BASIC
	       : methods & OAUTH_POST  ? OAUTH_POST
	                               : OAUTH_NONE;
}

/* What both kinds of introducing oneself say. */
static json_object *describe(const char *name, const char *redirect_uri, enum oauth_method method,
                             bool native)
{
	json_object *about = json_object_new_object();

	json_object_object_add(about, "client_name", text(name));
	json_object_object_add(about, "redirect_uris", list(redirect_uri, NULL));
	json_object_object_add(about, "grant_types", list("authorization_code", "refresh_token"));
	json_object_object_add(about, "response_types", list("code", NULL));
	json_object_object_add(about, "token_endpoint_auth_method", text(words[method]));
	json_object_object_add(about, "application_type", text(native ? "native" : "web"));
	return about;
}

char *oauth_client_document(const char *id, const char *name, const char *site, const char *redirect_uri,
                            struct arena *a)
{
	OWN(json) json_object *about = describe(name, redirect_uri, OAUTH_NONE, false);

	json_object_object_add(about, "client_id", text(id));
	json_object_object_add(about, "client_uri", text(site));
	return json_print(about, a);
}

/* The method that it was given counts, not the one that it asked for. */
static enum oauth_method given_method(json_object *answer, bool secret, unsigned methods)
{
	const char *word = json_string(answer, "token_endpoint_auth_method");

	for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
		if (words[i] && strcmp(word, words[i]) == 0 && (secret || i == OAUTH_NONE))
			return (enum oauth_method)i;
	if (!secret)
		return OAUTH_NONE;
	return methods & OAUTH_BASIC ? OAUTH_BASIC : methods & OAUTH_POST ? OAUTH_POST : OAUTH_BASIC;
}

int oauth_register(const struct oauth *o, const struct oauth_server *s, const char *name,
                   const char *redirect_uri, bool native, struct oauth_client *ret, struct error *err)
{
	static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
		                               NULL };
	OWN(json) json_object *about = describe(name, redirect_uri, best_method(s->methods), native);
	OWN(json) json_object *answer = NULL;
	int status;

	if (!s->registration_endpoint)
		return error_set(
		    err, ERROR_UPSTREAM,
		    "%.100s registers nobody by itself: an operator can configure a client for it",
		    s->issuer);
	if (oauth_post(o, s->registration_endpoint, headers, json_print(about, o->arena), &status, &answer,
	               err) < 0)
		return -1;
	*ret = (struct oauth_client){
		.id = oauth_word(answer, "client_id", OAUTH_WORD_BYTES, o->arena),
		.secret = oauth_word(answer, "client_secret", OAUTH_WORD_BYTES, o->arena),
		.secret_expires = json_int(answer, "client_secret_expires_at", 0),
	};
	if (status / 100 != 2 || !ret->id)
		return oauth_refused(ERROR_UPSTREAM, "the provider does not register us", status, answer,
		                     err);
	ret->method = given_method(answer, ret->secret != NULL, s->methods);
	return 0;
}
