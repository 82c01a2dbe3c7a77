/*
 * secret: keys and what is done with them. One PARLEY_SECRET (a file, or "env:" and the value) is all that the
 * processes of one installation share; every key that they need at once is derived from it (HKDF-SHA256, by purpose).
 * Storage and token keys rotate: common/secret/keyring.h.
 */
#ifndef PARLEY_SECRET_H
#define PARLEY_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum { KEY_SIZE = 32, MAC_SIZE = 32 };

struct secret {
	unsigned char master[KEY_SIZE];
};

/* Reads the file; makes it (mode 0600) with fresh bytes when make is set and it is not there. One that other users may read
 * or write is refused, unless it lies on a file system that is mounted read-only. */
int secret_load(struct secret *ret, const char *path, int make, struct error *err) CHECKED;
void secret_derive(const struct secret *s, const char *purpose, unsigned char key[KEY_SIZE]);
void secret_forget(struct secret *s);

/* HKDF-SHA256 (RFC 5869): a key from a key. Salt and info are bytes of any kind. */
void key_derive(const unsigned char key[KEY_SIZE], const void *salt, size_t salt_size, const void *info,
                size_t info_size, unsigned char out[KEY_SIZE]);

/* The password of a database role, hexadecimal: svc-auth --init sets it. */
void secret_role_password(const struct secret *s, const char *role, char text[2 * KEY_SIZE + 1]);
/* Leaves it where libpq looks when a server asks and the URL has none: PGPASSWORD, unless that is set. At the start only. */
void secret_offer_role_password(const struct secret *s, const char *role);

/* HMAC-SHA256 over up to two parts (second may be NULL). Fast: one EVP_MAC context a thread. */
void mac_sha256(const unsigned char key[KEY_SIZE], const void *a, size_t a_size, const void *b, size_t b_size,
                unsigned char mac[MAC_SIZE]);
/* The same under a key of any size but none, as others' protocols have it. */
void mac_sha256_by(const void *key, size_t key_size, const void *a, size_t a_size, const void *b,
                   size_t b_size, unsigned char mac[MAC_SIZE]);
int mac_equal(const void *a, const void *b, size_t size); /* in constant time */

#endif
