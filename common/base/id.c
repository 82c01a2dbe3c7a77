#include "common/base/id.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void random_bytes(void *bytes, size_t size)
{
	unsigned char *at = bytes;

	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno != EINTR)
			abort(); /* a kernel without getrandom is none that we run on */
		if (got > 0) {
			at += got;
			size -= (size_t)got;
		}
	}
}

enum { STAMPS = 4096 /* in a millisecond */ };

/* What a thread makes one after the other is sorted so, also within a quarter of a microsecond (which is time for two,
 * where randomness costs no system call), and while the clock is set back a little. */
static uint64_t in_order(uint64_t stamp)
{
	static _Thread_local uint64_t last;

	if (stamp <= last && last - stamp < (uint64_t)1000 * STAMPS)
		stamp = last + 1;
	last = stamp;
	return stamp;
}

/* RFC 9562, section 5.7: 48 bits of milliseconds, 12 bits of their fraction (section 6.2, method 3), 62 at random. */
void uuid_make(char text[UUID_TEXT])
{
	unsigned char bytes[16];
	char hex[33], *at = text;
	struct timespec now;
	uint64_t stamp;

	random_bytes(bytes + 8, 8);
	clock_gettime(CLOCK_REALTIME, &now);
	stamp = ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) * STAMPS;
	stamp = in_order(stamp + (uint64_t)now.tv_nsec % 1000000 * STAMPS / 1000000);
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(stamp / STAMPS >> (40 - 8 * i));
	bytes[6] = (unsigned char)(0x70 | (stamp % STAMPS) >> 8);
	bytes[7] = (unsigned char)stamp;
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
	hex_encode(hex, bytes, sizeof bytes);
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*at++ = '-';
		*at++ = hex[i];
	}
	*at = '\0';
}

static int is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int uuid_valid(const char *text)
{
	if (!text)
		return 0;
	for (int i = 0; i < UUID_TEXT - 1; i++) {
		int dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : !is_hex(text[i]))
			return 0; /* the NUL of a short text lands here too */
	}
	return text[UUID_TEXT - 1] == '\0';
}

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_encode(char *text, const void *bytes, size_t size)
{
	const unsigned char *in = bytes;
	char *at = text;
	uint32_t bits = 0;
	int held = 0;

	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | in[i];
		for (held += 8; held >= 6; held -= 6)
			*at++ = digits64[bits >> (held - 6) & 63];
	}
	if (held)
		*at++ = digits64[bits << (6 - held) & 63];
	*at = '\0';
	return (size_t)(at - text);
}

static int value64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int base64url_decode(void *bytes, size_t room, const char *text, size_t length)
{
	unsigned char *out = bytes;
	uint32_t bits = 0;
	size_t size = 0;
	int held = 0;

	if (length % 4 == 1 || length / 4 * 3 + (length % 4 ? length % 4 - 1 : 0) > room || room > INT32_MAX)
		return -1;
	for (size_t i = 0; i < length; i++) {
		int value = value64(text[i]);
		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[size++] = (unsigned char)(bits >> held);
		}
	}
	if (bits & ((1u << held) - 1))
		return -1; /* two spellings of the same bytes would be one too many */
	return (int)size;
}

void hex_encode(char *text, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = bytes;

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[in[i] >> 4];
		text[2 * i + 1] = digits[in[i] & 15];
	}
	text[2 * size] = '\0';
}

void sha256_hex(char text[65], const void *bytes, size_t size)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256(bytes, size, digest);
	hex_encode(text, digest, sizeof digest);
}

struct sha256 *sha256_begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		abort();
	return (struct sha256 *)ctx;
}

void sha256_add(struct sha256 *s, const void *bytes, size_t size)
{
	if (EVP_DigestUpdate((EVP_MD_CTX *)s, bytes, size) != 1)
		abort();
}

void sha256_end(struct sha256 *s, char text[65])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (EVP_DigestFinal_ex((EVP_MD_CTX *)s, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free((EVP_MD_CTX *)s);
	hex_encode(text, digest, sizeof digest);
}
