#include "svc-chat/model/tokens.h"

#include <string.h>

#include "common/base/utf8.h"

/* Quarters of a token for a character of these blocks; the first row that reaches it counts. */
static const struct {
	uint32_t to;
	int quarters;
} blocks[] = {
	{ 0x0590, 2 },                /* Latin with marks, Greek, Cyrillic, Armenian */
	{ 0x08ff, 2 },                /* Hebrew, Arabic, Syriac */
	{ 0x1fff, 4 },                /* the scripts of India and South-East Asia, Georgian, Ethiopic */
	{ 0x2bff, 3 },                /* punctuation, signs */
	{ 0x2e7f, 4 }, { 0xd7ff, 5 }, /* Chinese, Japanese, Korean */
	{ 0xfaff, 5 }, { 0xffff, 4 }, { 0x10ffff, 8 }, /* emoji, rare signs */
};

/* The same of ASCII, which most are, and prompts are counted whole; 0: it is none, or the end. */
static const unsigned char ascii[256] = {
	[1 ... 31] = 2,  [' '] = 1,         [33 ... 64] = 2,   ['A' ... 'Z'] = 1,
	[91 ... 96] = 2, ['a' ... 'z'] = 1, [123 ... 127] = 2,
};

/* Of the next character, which is left behind. */
static int next_quarters(const char **text)
{
	int quarters = ascii[(unsigned char)**text];
	uint32_t c;

	if (quarters) {
		(*text)++;
		return quarters;
	}
	c = utf8_next(text);
	for (size_t i = 0;; i++)
		if (c <= blocks[i].to)
			return blocks[i].quarters;
}

int64_t tokens_of(const char *text)
{
	int64_t quarters = 0;

	while (*text)
		quarters += next_quarters(&text);
	return (quarters + 3) / 4;
}

size_t tokens_clip(const char *text, int64_t most)
{
	const char *at = text, *word = text;
	int64_t quarters = 0;
	size_t surely = most > 0 ? (size_t)most * 2 : 0, size = strnlen(text, surely + 1);

	if (size <= surely) /* no byte is more than half a token */
		return size;
	while (*at) {
		const char *next = at;

		quarters += next_quarters(&next);
		if (quarters > most * 4)
			return (size_t)((word - text) * 2 > at - text ? word - text : at - text);
		if (*at == ' ' || *at == '\n')
			word = at;
		at = next;
	}
	return (size_t)(at - text);
}
