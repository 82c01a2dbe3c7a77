/* utf8: is it, how long is it, and one character at a time (decoding takes valid UTF-8 only). */
#ifndef PARLEY_UTF8_H
#define PARLEY_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The character at *p, which is moved behind it. */
static inline uint32_t utf8_next(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;

	if (s[0] < 0x80) {
		*p += 1;
		return s[0];
	}
	if (s[0] < 0xe0) {
		*p += 2;
		return (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
	}
	if (s[0] < 0xf0) {
		*p += 3;
		return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
	}
	*p += 4;
	return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 | (uint32_t)(s[2] & 0x3f) << 6 |
	       (s[3] & 0x3f);
}

/* Writes 1 to 4 bytes; returns how many. */
static inline size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The length of the UTF-8 sequence at p, before end (RFC 3629: no surrogates, nothing overlong); 0 when it is none. */
int utf8_sequence(const unsigned char *p, const unsigned char *end);
/* 1 when the bytes are UTF-8 (no surrogates, nothing overlong) without U+0000. */
int utf8_valid(const char *bytes, size_t length);
/* Characters in valid UTF-8. */
size_t utf8_length(const char *bytes, size_t length);
/* Of `length` bytes, how many make the whole characters that fit into `room` bytes. */
size_t utf8_clip(const char *bytes, size_t length, size_t room);
/* The place n characters further, at most `end`. */
const char *utf8_skip(const char *s, const char *end, size_t n);

#endif
