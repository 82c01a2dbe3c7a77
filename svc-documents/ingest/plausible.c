#include "svc-documents/ingest/plausible.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/base/utf8.h"

enum kind { BLANK, LOWER, UPPER, LETTER /* of a script without capitals */, SIGN };
enum script { NONE, LATIN, GREEK, CYRILLIC };

/* Letters whose capitals and small ones take turns: is the even one the capital? */
static bool is_upper_of_pairs(uint32_t c)
{
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || c == 0x1af || c == 0x1b0)
		return c & 1;
	return (c & 1) == 0 || c == 0x178;
}

static enum script script_of(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= 0xc0 && c < 0x250 && c != 0xd7 && c != 0xf7) || (c >= 0x1e00 && c < 0x1f00))
		return LATIN;
	if (c == 0x386 || (c >= 0x388 && c <= 0x3ce))
		return GREEK;
	return c >= 0x400 && c < 0x530 ? CYRILLIC : NONE;
}

static enum kind kind_of(uint32_t c)
{
	bool upper;

	switch (script_of(c)) {
	case LATIN:
		upper = c < 0x80 ? c <= 'Z' : c < 0x100 ? c < 0xdf : is_upper_of_pairs(c);
		return upper ? UPPER : LOWER;
	case GREEK: return c < 0x3ac && c != 0x390 ? UPPER : LOWER;
	case CYRILLIC: return c < 0x430 || (c >= 0x460 && (c & 1) == 0) ? UPPER : LOWER;
	default: break;
	}
	if (c < 0x80 || c == 0xa0)
		return BLANK;
	return (c >= 0x300 && c < 0x370) || (c >= 0x590 && c < 0x1e00) || (c >= 0x3040 && c < 0xd7b0) ? LETTER
	                                                                                              : SIGN;
}

static bool is_letter(uint32_t c)
{
	enum kind k = kind_of(c);

	return k == LOWER || k == UPPER || k == LETTER;
}

/* What may stand between two letters: apostrophes, hyphens, a dot in the middle, a soft hyphen. */
static bool joins(uint32_t c)
{
	return c == 0x2019 || c == 0xb7 || c == 0xad || (c >= 0x2010 && c <= 0x2014);
}

/* Accents alone, and others that touch no letter. */
static bool stands_alone(uint32_t c)
{
	static const uint16_t signs[] = { 0xa6, 0xa8, 0xac, 0xaf, 0xb4, 0xb8, 0x192, 0x2030, 0 };

	for (const uint16_t *s = signs; *s; s++)
		if (*s == c)
			return true;
	return (c >= 0x2c6 && c <= 0x2dd) || (c >= 0x2500 && c < 0x25a0);
}

static bool is_odd_sign(uint32_t before, uint32_t c, uint32_t after)
{
	bool left = is_letter(before), right = is_letter(after);

	if (c == 0xfffd || (c >= 0x80 && c < 0xa0) || c == 0xa4)
		return true;
	if (c == 0x2013 || c == 0x2014)
		return left != right;
	if (c == 0xb2 || c == 0xb3 || c == 0xb9) /* m² */
		return before <= ' ' || before == 0xa0 || right;
	if (c == 0x2019) /* it closes, or is an apostrophe */
		return before <= ' ' && !right;
	if (stands_alone(c))
		return left || right;
	return left && right && !joins(c);
}

static bool is_odd(uint32_t before, uint32_t c, uint32_t after)
{
	enum script s = script_of(c), t = script_of(before);

	if (c >= 0x80 && kind_of(c) == SIGN)
		return is_odd_sign(before, c, after);
	if (c < 0x80 && before < 0x80)
		return false;
	if (s != NONE && t != NONE && s != t)
		return true;
	if (c >= 0x80 && c == before && c == after)
		return true;
	return kind_of(c) == UPPER && kind_of(before) == LOWER;
}

size_t plausible_odd(const char *text, size_t size)
{
	const char *s = text, *end = text + size;
	uint32_t before = ' ', c = ' ', after;
	size_t odd = 0;

	while (s < end && end - s >= 4) {
		after = utf8_next(&s);
		odd += is_odd(before, c, after);
		before = c;
		c = after;
	}
	return odd;
}
