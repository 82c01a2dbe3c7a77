#include "svc-chat/model/repair.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

enum { DIGITS_MAX = 18 };

/* One character at `at`, whatever it is; returns its bytes. */
static size_t take_character(const char *at, const char *end, struct text *ret)
{
	int n = utf8_sequence((const unsigned char *)at, (const unsigned char *)end);

	if (n == 0 || *at == '\0') {
		text_adds(ret, REPLACEMENT);
		return 1;
	}
	text_add(ret, at, (size_t)n);
	return (size_t)n;
}

/* The number in "\uXXXX"; -1: there is none. */
static long escape_at(const char *at, const char *end)
{
	long value = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		unsigned char c = (unsigned char)at[i];

		if (!isxdigit(c))
			return -1;
		value = value * 16 + (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return value;
}

/* A backslash and what it escapes, or does not: TeX's stays, a quote's goes. Returns the bytes. */
static size_t take_escape(const char *at, const char *end, struct text *ret)
{
	long value = escape_at(at, end), next = escape_at(at + 6 < end ? at + 6 : end, end);
	size_t size = value >= 0 ? 6 : end - at > 1 ? 2 : 1;

	if (value >= 0xd800 && value < 0xdc00 && next >= 0xdc00 && next < 0xe000)
		size = 12;
	else if (value == 0 || (value >= 0xd800 && value < 0xe000)) {
		text_adds(ret, "\\ufffd");
		return size;
	}
	if (size == 2 && at[1] == '\'')
		text_addc(ret, '\'');
	else if (size < 6 && !(size == 2 && at[1] && strchr("\"\\/bfnrt", at[1]))) {
		text_adds(ret, "\\\\");
		size = 1;
	} else
		text_add(ret, at, size);
	return size;
}

/* A comma that nothing follows, outside of strings. */
static bool is_last_comma(const char *at, const char *end)
{
	if (*at++ != ',')
		return false;
	while (at < end && isspace((unsigned char)*at))
		at++;
	return at < end && (*at == '}' || *at == ']');
}

/* NaN and its kin, outside of strings; 0: none is there. */
static size_t take_no_number(const char *at, const char *end, struct text *ret)
{
	static const char *const words[] = { "NaN", "-Infinity", "Infinity", "-NaN" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - at) >= n && memcmp(at, words[i], n) == 0) {
			text_adds(ret, "null");
			return n;
		}
	}
	return 0;
}

/* A number of so many digits that it is none, outside of strings; nothing that we read is one. 0: none is there. */
static size_t take_long_number(const char *at, const char *end, struct text *ret)
{
	size_t n = 0;

	while (at + n < end && isdigit((unsigned char)at[n]))
		n++;
	if (n <= DIGITS_MAX)
		return 0;
	text_addc(ret, '0');
	return n;
}

void repair_json(const char *bytes, size_t size, struct text *ret)
{
	bool quoted = false;

	for (const char *at = bytes, *end = bytes + size; at < end;) {
		size_t n = quoted ? 0 : take_no_number(at, end, ret);

		if (!n && !quoted)
			n = take_long_number(at, end, ret);
		if (!n && !quoted && is_last_comma(at, end))
			n = 1;
		if (n)
			at += n;
		else if (quoted && *at == '\\')
			at += take_escape(at, end, ret);
		else if (quoted && *at > 0 && *at < ' ')
			text_addf(ret, "\\u%04x", *at++);
		else {
			quoted ^= *at == '"';
			at += take_character(at, end, ret);
		}
	}
}
