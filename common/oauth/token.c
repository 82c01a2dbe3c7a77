#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/id.h"
#include "common/base/query.h"
#include "common/oauth/internal.h"

enum { LONGEST_LIFE = 10 * 365 * 86400 };

/* --- Who we are ----------------------------------------------------------------------------------------------------------- */

static enum oauth_method method_of(const struct oauth_server *s, const struct oauth_client *c)
{
	if (!c->secret)
		return OAUTH_NONE;
	if (c->method)
		return c->method;
	return s->methods & OAUTH_BASIC || !(s->methods & OAUTH_POST) ? OAUTH_BASIC : OAUTH_POST;
}

/* RFC 6749, 2.3.1: encoded as in a form, then in base64 with padding. */
static const char *basic(const struct oauth_client *c, struct arena *a)
{
	struct text pair;
	char *out;
	size_t length;

	text_init(&pair, a);
	query_encode(&pair, c->id);
	text_addc(&pair, ':');
	query_encode(&pair, c->secret);
	out = arena_alloc(a, 4 * ((pair.length + 2) / 3) + 4);
	length = base64url_encode(out, pair.at, pair.length);
	for (size_t i = 0; i < length; i++)
		out[i] = out[i] == '-' ? '+' : out[i] == '_' ? '/' : out[i];
	while (length % 4)
		out[length++] = '=';
	return arena_printf(a, "Authorization: Basic %s", out);
}

/* The form with who we are in it, or in a header. */
static int post_form(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                     const char *url, struct text *form, int *status, json_object **ret, struct error *err)
{
	enum oauth_method method = method_of(s, c);
	const char *headers[4] = { "Content-Type: application/x-www-form-urlencoded",
		                   "Accept: application/json" };

	if (method == OAUTH_BASIC)
		headers[2] = basic(c, o->arena);
	else
		oauth_form_add(form, "client_id", c->id);
	if (method == OAUTH_POST)
		oauth_form_add(form, "client_secret", c->secret);
	return oauth_post(o, url, headers, form->at, status, ret, err);
}

/* --- What comes back ------------------------------------------------------------------------------------------------------- */

/* Some write the number as text. */
static int64_t lifetime_of(json_object *answer)
{
	const char *text = json_string(answer, "expires_in");
	double seconds = text ? strtod(text, NULL) : json_real(answer, "expires_in", 0);

	return !(seconds > 0) ? 0 : seconds > LONGEST_LIFE ? LONGEST_LIFE : (int64_t)seconds;
}

static int no_tokens(int status, json_object *answer, struct error *err)
{
	static const struct {
		const char *word;
		enum error_code code;
		const char *sentence;
	} meanings[] = {
		{ "invalid_grant", ERROR_UNAUTHENTICATED, "the sign-in is not good any more" },
		{ "invalid_client", ERROR_FORBIDDEN, "the provider does not know us any more" },
		{ "unauthorized_client", ERROR_FORBIDDEN, "the provider does not know us any more" },
	};
	const char *word = json_string(answer, "error");

	for (size_t i = 0; word && i < sizeof meanings / sizeof *meanings; i++)
		if (strcmp(word, meanings[i].word) == 0)
			return oauth_refused(meanings[i].code, meanings[i].sentence, status, answer, err);
	if (word || status / 100 != 2)
		return oauth_refused(ERROR_UPSTREAM, "the provider gives no token", status, answer, err);
	return error_set(err, ERROR_UPSTREAM, "what the provider gives is no token that we know");
}

static int read_tokens(int status, json_object *answer, struct oauth_tokens *ret, struct arena *a,
                       struct error *err)
{
	const char *type = json_string(answer, "token_type");

	*ret = (struct oauth_tokens){
		.access = oauth_word(answer, "access_token", OAUTH_TOKEN_BYTES, a),
		.refresh = oauth_word(answer, "refresh_token", OAUTH_TOKEN_BYTES, a),
		.id_token = oauth_word(answer, "id_token", OAUTH_TOKEN_BYTES, a),
		.scope = oauth_scope(json_string(answer, "scope"), a),
		.lifetime = lifetime_of(answer),
	};
	if (status / 100 != 2 || json_get(answer, "error") || !ret->access ||
	    (type && strcasecmp(type, "bearer") != 0))
		return no_tokens(status, answer, err);
	return 0;
}

static int ask(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
               struct text *form, struct oauth_tokens *ret, struct error *err)
{
	OWN(json) json_object *answer = NULL;
	int status;

	if (post_form(o, s, c, s->token_endpoint, form, &status, &answer, err) < 0)
		return -1;
	return read_tokens(status, answer, ret, o->arena, err);
}

/* --- The three requests ------------------------------------------------------------------------------------------------------ */

int oauth_exchange(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                   const struct oauth_request *r, const char *code, struct oauth_tokens *ret,
                   struct error *err)
{
	struct text form;

	text_init(&form, o->arena);
	oauth_form_add(&form, "grant_type", "authorization_code");
	oauth_form_add(&form, "code", code);
	oauth_form_add(&form, "redirect_uri", r->redirect_uri);
	oauth_form_add(&form, "code_verifier", r->verifier);
	oauth_form_add(&form, "resource", r->resource);
	return ask(o, s, c, &form, ret, err);
}

int oauth_refresh(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                  const char *refresh, const char *resource, struct oauth_tokens *ret, struct error *err)
{
	struct text form;

	text_init(&form, o->arena);
	oauth_form_add(&form, "grant_type", "refresh_token");
	oauth_form_add(&form, "refresh_token", refresh);
	oauth_form_add(&form, "resource", resource);
	if (ask(o, s, c, &form, ret, err) < 0)
		return -1;
	if (!ret->refresh)
		ret->refresh = arena_strdup(o->arena, refresh);
	return 0;
}

int oauth_revoke(const struct oauth *o, const struct oauth_server *s, const struct oauth_client *c,
                 const char *token, const char *kind, struct error *err)
{
	OWN(json) json_object *answer = NULL;
	struct text form;
	int status;

	if (!s->revocation_endpoint)
		return 0;
	text_init(&form, o->arena);
	oauth_form_add(&form, "token", token);
	oauth_form_add(&form, "token_type_hint", kind);
	if (post_form(o, s, c, s->revocation_endpoint, &form, &status, &answer, err) < 0)
		return -1;
	if (status / 100 == 2 || (json_string(answer, "error") &&
	                          strcmp(json_string(answer, "error"), "unsupported_token_type") == 0))
		return 0;
	return oauth_refused(status >= 500 || status == 429 ? ERROR_UPSTREAM : ERROR_INVALID,
	                     "the provider does not revoke the token", status, answer, err);
}
