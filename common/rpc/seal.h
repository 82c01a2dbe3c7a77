/*
 * seal: bytes that nobody on the way can read, change or make up: AES-256-GCM. In place; the tag follows the bytes.
 *
 * A nonce must never be used twice with one key. Each thread keeps its ciphers, and a cipher its last key, so a message
 * of 1 KB costs half a microsecond.
 */
#ifndef PARLEY_SEAL_H
#define PARLEY_SEAL_H

#include <stddef.h>

#include "common/base/error.h"
#include "common/secret/secret.h"

enum { SEAL_NONCE = 12, SEAL_TAG = 16 };

/* bytes has room for SEAL_TAG more than size. aad: what is not hidden and must not change either. */
void seal(const unsigned char key[KEY_SIZE], const unsigned char nonce[SEAL_NONCE], const void *aad,
          size_t aad_size, unsigned char *bytes, size_t size);

/* size: with the tag. 0, or -1: these are not the bytes that were sealed; they are worthless then. */
int unseal(const unsigned char key[KEY_SIZE], const unsigned char nonce[SEAL_NONCE], const void *aad,
           size_t aad_size, unsigned char *bytes, size_t size) CHECKED;

#endif
