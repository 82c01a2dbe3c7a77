/*
 * id: identifiers and other random values. UUIDs are version 7 (RFC 9562), so that they sort by time of making.
 */
#ifndef PARLEY_ID_H
#define PARLEY_ID_H

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT = 37 }; /* with the NUL */

void uuid_make(char text[UUID_TEXT]);
int uuid_valid(const char *text); /* 8-4-4-4-12 hexadecimal digits of either case */

/* Bytes from the system's generator; it cannot fail on a machine that has booted. */
void random_bytes(void *bytes, size_t size);

/* base64url without padding; room for 4 * ((size + 2) / 3) + 1. Returns the length. */
size_t base64url_encode(char *text, const void *bytes, size_t size);
/* Returns the number of bytes, or -1 when text is not base64url or does not fit. */
int base64url_decode(void *bytes, size_t room, const char *text, size_t length);

void hex_encode(char *text, const void *bytes, size_t size); /* room for 2 * size + 1 */

/* SHA-256 of a string, in hexadecimal: how bearer values are stored. */
void sha256_hex(char text[65], const void *bytes, size_t size);
/* The same of what comes piece by piece; sha256_end() frees it. */
struct sha256;
struct sha256 *sha256_begin(void);
void sha256_add(struct sha256 *s, const void *bytes, size_t size);
void sha256_end(struct sha256 *s, char text[65]);

#endif
