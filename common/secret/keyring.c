#include "common/secret/keyring.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/own.h"

enum { NONCE_SIZE = 12, TAG_SIZE = 16 };

OWN_DEFINE(cipher_ctx, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)

int keyring_add(struct keyring *ring, const char *id, const void *bytes, size_t size, struct error *err)
{
	struct keyring_key *to = &ring->keys[ring->count];

	if (ring->count == sizeof ring->keys / sizeof *ring->keys || !id || strlen(id) >= sizeof to->id ||
	    size != KEY_SIZE)
		return error_internal(err, "svc-auth gave a key that cannot be one");
	memcpy(to->id, id, strlen(id) + 1);
	memcpy(to->bytes, bytes, KEY_SIZE);
	ring->count++;
	return 0;
}

char *keyring_seal(const struct keyring *ring, const char *context, const void *plain, size_t size,
                   struct arena *a)
{
	OWN(cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const struct keyring_key *key = &ring->keys[0];
	size_t raw_size = NONCE_SIZE + size + TAG_SIZE, id_length = strnlen(key->id, sizeof key->id);
	unsigned char *raw = arena_alloc(a, raw_size), *at = raw + NONCE_SIZE;
	char *text = arena_alloc(a, id_length + 1 + 4 * ((raw_size + 2) / 3) + 1);
	int n = 0, last = 0;

	assert(ring->count > 0 && size < INT32_MAX / 2);
	random_bytes(raw, NONCE_SIZE);
	if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, raw) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)context, (int)strlen(context)) != 1 ||
	    EVP_EncryptUpdate(ctx, at, &n, plain ? plain : (const void *)"", (int)size) != 1 ||
	    EVP_EncryptFinal_ex(ctx, at + n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, at + size) != 1)
		abort(); /* sealing our own bytes fails only without memory */
	memcpy(text, key->id, id_length);
	text[id_length] = '.';
	base64url_encode(text + id_length + 1, raw, raw_size);
	return text;
}

static const struct keyring_key *find_key(const struct keyring *ring, const char *id, size_t length)
{
	for (int i = 0; i < ring->count; i++) {
		if (strnlen(ring->keys[i].id, sizeof ring->keys[i].id) == length &&
		    memcmp(ring->keys[i].id, id, length) == 0)
			return &ring->keys[i];
	}
	return NULL;
}

static int decrypt(const struct keyring_key *key, const char *context, unsigned char *raw, int raw_size,
                   unsigned char *plain)
{
	OWN(cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *cipher = raw + NONCE_SIZE;
	int size = raw_size - NONCE_SIZE - TAG_SIZE, n = 0, last = 0;

	if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, raw) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)context, (int)strlen(context)) != 1 ||
	    EVP_DecryptUpdate(ctx, plain, &n, cipher, size) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, cipher + size) != 1 ||
	    EVP_DecryptFinal_ex(ctx, plain + n, &last) != 1)
		return -1;
	return size;
}

int keyring_open(const struct keyring *ring, const char *context, const char *sealed, char **ret,
                 size_t *size, struct arena *a, struct error *err)
{
	const char *dot = strchr(sealed, '.');
	const struct keyring_key *key = dot ? find_key(ring, sealed, (size_t)(dot - sealed)) : NULL;
	size_t length = dot ? strlen(dot + 1) : 0;
	unsigned char *raw, *plain;
	int raw_size, plain_size;

	if (!dot)
		return error_internal(err, "%s: not a sealed value", context);
	if (!key)
		return error_internal(err, "%s: sealed with the unknown key %.*s", context,
		                      (int)(dot - sealed < 24 ? dot - sealed : 24), sealed);
	raw = arena_alloc(a, length);
	raw_size = base64url_decode(raw, length, dot + 1, length);
	if (raw_size < NONCE_SIZE + TAG_SIZE)
		return error_internal(err, "%s: not a sealed value", context);
	plain = arena_alloc(a, (size_t)raw_size);
	plain_size = decrypt(key, context, raw, raw_size, plain);
	if (plain_size < 0)
		return error_internal(err, "%s: the sealed value was altered, or belongs elsewhere", context);
	plain[plain_size] = '\0';
	*ret = (char *)plain;
	*size = (size_t)plain_size;
	return 0;
}
