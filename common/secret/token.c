#include "common/secret/token.h"

#include <assert.h>
#include <errno.h>
#include <jwt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/own.h"

/* Our tokens have some 350 bytes. The signing input of a longer one is not worth hashing. */
enum { TOKEN_MAX = 2048, HEADER_MAX = 256 };

OWN_DEFINE(jwt, jwt_t *, jwt_free)

int token_sign(const struct keyring *ring, const struct token_claims *claims, struct arena *a, char **ret,
               struct error *err)
{
	OWN(jwt) jwt_t *jwt = NULL;
	char *text;

	assert(ring->count > 0);
	if (jwt_new(&jwt) != 0 || jwt_set_alg(jwt, JWT_ALG_HS256, ring->keys[0].bytes, KEY_SIZE) != 0 ||
	    jwt_add_header(jwt, "kid", ring->keys[0].id) != 0 ||
	    jwt_add_grant(jwt, "iss", TOKEN_ISSUER) != 0 || jwt_add_grant(jwt, "sub", claims->user_id) != 0 ||
	    jwt_add_grant(jwt, "sid", claims->session_id) != 0 ||
	    jwt_add_grant_int(jwt, "num", claims->user_number) != 0 ||
	    jwt_add_grant_int(jwt, "iat", claims->issued) != 0 ||
	    jwt_add_grant_int(jwt, "exp", claims->expires) != 0 ||
	    (claims->admin && jwt_add_grant_bool(jwt, "adm", 1) != 0) ||
	    (claims->audience && jwt_add_grant(jwt, "aud", claims->audience) != 0))
		return error_internal(err, "token: libjwt refused a claim");
	text = jwt_encode_str(jwt);
	if (!text)
		return error_internal(err, "token: libjwt did not sign");
	*ret = arena_strdup(a, text);
	free(text);
	return 0;
}

/*
 * The key that the header names, or NULL. Only a hint for choosing a key: the header is not proven yet, and is read
 * again by libjwt. So looking for "kid":"..." in it is enough; token_sign() writes it just so.
 */
static const struct keyring_key *named_key(const struct keyring *ring, const char *text, size_t header_length)
{
	static const char before[] = "\"kid\":\"";
	char header[HEADER_MAX + 1], *id, *end;
	int size = base64url_decode(header, HEADER_MAX, text, header_length);

	if (size < 0)
		return NULL;
	header[size] = '\0';
	id = strstr(header, before);
	if (!id)
		return NULL;
	id += sizeof before - 1;
	end = strchr(id, '"');
	for (int i = 0; end && i < ring->count; i++) {
		if (strlen(ring->keys[i].id) == (size_t)(end - id) &&
		    memcmp(ring->keys[i].id, id, (size_t)(end - id)) == 0)
			return &ring->keys[i];
	}
	return NULL;
}

static int get_uuid(jwt_t *jwt, const char *claim, char ret[UUID_TEXT])
{
	const char *value = jwt_get_grant(jwt, claim);

	if (!uuid_valid(value))
		return -1;
	memcpy(ret, value, UUID_TEXT);
	return 0;
}

static int get_int(jwt_t *jwt, const char *claim, int64_t *ret)
{
	errno = 0;
	*ret = jwt_get_grant_int(jwt, claim);
	return errno ? -1 : 0;
}

/* Is it there? text is its JSON, which libjwt made for us. */
static bool has(char *text)
{
	bool there = text != NULL;

	free(text);
	return there;
}

/* One string, and that one; or no audience at all. */
static bool is_for(jwt_t *jwt, const char *audience)
{
	const char *given = jwt_get_grant(jwt, "aud");

	return audience ? given && strcmp(given, audience) == 0 : !has(jwt_get_grants_json(jwt, "aud"));
}

/* What libjwt does not look at. */
static int read_claims(jwt_t *jwt, int64_t now, const char *audience, struct token_claims *ret,
                       struct error *err)
{
	const char *issuer = jwt_get_grant(jwt, "iss");
	int64_t not_before;

	*ret = (struct token_claims){ 0 };
	if (!issuer || strcmp(issuer, TOKEN_ISSUER) != 0)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is not one of ours");
	if (!is_for(jwt, audience))
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is not for this address");
	if (get_int(jwt, "exp", &ret->expires) < 0 || get_int(jwt, "iat", &ret->issued) < 0 ||
	    get_int(jwt, "num", &ret->user_number) < 0 || get_uuid(jwt, "sub", ret->user_id) < 0 ||
	    get_uuid(jwt, "sid", ret->session_id) < 0)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token lacks what it should say");
	if (get_int(jwt, "nbf", &not_before) == 0 && not_before > now)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is not good yet");
	if (ret->expires <= now)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token has expired");
	ret->admin = jwt_get_grant_bool(jwt, "adm") == 1;
	return 0;
}

int token_verify(const struct keyring *ring, const char *text, int64_t now, const char *audience,
                 struct token_claims *ret, struct error *err)
{
	OWN(jwt) jwt_t *jwt = NULL;
	const struct keyring_key *key;
	const char *dot, *kid;

	if (strnlen(text, TOKEN_MAX + 1) > TOKEN_MAX)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is too long");
	dot = strchr(text, '.');
	if (!dot)
		return error_set(err, ERROR_UNAUTHENTICATED, "this is not a token");
	key = named_key(ring, text, (size_t)(dot - text));
	if (!key)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is signed with an unknown key");
	/* Always with a key: without one, libjwt takes "alg": "none". */
	if (jwt_decode(&jwt, text, key->bytes, KEY_SIZE) != 0 || !jwt)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid");
	kid = jwt_get_header(jwt, "kid");
	/* "crit" names what must be understood, and is nothing that we know (RFC 7515, 4.1.11). */
	if (has(jwt_get_headers_json(jwt, "crit")))
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid");
	if (jwt_get_alg(jwt) != JWT_ALG_HS256 || !kid || strcmp(kid, key->id) != 0)
		return error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid");
	return read_claims(jwt, now, audience, ret, err);
}
