#include "svc-integrations/webhook/sign.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "common/base/id.h"
#include "common/secret/secret.h"

#define PREFIX "whsec_"
enum { MADE = 32, LEAST = 24, MOST = 64, TEXT_MOST = 4 * ((MOST + 2) / 3) };

static char *base64(const void *bytes, int size, struct arena *a)
{
	char *text = arena_alloc(a, (size_t)(4 * ((size + 2) / 3) + 1));

	EVP_EncodeBlock((unsigned char *)text, bytes, size);
	return text;
}

/* How many bytes; -1: it is no secret. */
static int decode(const char *secret, unsigned char key[MOST + 3])
{
	const char *text = secret + strlen(PREFIX);
	size_t length;
	int size;

	if (strncmp(secret, PREFIX, strlen(PREFIX)) != 0)
		return -1;
	length = strlen(text);
	if (length == 0 || length > TEXT_MOST || length % 4)
		return -1;
	size = EVP_DecodeBlock(key, (const unsigned char *)text, (int)length);
	if (size < 0)
		return -1;
	size -= (text[length - 1] == '=') + (text[length - 2] == '=');
	return size <= MOST ? size : -1;
}

char *webhook_secret(struct arena *a)
{
	unsigned char bytes[MADE];

	random_bytes(bytes, sizeof bytes);
	return arena_printf(a, PREFIX "%s", base64(bytes, sizeof bytes, a));
}

int webhook_secret_fits(const char *secret)
{
	unsigned char key[MOST + 3];

	return decode(secret, key) >= LEAST;
}

char *webhook_sign(const char *secret, const char *id, int64_t timestamp, const char *body, struct arena *a)
{
	const char *signed_text = arena_printf(a, "%s.%" PRId64 ".%s", id, timestamp, body);
	unsigned char key[MOST + 3], mac[MAC_SIZE];
	int size = decode(secret, key);

	if (size <= 0 || !HMAC(EVP_sha256(), key, size, (const unsigned char *)signed_text,
	                       strlen(signed_text), mac, NULL))
		return NULL;
	return arena_printf(a, "v1,%s", base64(mac, MAC_SIZE, a));
}
