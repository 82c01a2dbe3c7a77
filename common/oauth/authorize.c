#include <openssl/sha.h>
#include <string.h>

#include "common/base/id.h"
#include "common/oauth/internal.h"

void oauth_random(char text[OAUTH_RANDOM])
{
	unsigned char bytes[32];

	random_bytes(bytes, sizeof bytes);
	base64url_encode(text, bytes, sizeof bytes);
}

const char *oauth_scope_join(const char *one, const char *other, struct arena *a)
{
	struct text all;

	if (!one || !other)
		return one ? one : other;
	text_init(&all, a);
	text_adds(&all, one);
	while (*other) {
		char *word = arena_strndup(a, other, strcspn(other, " "));

		if (*word && !oauth_has_word(all.at, word))
			text_addf(&all, "%s%s", all.length ? " " : "", word);
		other += strlen(word);
		other += strspn(other, " ");
	}
	return all.at;
}

static const char *challenge_of(const char *verifier, struct arena *a)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char *text = arena_alloc(a, OAUTH_RANDOM);

	SHA256((const unsigned char *)verifier, strlen(verifier), hash);
	base64url_encode(text, hash, sizeof hash);
	return text;
}

char *oauth_authorize_url(const struct oauth_server *s, const struct oauth_request *r, struct arena *a)
{
	struct text query, url;

	text_init(&query, a);
	oauth_form_add(&query, "response_type", "code");
	oauth_form_add(&query, "client_id", r->client_id);
	oauth_form_add(&query, "redirect_uri", r->redirect_uri);
	oauth_form_add(&query, "state", r->state);
	oauth_form_add(&query, "code_challenge", challenge_of(r->verifier, a));
	oauth_form_add(&query, "code_challenge_method", "S256");
	oauth_form_add(&query, "scope", r->scope);
	oauth_form_add(&query, "resource", r->resource);
	oauth_form_add(&query, "nonce", r->nonce);
	oauth_form_add(&query, "prompt", r->prompt);
	if (r->more && *r->more)
		text_addf(&query, "&%s", r->more);
	text_init(&url, a);
	text_addf(&url, "%s%c%s", s->authorization_endpoint,
	          strchr(s->authorization_endpoint, '?') ? '&' : '?', query.at);
	return url.at;
}

int oauth_check_response(const struct oauth_server *s, const char *iss, struct error *err)
{
	if (iss ? strcmp(iss, s->issuer) == 0 : !s->says_issuer)
		return 0;
	return error_set(err, ERROR_MALFORMED, "this answer does not come from where the sign-in began");
}
