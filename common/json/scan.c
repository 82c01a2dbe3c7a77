#include "common/json/scan.h"

#include <string.h>

#include "common/json/json.h"

/* An empty object costs two bytes to send and 700 to keep: so their number is bounded, and with it the memory. */
enum { MAX_CONTAINERS = 20000, MAX_NUMBER = 128 };

static bool scan_value(struct scan *s, int depth);

static bool wrong(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static int next(const struct scan *s)
{
	return s->at < s->end ? *s->at : -1;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

static bool take(struct scan *s, int c)
{
	if (next(s) != c)
		return false;
	s->at++;
	return true;
}

/* The four digits of \uXXXX, or -1. */
static int scan_hex4(struct scan *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int c = next(s);
		int digit = c >= '0' && c <= '9'                 ? c - '0'
		            : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
		                                                 : -1;

		if (c < 0 || digit < 0)
			return -1;
		value = value << 4 | digit;
		s->at++;
	}
	return value;
}

static bool scan_escape(struct scan *s)
{
	int c = next(s), low;

	if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == '\0')
		return wrong(s, "an unknown escape");
	s->at++;
	if (c != 'u')
		return true;
	c = scan_hex4(s);
	if (c < 0)
		return wrong(s, "\\u needs four hexadecimal digits");
	if (c == 0)
		return wrong(s, "U+0000 is not allowed");
	if (c >= 0xdc00 && c <= 0xdfff)
		return wrong(s, "half a surrogate pair");
	if (c < 0xd800 || c > 0xdbff)
		return true;
	low = take(s, '\\') && take(s, 'u') ? scan_hex4(s) : -1;
	return (low >= 0xdc00 && low <= 0xdfff) || wrong(s, "half a surrogate pair");
}

static bool scan_string(struct scan *s)
{
	s->at++;
	while (s->at < s->end) {
		unsigned char c = *s->at;
		int length;

		if (c == '"') {
			s->at++;
			return true;
		}
		if (c < 0x20)
			return wrong(s, "a control character inside a string");
		if (c == '\\') {
			s->at++;
			if (!scan_escape(s))
				return false;
			continue;
		}
		length = utf8_sequence(s->at, s->end);
		if (!length)
			return wrong(s, "not UTF-8");
		s->at += length;
	}
	return wrong(s, "a string has no end");
}

static bool scan_digits(struct scan *s)
{
	const unsigned char *from = s->at;

	while (next(s) >= '0' && next(s) <= '9')
		s->at++;
	return s->at > from;
}

/* Does a whole number of so many digits fit 64 bits with a sign? */
static bool fits(const unsigned char *digits, size_t count, bool negative)
{
	const char *most = negative ? "9223372036854775808" : "9223372036854775807";

	return count < 19 || (count == 19 && memcmp(digits, most, 19) <= 0);
}

static bool scan_number(struct scan *s)
{
	const unsigned char *from = s->at, *digits;
	bool negative = take(s, '-'), whole = true;
	size_t count;

	digits = s->at;
	if (!scan_digits(s))
		return wrong(s, "not a value");
	count = (size_t)(s->at - digits);
	if (*digits == '0' && count > 1)
		return wrong(s, "a number with a leading zero");
	if (take(s, '.')) {
		whole = false;
		if (!scan_digits(s))
			return wrong(s, "a number without digits after its point");
	}
	if (take(s, 'e') || take(s, 'E')) {
		whole = false;
		if (!take(s, '+'))
			take(s, '-');
		if (!scan_digits(s))
			return wrong(s, "a number without digits in its exponent");
	}
	if (whole && !fits(digits, count, negative))
		return wrong(s, "a whole number beyond 64 bits");
	return s->at - from <= MAX_NUMBER || wrong(s, "a number with too many digits");
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
		return wrong(s, "not a value");
	s->at += length;
	return true;
}

static bool scan_member(struct scan *s, int depth)
{
	skip_space(s);
	if (next(s) != '"')
		return wrong(s, "a member's name in double quotes is missing");
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (!take(s, ':'))
		return wrong(s, "a colon is missing");
	return scan_value(s, depth);
}

/* An object or an array, up to its closing bracket. */
static bool scan_container(struct scan *s, int depth, char close)
{
	if (depth > JSON_MAX_DEPTH)
		return wrong(s, "nested too deeply");
	if (++s->containers > MAX_CONTAINERS)
		return wrong(s, "too many objects and arrays");
	s->at++;
	skip_space(s);
	if (take(s, close))
		return true;
	do {
		if (!(close == '}' ? scan_member(s, depth) : scan_value(s, depth)))
			return false;
		skip_space(s);
	} while (take(s, ','));
	return take(s, close) || wrong(s, "a comma or the closing bracket is missing");
}

static bool scan_value(struct scan *s, int depth)
{
	skip_space(s);
	switch (next(s)) {
	case '{': return scan_container(s, depth + 1, '}');
	case '[': return scan_container(s, depth + 1, ']');
	case '"': return scan_string(s);
	case 't': return scan_word(s, "true");
	case 'f': return scan_word(s, "false");
	case 'n': return scan_word(s, "null");
	case -1: return wrong(s, "it ends too early");
	default: return scan_number(s);
	}
}

bool json_scan(struct scan *s, const char *bytes, size_t length)
{
	const unsigned char *start = (const unsigned char *)bytes;

	*s = (struct scan){ .start = start, .at = start, .end = start + length };
	if (!scan_value(s, 0))
		return false;
	skip_space(s);
	return s->at == s->end || wrong(s, "something follows the value");
}
