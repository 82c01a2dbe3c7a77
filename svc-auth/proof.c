#include "svc-auth/proof.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/id.h"

/* The purpose, with its NUL, keeps the four uses of the key apart. */
static void mac(const unsigned char key[KEY_SIZE], const char *purpose, const char *a, const char *b,
                unsigned char out[MAC_SIZE])
{
	unsigned char inner[KEY_SIZE];

	mac_sha256(key, purpose, strlen(purpose) + 1, a, strlen(a), inner);
	if (b)
		mac_sha256(inner, b, strlen(b), NULL, 0, out);
	else
		memcpy(out, inner, MAC_SIZE);
}

void proof_code(const unsigned char key[KEY_SIZE], const char *job_id, char code[PROOF_CODE])
{
	unsigned char bytes[MAC_SIZE];
	uint64_t number = 0;

	mac(key, "code", job_id, NULL, bytes);
	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	snprintf(code, PROOF_CODE, "%06u", (unsigned)(number % 1000000)); /* of 2^64: no digit is likelier */
}

void proof_link(const unsigned char key[KEY_SIZE], const char *job_id, char link[PROOF_LINK])
{
	unsigned char bytes[MAC_SIZE];

	mac(key, "link", job_id, NULL, bytes);
	base64url_encode(link, bytes, sizeof bytes);
}

void proof_code_hash(const unsigned char key[KEY_SIZE], const char *owner_id, const char *code,
                     char hash[PROOF_HASH])
{
	unsigned char bytes[MAC_SIZE];

	mac(key, "code hash", owner_id, code, bytes);
	hex_encode(hash, bytes, sizeof bytes);
}

void proof_link_hash(const unsigned char key[KEY_SIZE], const char *link, char hash[PROOF_HASH])
{
	unsigned char bytes[MAC_SIZE];

	mac(key, "link hash", link, NULL, bytes);
	hex_encode(hash, bytes, sizeof bytes);
}
