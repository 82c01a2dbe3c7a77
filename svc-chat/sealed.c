#include "svc-chat/sealed.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { UUID_BYTES = 16, NONCE = 12, TAG = 16, PLAIN = 2 * UUID_BYTES + 8 + 16, SEALED = NONCE + PLAIN + TAG };

/* --- UUIDs ----------------------------------------------------------------------------------------------------------- */

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : 0;
}

static void uuid_bytes(unsigned char bytes[UUID_BYTES], const char *text)
{
	for (int i = 0; i < UUID_BYTES; i++) {
		text += *text == '-';
		bytes[i] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
}

static void uuid_text(char text[UUID_TEXT], const unsigned char bytes[UUID_BYTES])
{
	char hex[2 * UUID_BYTES + 1];

	hex_encode(hex, bytes, UUID_BYTES);
	for (int from = 0, to = 0; from < 2 * UUID_BYTES; from++) {
		if (from == 8 || from == 12 || from == 16 || from == 20)
			text[to++] = '-';
		text[to++] = hex[from];
		text[to] = '\0';
	}
}

/* --- The owner in a tail --------------------------------------------------------------------------------------------- */

/* The owner under a pad that the random half makes: who does not have the key sees noise. */
static void pad(const unsigned char key[KEY_SIZE], const unsigned char random[16],
                unsigned char owner[UUID_BYTES])
{
	unsigned char mac[MAC_SIZE];

	mac_sha256(key, "stream", 6, random, 16, mac);
	for (int i = 0; i < UUID_BYTES; i++)
		owner[i] ^= mac[i];
}

void sealed_owner(const unsigned char key[KEY_SIZE], const char *owner, char tail[SEALED_OWNER_TEXT])
{
	unsigned char bytes[16 + UUID_BYTES];

	random_bytes(bytes, 16);
	uuid_bytes(bytes + 16, owner);
	pad(key, bytes, bytes + 16);
	base64url_encode(tail, bytes, sizeof bytes);
}

int sealed_owner_of(const unsigned char key[KEY_SIZE], const char *tail, char owner[UUID_TEXT])
{
	unsigned char bytes[16 + UUID_BYTES];

	if (base64url_decode(bytes, sizeof bytes, tail, strlen(tail)) != (int)sizeof bytes)
		return -1;
	pad(key, bytes, bytes + 16);
	uuid_text(owner, bytes + 16);
	return 0;
}

/* --- Visits ---------------------------------------------------------------------------------------------------------- */

void sealed_origin(const char *origin, unsigned char ret[16])
{
	char lower[512], hex[65];
	size_t size = origin ? strlen(origin) : 0;

	memset(ret, 0, 16);
	if (!size || size >= sizeof lower)
		return;
	for (size_t i = 0; i <= size; i++)
		lower[i] = (char)(origin[i] >= 'A' && origin[i] <= 'Z' ? origin[i] | 0x20 : origin[i]);
	sha256_hex(hex, lower, size);
	for (int i = 0; i < 16; i++)
		ret[i] = (unsigned char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

/* AES-256-GCM over `size` bytes, with the chatbot beside them. -1: the tag is not right. */
static int crypt(int seals, const unsigned char key[KEY_SIZE], const unsigned char *nonce,
                 const char *chatbot, const unsigned char *in, unsigned char *out, unsigned char *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char bot[UUID_BYTES];
	int n, ok;

	if (!ctx)
		abort();
	uuid_bytes(bot, chatbot);
	ok = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seals) == 1 &&
	     EVP_CipherUpdate(ctx, NULL, &n, bot, sizeof bot) == 1 &&
	     EVP_CipherUpdate(ctx, out, &n, in, PLAIN) == 1 &&
	     (seals || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1) &&
	     EVP_CipherFinal_ex(ctx, out + n, &n) == 1 &&
	     (!seals || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1);
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -1;
}

char *sealed_visit(const unsigned char key[KEY_SIZE], const char *chatbot, const struct sealed_visit *visit,
                   struct arena *a)
{
	unsigned char plain[PLAIN], bytes[SEALED];
	char *text = arena_alloc(a, 4 * ((SEALED + 2) / 3) + 1);

	uuid_bytes(plain, visit->owner);
	uuid_bytes(plain + UUID_BYTES, visit->session);
	memcpy(plain + 2 * UUID_BYTES, &visit->expires, 8);
	memcpy(plain + 2 * UUID_BYTES + 8, visit->origin, 16);
	random_bytes(bytes, NONCE);
	if (crypt(1, key, bytes, chatbot, plain, bytes + NONCE, bytes + NONCE + PLAIN) < 0)
		abort(); /* with these parameters it cannot fail */
	base64url_encode(text, bytes, sizeof bytes);
	return text;
}

int sealed_visit_of(const unsigned char key[KEY_SIZE], const char *chatbot, const char *text,
                    struct sealed_visit *ret)
{
	unsigned char plain[PLAIN], bytes[SEALED];

	if (base64url_decode(bytes, sizeof bytes, text, strlen(text)) != (int)sizeof bytes ||
	    crypt(0, key, bytes, chatbot, bytes + NONCE, plain, bytes + NONCE + PLAIN) < 0)
		return -1;
	uuid_text(ret->owner, plain);
	uuid_text(ret->session, plain + UUID_BYTES);
	memcpy(&ret->expires, plain + 2 * UUID_BYTES, 8);
	memcpy(ret->origin, plain + 2 * UUID_BYTES + 8, 16);
	return 0;
}
