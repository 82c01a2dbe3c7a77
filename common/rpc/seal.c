#include "common/rpc/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/per_thread.h"

/* A cipher of one direction, with the key it has been given last. */
struct cipher {
	EVP_CIPHER_CTX *ctx;
	unsigned char key[KEY_SIZE];
};

struct ciphers {
	struct cipher seals, opens;
};

static struct ciphers *make_ciphers(void)
{
	struct ciphers *c = calloc(1, sizeof *c);

	if (!c || !(c->seals.ctx = EVP_CIPHER_CTX_new()) || !(c->opens.ctx = EVP_CIPHER_CTX_new()) ||
	    EVP_EncryptInit_ex(c->seals.ctx, EVP_aes_256_gcm(), NULL, c->seals.key, NULL) != 1 ||
	    EVP_DecryptInit_ex(c->opens.ctx, EVP_aes_256_gcm(), NULL, c->opens.key, NULL) != 1)
		abort();
	return c;
}

static void free_ciphers(struct ciphers *c)
{
	EVP_CIPHER_CTX_free(c->seals.ctx);
	EVP_CIPHER_CTX_free(c->opens.ctx);
	OPENSSL_cleanse(c, sizeof *c);
	free(c);
}

PER_THREAD(ciphers, struct ciphers, make_ciphers, free_ciphers)

/* The key as EVP wants it: NULL when it has it already, since making the schedule costs as much as 1 KB of sealing. */
static const unsigned char *fresh(struct cipher *c, const unsigned char key[KEY_SIZE])
{
	if (!CRYPTO_memcmp(c->key, key, KEY_SIZE))
		return NULL;
	memcpy(c->key, key, KEY_SIZE);
	return c->key;
}

void seal(const unsigned char key[KEY_SIZE], const unsigned char nonce[SEAL_NONCE], const void *aad,
          size_t aad_size, unsigned char *bytes, size_t size)
{
	struct cipher *c = &ciphers()->seals;
	int n;

	if (EVP_EncryptInit_ex(c->ctx, NULL, NULL, fresh(c, key), nonce) != 1 ||
	    EVP_EncryptUpdate(c->ctx, NULL, &n, aad, (int)aad_size) != 1 ||
	    EVP_EncryptUpdate(c->ctx, bytes, &n, bytes, (int)size) != 1 ||
	    EVP_EncryptFinal_ex(c->ctx, bytes + size, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG, bytes + size) != 1)
		abort(); /* sealing our own bytes fails only without memory */
}

int unseal(const unsigned char key[KEY_SIZE], const unsigned char nonce[SEAL_NONCE], const void *aad,
           size_t aad_size, unsigned char *bytes, size_t size)
{
	struct cipher *c = &ciphers()->opens;
	unsigned char none[SEAL_TAG];
	int n;

	if (size < SEAL_TAG)
		return -1;
	size -= SEAL_TAG;
	if (EVP_DecryptInit_ex(c->ctx, NULL, NULL, fresh(c, key), nonce) != 1 ||
	    EVP_DecryptUpdate(c->ctx, NULL, &n, aad, (int)aad_size) != 1 ||
	    EVP_DecryptUpdate(c->ctx, bytes, &n, bytes, (int)size) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_SET_TAG, SEAL_TAG, bytes + size) != 1)
		return -1;
	return EVP_DecryptFinal_ex(c->ctx, none, &n) == 1 ? 0 : -1;
}
