/*
 * keyring: keys that rotate (storage, tokens): they live encrypted in schema auth and come by rpc.
 *
 * A ring of AES-256-GCM keys: the newest seals, all open. Sealed text is "id.base64url(nonce, ciphertext, tag)";
 * `context` (say "mcp.token/<owner>") is authenticated with it, so that a value cannot be moved to another row.
 */
#ifndef PARLEY_KEYRING_H
#define PARLEY_KEYRING_H

#include "common/secret/secret.h"

struct keyring_key {
	char id[24];
	unsigned char bytes[KEY_SIZE];
};
struct keyring {
	struct keyring_key keys[16]; /* newest first */
	int count;
};

/* One that came by rpc, behind those that are there. 0, or -1 (ERROR_INTERNAL): it cannot be a key, or the ring is full. */
int keyring_add(struct keyring *ring, const char *id, const void *bytes, size_t size,
                struct error *err) CHECKED;

char *keyring_seal(const struct keyring *ring, const char *context, const void *plain, size_t size,
                   struct arena *a);
/* 0 with the plain bytes in the arena (NUL-terminated), or -1 with ERROR_INTERNAL. */
int keyring_open(const struct keyring *ring, const char *context, const char *sealed, char **ret,
                 size_t *size, struct arena *a, struct error *err) CHECKED;

#endif
