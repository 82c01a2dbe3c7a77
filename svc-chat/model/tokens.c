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

/* Of the next character, which is left behind. Most are ASCII, and prompts are counted whole: that way is short. */
static int next_quarters(const char **text)
{
	unsigned char first = (unsigned char)**text;
	uint32_t c;

	if (first < 0x80) {
		(*text)++;
		return (unsigned)(first | 0x20) - 'a' < 26 || first == ' ' ? 1 : 2;
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
