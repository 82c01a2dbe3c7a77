/*
 * Bearer tokens from anybody. As they came none may be taken; then "header LF payload" is signed with our own key, so
 * that what reads the claims is reached too: what it takes must be in time and whole.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/secret/token.h"

enum { NOW = 1750000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *sign(const unsigned char key[KEY_SIZE], const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);
	size_t header = end ? (size_t)(end - text) : 0;
	char *token = malloc(2 * size + 128), *at = token;
	unsigned char mac[MAC_SIZE];

	at += base64url_encode(at, text, header);
	*at++ = '.';
	at += base64url_encode(at, end ? end + 1 : text, end ? size - header - 1 : size);
	mac_sha256(key, token, (size_t)(at - token), NULL, 0, mac);
	*at++ = '.';
	base64url_encode(at, mac, sizeof mac);
	return token;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyring ring = { .keys = { { "k2", { 2 } }, { "k1", { 1 } } }, .count = 2 };
	struct token_claims claims;
	struct error err = { 0 };
	char *text = malloc(size + 1), *token;

	memcpy(text, data, size);
	text[size] = '\0';
	if (token_verify(&ring, text, NOW, NULL, &claims, &err) == 0 || err.code != ERROR_UNAUTHENTICATED)
		abort(); /* a MAC guessed right */
	token = sign(ring.keys[1].bytes, text, size);
	error_clear(&err);
	if (token_verify(&ring, token, NOW, NULL, &claims, &err) == 0) {
		if (claims.expires <= NOW || !uuid_valid(claims.user_id) || !uuid_valid(claims.session_id))
			abort();
	} else if (err.code != ERROR_UNAUTHENTICATED) {
		abort();
	}
	free(token);
	free(text);
	return 0;
}
