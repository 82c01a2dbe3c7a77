#include "common/json/format.h"

#include <string.h>

#include "common/base/utf8.h"
#include <strings.h>

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5321's dot-string: atoms with single dots between them. */
static bool local_part(const char *text, size_t length)
{
	if (!length || length > 64 || text[0] == '.' || text[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && text[i + 1] == '.')
			return false;
		if (!is_alnum(text[i]) && (!text[i] || !strchr(".!#$%&'*+-/=?^_`{|}~", text[i])))
			return false;
	}
	return true;
}

/* Labels of letters, digits and inner hyphens; the last one is no number. */
static bool domain(const char *text, size_t length)
{
	size_t start = 0, labels = 0;

	for (size_t i = 0; i <= length; i++) {
		if (i < length && text[i] != '.') {
			if (!is_alnum(text[i]) && text[i] != '-')
				return false;
			continue;
		}
		if (i == start || i - start > 63 || text[start] == '-' || text[i - 1] == '-')
			return false;
		labels++;
		if (i == length && text[start] >= '0' && text[start] <= '9')
			return false;
		start = i + 1;
	}
	return labels >= 2;
}

bool format_email(const char *text, size_t length)
{
	const char *at = memchr(text, '@', length);
	size_t before = at ? (size_t)(at - text) : 0;

	return at && length <= 254 && local_part(text, before) && domain(at + 1, length - before - 1);
}

/* ":8080", or nothing. */
static bool port(const char *text, size_t length)
{
	int number = 0;

	if (!length)
		return true;
	if (text[0] != ':' || length > 6)
		return false;
	for (size_t i = 1; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + text[i] - '0';
	}
	return length == 1 || (number > 0 && number < 65536);
}

/* A name (its letters may be of any script: libcurl knows IDNA), an IPv4 address or an IPv6 one in brackets. */
static bool authority(const char *text, size_t length)
{
	size_t host = 0;

	if (length && text[0] == '[') {
		const char *close = memchr(text, ']', length);

		host = close ? (size_t)(close - text) + 1 : 0;
		if (host < 4 || strspn(text + 1, "0123456789abcdefABCDEF:.") != host - 2)
			return false;
	} else {
		while (host < length && text[host] != ':') {
			char c = text[host++];

			if (!is_alnum(c) && c != '-' && c != '.' && c != '_' && !(c & 0x80))
				return false;
		}
		if (!host || host > 253 || text[0] == '.')
			return false;
	}
	return port(text + host, length - host);
}

bool format_url(const char *text, size_t length)
{
	size_t scheme, end;

	if (length > 8000)
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || strchr("\\<>\"", text[i]))
			return false;
	}
	scheme = length > 8 && !strncasecmp(text, "https://", 8)  ? 8
	         : length > 7 && !strncasecmp(text, "http://", 7) ? 7
	                                                          : 0;
	end = scheme;
	while (end < length && !strchr("/?#", text[end]))
		end++;
	return scheme && authority(text + scheme, end - scheme);
}

/* Reads exactly `count` digits, or -1. */
static int digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

static bool date(const char *text)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (text[4] != '-' || text[7] != '-' || year < 1 || month < 1 || month > 12)
		return false;
	return day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

static bool clock_time(const char *text)
{
	int hour = digits(text, 2), minute = digits(text + 3, 2), second = digits(text + 6, 2);

	return text[2] == ':' && text[5] == ':' && hour >= 0 && hour < 24 && minute >= 0 && minute < 60 &&
	       second >= 0 && second <= 60; /* 60: a leap second */
}

/* "Z" or "+02:00"; PostgreSQL takes up to 15:59. */
static bool zone(const char *text, size_t length)
{
	if (length == 1)
		return *text == 'Z' || *text == 'z';
	if (length != 6 || (*text != '+' && *text != '-') || text[3] != ':')
		return false;
	return digits(text + 1, 2) >= 0 && digits(text + 1, 2) <= 15 && digits(text + 4, 2) >= 0 &&
	       digits(text + 4, 2) < 60;
}

bool format_time(const char *text, size_t length)
{
	size_t at = 19;

	if (length < 20 || length > 40 || !date(text) ||
	    (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || !clock_time(text + 11))
		return false;
	if (text[at] == '.') {
		do
			at++;
		while (at < length && text[at] >= '0' && text[at] <= '9');
		if (at == 20)
			return false;
	}
	return zone(text + at, length - at);
}

bool format_word(const char *words, const char *text, size_t length)
{
	for (;;) {
		size_t word = strcspn(words, "|");

		if (word == length && !memcmp(words, text, length))
			return true;
		if (!words[word])
			return false;
		words += word + 1;
	}
}

bool format_cursor(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!is_alnum(text[i]) && (!text[i] || !strchr(".-_", text[i])))
			return false;
	}
	return length > 0 && length <= 200;
}

/* Bytes of the white space at the front, or 0. Unicode's White_Space, and two that are as invisible. */
static size_t space_at(const char *text, size_t length)
{
	static const char *const spaces[] = { "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
		                              "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		                              "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf" };

	if (!length)
		return 0;
	if (strchr(" \t\n\v\f\r", *text) && *text)
		return 1;
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		size_t n = strlen(spaces[i]);

		if (length >= n && !memcmp(text, spaces[i], n))
			return n;
	}
	if (length >= 3 && !memcmp(text, "\xe2\x80", 2) && (unsigned char)text[2] >= 0x80 &&
	    (unsigned char)text[2] <= 0x8b) /* U+2000 .. U+200B */
		return 3;
	return 0;
}

void format_trim(const char **text, size_t *length)
{
	size_t n;

	while ((n = space_at(*text, *length)) > 0) {
		*text += n;
		*length -= n;
	}
	for (bool more = true; more;) {
		more = false;
		for (size_t size = 1; size <= 3 && size <= *length && !more; size++) {
			if (space_at(*text + *length - size, size) == size) {
				*length -= size;
				more = true;
			}
		}
	}
}

/* Default_Ignorable_Code_Point as far as it is assigned, and the two blanks that are letters to Unicode. */
static bool is_invisible(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0xad, 0xad },     { 0x34f, 0x34f },   { 0x61c, 0x61c },     { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },   { 0x202a, 0x202e },
		{ 0x2060, 0x206f }, { 0x2800, 0x2800 }, { 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0x1bca0, 0x1bca3 }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool format_blank(const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		size_t space = space_at(text, (size_t)(end - text));

		if (space)
			text += space;
		else if (!is_invisible(utf8_next(&text)))
			return false;
	}
	return true;
}
