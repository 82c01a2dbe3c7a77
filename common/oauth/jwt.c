#include "common/oauth/jwt.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/id.h"

enum { P256_BYTES = 32, ED25519_BYTES = 32, RSA_LEAST = 2048 / 8, RSA_MOST = 8192 / 8, EXPONENT_MOST = 8 };

OWN_DEFINE(evp_key, EVP_PKEY *, EVP_PKEY_free)
OWN_DEFINE(evp_md, EVP_MD_CTX *, EVP_MD_CTX_free)
OWN_DEFINE(evp_key_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
OWN_DEFINE(params, OSSL_PARAM *, OSSL_PARAM_free)
OWN_DEFINE(param_bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
OWN_DEFINE(bignum, BIGNUM *, BN_free)
OWN_DEFINE(ecdsa, ECDSA_SIG *, ECDSA_SIG_free)

static int refuse(struct error *err, const char *why)
{
	return error_set(err, ERROR_UNAUTHENTICATED, "the sign-in cannot be believed: %s", why);
}

/* --- Keys -------------------------------------------------------------------------------------------------------- */

/* The bytes of a member in base64url; -1 when it is none, or has more than room. */
static int bytes_of(json_object *key, const char *member, unsigned char *bytes, size_t room)
{
	const char *text = json_string(key, member);

	return text && *text ? base64url_decode(bytes, room, text, strlen(text)) : -1;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	OWN(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	OWN(evp_key_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *rsa_key(json_object *jwk)
{
	unsigned char n[RSA_MOST], e[EXPONENT_MOST];
	int n_size = bytes_of(jwk, "n", n, sizeof n), e_size = bytes_of(jwk, "e", e, sizeof e);
	OWN(param_bld) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OWN(bignum) BIGNUM *modulus = NULL;
	OWN(bignum) BIGNUM *exponent = NULL;

	if (n_size < RSA_LEAST || e_size < 1 || !n[0] || !(e[e_size - 1] & 1) || (e_size == 1 && e[0] == 1))
		return NULL;
	modulus = BN_bin2bn(n, n_size, NULL);
	exponent = BN_bin2bn(e, e_size, NULL);
	if (!build || !modulus || !exponent ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
		return NULL;
	return from_params("RSA", build);
}

static EVP_PKEY *p256_key(json_object *jwk)
{
	unsigned char point[1 + 2 * P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	const char *curve = json_string(jwk, "crv");
	OWN(param_bld) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

	if (!curve || strcmp(curve, "P-256") != 0 ||
	    bytes_of(jwk, "x", point + 1, P256_BYTES) != P256_BYTES ||
	    bytes_of(jwk, "y", point + 1 + P256_BYTES, P256_BYTES) != P256_BYTES)
		return NULL;
	if (!build ||
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) != 1)
		return NULL;
	return from_params("EC", build); /* refuses a point that is not on the curve */
}

static EVP_PKEY *ed25519_key(json_object *jwk)
{
	const char *curve = json_string(jwk, "crv");
	unsigned char point[ED25519_BYTES];

	if (!curve || strcmp(curve, "Ed25519") != 0 ||
	    bytes_of(jwk, "x", point, sizeof point) != ED25519_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point, sizeof point);
}

/* --- Signatures -------------------------------------------------------------------------------------------------- */

/* A token's three parts. */
struct parts {
	const char *text;
	size_t signed_size; /* header and payload, with the dot */
	const unsigned char *signature;
	size_t signature_size;
};

static bool digest_fits(EVP_PKEY *key, const EVP_MD *md, const struct parts *p,
                        const unsigned char *signature, size_t size)
{
	OWN(evp_md) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	return ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, signature, size, (const unsigned char *)p->text, p->signed_size) == 1;
}

static bool rsa_fits(EVP_PKEY *key, const struct parts *p)
{
	return digest_fits(key, EVP_sha256(), p, p->signature, p->signature_size);
}

/* JWS has r and s as they are (RFC 7518, 3.4), OpenSSL wants them in DER. */
static bool p256_fits(EVP_PKEY *key, const struct parts *p)
{
	OWN(ecdsa) ECDSA_SIG *pair = ECDSA_SIG_new();
	unsigned char der[2 * P256_BYTES + 16], *at = der;
	BIGNUM *r, *s;
	int size;

	if (!pair || p->signature_size != (size_t)2 * P256_BYTES)
		return false;
	r = BN_bin2bn(p->signature, P256_BYTES, NULL);
	s = BN_bin2bn(p->signature + P256_BYTES, P256_BYTES, NULL);
	if (!r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return false;
	}
	size = i2d_ECDSA_SIG(pair, &at);
	return size > 0 && digest_fits(key, EVP_sha256(), p, der, (size_t)size);
}

static bool ed25519_fits(EVP_PKEY *key, const struct parts *p)
{
	return digest_fits(key, NULL, p, p->signature, p->signature_size);
}

/* How a kind of key signs, and no other way. */
static const struct kind {
	const char *type, *algorithm;
	EVP_PKEY *(*read)(json_object *jwk);
	bool (*fits)(EVP_PKEY *key, const struct parts *p);
} kinds[] = {
	{ "RSA", "RS256", rsa_key, rsa_fits },
	{ "EC", "ES256", p256_key, p256_fits },
	{ "OKP", "EdDSA", ed25519_key, ed25519_fits },
};

static bool is(json_object *object, const char *member, const char *value)
{
	const char *given = json_string(object, member);

	return given && strcmp(given, value) == 0;
}

/* May this key be the one that the header means? */
static bool is_meant(json_object *jwk, const struct kind *k, const char *kid)
{
	if (!json_object_is_type(jwk, json_type_object) || !is(jwk, "kty", k->type))
		return false;
	if ((json_get(jwk, "alg") && !is(jwk, "alg", k->algorithm)) ||
	    (json_get(jwk, "use") && !is(jwk, "use", "sig")))
		return false;
	return !kid || is(jwk, "kid", kid);
}

/* 1 signed by one of them, 0 none of them is meant, -1 those that are have not signed it. */
static int try_keys(json_object *list, const struct kind *k, const char *kid, const struct parts *p)
{
	size_t count =
	    list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	int tried = 0;

	for (size_t i = 0; i < count && i < JWT_KEYS; i++) {
		json_object *jwk = json_object_array_get_idx(list, i);
		OWN(evp_key) EVP_PKEY *key = is_meant(jwk, k, kid) ? k->read(jwk) : NULL;

		if (key && k->fits(key, p))
			return 1;
		tried += key != NULL;
	}
	return tried ? -1 : 0;
}

/* --- The token --------------------------------------------------------------------------------------------------- */

static int read_json(const char *text, size_t size, json_object **ret)
{
	char bytes[JWT_BYTES];
	struct error ignored = { 0 };
	int length = base64url_decode(bytes, sizeof bytes, text, size);

	if (length < 0 || json_parse(bytes, (size_t)length, ret, &ignored) < 0)
		return -1;
	return *ret && json_object_is_type(*ret, json_type_object) ? 0 : -1;
}

static const struct kind *kind_of(json_object *header)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (is(header, "alg", kinds[i].algorithm))
			return &kinds[i];
	return NULL;
}

int jwt_verify(const char *text, const char *keys, json_object **ret, struct error *err)
{
	OWN(json) json_object *header = NULL;
	OWN(json) json_object *claims = NULL;
	OWN(json) json_object *set = NULL;
	unsigned char signature[RSA_MOST];
	const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;
	struct parts p = { .text = text, .signature = signature };
	struct error ignored = { 0 };
	const struct kind *k;
	int size, signed_by;

	if (strnlen(text, JWT_BYTES + 1) > JWT_BYTES || !second || strchr(second + 1, '.'))
		return refuse(err, "it is no token");
	size = base64url_decode(signature, sizeof signature, second + 1, strlen(second + 1));
	if (size <= 0 || read_json(text, (size_t)(first - text), &header) < 0 ||
	    read_json(first + 1, (size_t)(second - first) - 1, &claims) < 0)
		return refuse(err, "it is no token");
	k = kind_of(header);
	/* "crit" names what must be understood, and is nothing that we know (RFC 7515, 4.1.11). */
	if (!k || json_object_object_get_ex(header, "crit", NULL) ||
	    (json_get(header, "kid") && !json_string(header, "kid")))
		return refuse(err, "it is signed in a way that is not taken here");
	if (json_parse(keys, strlen(keys), &set, &ignored) < 0)
		return refuse(err, "the keys cannot be read");
	p.signed_size = (size_t)(second - text);
	p.signature_size = (size_t)size;
	signed_by = try_keys(json_get(set, "keys"), k, json_string(header, "kid"), &p);
	if (signed_by < 0)
		return refuse(err, "the signature is wrong");
	if (signed_by > 0)
		*ret = TAKE(claims);
	return signed_by;
}

/* --- What it says ------------------------------------------------------------------------------------------------ */

static bool is_to(json_object *claims, const char *audience)
{
	json_object *list = json_get(claims, "aud");
	size_t count;

	if (json_get(claims, "azp") && !is(claims, "azp", audience))
		return false;
	if (!list || !json_object_is_type(list, json_type_array))
		return is(claims, "aud", audience);
	count = json_object_array_length(list);
	if (count > 1 && !is(claims, "azp", audience))
		return false;
	for (size_t i = 0; i < count; i++) {
		json_object *one = json_object_array_get_idx(list, i);

		if (json_object_is_type(one, json_type_string) &&
		    strcmp(json_object_get_string(one), audience) == 0)
			return true;
	}
	return false;
}

/* A time in whole or broken seconds; -1 when it is none. */
static double time_of(json_object *claims, const char *name)
{
	return json_real(claims, name, -1);
}

int jwt_expect(json_object *claims, const struct jwt_expectation *e, struct error *err)
{
	double now = (double)e->now, made = time_of(claims, "iat");

	if (!is(claims, "iss", e->issuer))
		return refuse(err, "it comes from somebody else");
	if (!is_to(claims, e->audience))
		return refuse(err, "it is for somebody else");
	if (!(time_of(claims, "exp") > now - JWT_SKEW))
		return refuse(err, "it has expired");
	if (json_get(claims, "nbf") &&
	    !(time_of(claims, "nbf") <= now + JWT_SKEW && time_of(claims, "nbf") >= 0))
		return refuse(err, "it is not good yet");
	if (!(made >= 0 && made <= now + JWT_SKEW) ||
	    (e->oldest && made < now - (double)e->oldest - JWT_SKEW))
		return refuse(err, "it was made at another time");
	if (e->nonce ? !is(claims, "nonce", e->nonce) : json_get(claims, "nonce") != NULL)
		return refuse(err, "it belongs to another sign-in");
	return 0;
}
