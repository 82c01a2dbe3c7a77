#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/utf8.h"

int utf8_sequence(const unsigned char *p, const unsigned char *end)
{
	unsigned char least = 0x80, most = 0xbf; /* of the second byte */
	int length;

	if (*p < 0x80)
		return 1;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	length = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	if (*p == 0xe0)
		least = 0xa0;
	else if (*p == 0xed)
		most = 0x9f;
	else if (*p == 0xf0)
		least = 0x90;
	else if (*p == 0xf4)
		most = 0x8f;
	if (end - p < length || p[1] < least || p[1] > most)
		return 0;
	for (int i = 2; i < length; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return length;
}

/* Eight bytes at once: none is zero and none has its top bit. */
static bool all_plain(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return !((word | (word - 0x0101010101010101u)) & 0x8080808080808080u);
}

int utf8_valid(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

	while (at < end) {
		int step;

		if (end - at >= 8 && all_plain((const char *)at)) {
			at += 8;
			continue;
		}
		step = *at ? utf8_sequence(at, end) : 0;
		if (!step)
			return 0;
		at += step;
	}
	return 1;
}

/* How many of eight bytes go on with a character: 10xxxxxx. */
static size_t count_following(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	word = (word >> 7) & (~word >> 6) & 0x0101010101010101u;
	return (size_t)(word * 0x0101010101010101u >> 56);
}

size_t utf8_length(const char *bytes, size_t length)
{
	size_t count = length, i = 0;

	for (; length - i >= 8; i += 8)
		count -= count_following(bytes + i);
	for (; i < length; i++)
		count -= ((unsigned char)bytes[i] & 0xc0) == 0x80;
	return count;
}

size_t utf8_clip(const char *bytes, size_t length, size_t room)
{
	if (length <= room)
		return length;
	while (room && ((unsigned char)bytes[room] & 0xc0) == 0x80)
		room--;
	return room;
}

const char *utf8_skip(const char *s, const char *end, size_t n)
{
	for (; n > 0 && s < end; n--)
		utf8_next(&s);
	return s;
}
