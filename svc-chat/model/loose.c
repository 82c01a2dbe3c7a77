#include "svc-chat/model/loose.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, NUMBER_MAX = 40 };

static const char *const quotes[] = { "\"", "'", "<|\"|>", "<escape>", NULL };

const char *loose_skip(const char *at, const char *end)
{
	while (at < end && *at && strchr(" \t\r\n", *at))
		at++;
	return at;
}

static bool starts(const char *at, const char *end, const char *with)
{
	size_t size = strlen(with);

	return (size_t)(end - at) >= size && memcmp(at, with, size) == 0;
}

/* --- Texts ---------------------------------------------------------------------------------------------------------- */

static const char *opening_quote(const char *at, const char *end)
{
	for (const char *const *quote = quotes; *quote; quote++)
		if (starts(at, end, *quote))
			return *quote;
	return NULL;
}

/* What stands behind a backslash: JSON's escapes stay, Python's others are the sign itself. */
static void add_escape(char c, struct text *ret)
{
	if (strchr("\"\\/bfnrtu", c) && c)
		text_addf(ret, "\\%c", c);
	else if (c == '\n')
		return; /* the line goes on */
	else
		text_addc(ret, c);
}

static void add_sign(char c, struct text *ret)
{
	if (c == '"')
		text_adds(ret, "\\\"");
	else if ((unsigned char)c < 0x20)
		text_addf(ret, "\\u%04x", c);
	else
		text_addc(ret, c);
}

static bool read_text(const char **at, const char *end, const char *quote, struct text *ret)
{
	const char *p = *at + strlen(quote);
	bool marked = quote[1] != '\0'; /* nothing is escaped there */

	text_addc(ret, '"');
	for (; p < end && !starts(p, end, quote); p++)
		if (*p != '\\')
			add_sign(*p, ret);
		else if (marked)
			text_adds(ret, "\\\\");
		else if (++p < end)
			add_escape(*p, ret);
	if (p >= end)
		return false;
	text_addc(ret, '"');
	*at = p + strlen(quote);
	return true;
}

static bool is_number(const char *word, size_t size)
{
	char copy[NUMBER_MAX], *stop;

	if (!size || size >= sizeof copy || strspn(word, "+-0123456789.eE") < size || word[0] == '+')
		return false;
	memcpy(copy, word, size);
	copy[size] = '\0';
	strtod(copy, &stop);
	return !*stop && isdigit((unsigned char)copy[size - 1]) &&
	       isdigit((unsigned char)copy[copy[0] == '-']);
}

/* A number, a constant, or a text without quotes, up to what ends a value. */
static bool read_word(const char **at, const char *end, struct text *ret)
{
	static const char *const constants[][2] = { { "true", "true" },   { "True", "true" },
		                                    { "false", "false" }, { "False", "false" },
		                                    { "null", "null" },   { "None", "null" } };
	const char *p = *at;
	size_t size;

	while (p < end && *p && !strchr(",]})\r\n", *p))
		p++;
	size = (size_t)(p - *at);
	while (size && strchr(" \t", (*at)[size - 1]))
		size--;
	if (!size)
		return false;
	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
		if (strlen(constants[i][0]) == size && memcmp(*at, constants[i][0], size) == 0) {
			text_adds(ret, constants[i][1]);
			*at = p;
			return true;
		}
	if (is_number(*at, size))
		text_add(ret, *at, size);
	else
		text_add_json(ret, *at, size);
	*at = p;
	return true;
}

/* --- Lists and objects ------------------------------------------------------------------------------------------------ */

static bool read_value(const char **at, const char *end, int depth, struct text *ret);

/* A name, in quotes or without, and the sign behind it. */
static bool read_key(const char **at, const char *end, struct text *ret)
{
	const char *quote = opening_quote(*at, end), *from = *at;

	if (quote && !read_text(at, end, quote, ret))
		return false;
	if (!quote) {
		while (*at < end && (isalnum((unsigned char)**at) || strchr("_-.$", **at)) && **at)
			++*at;
		if (*at == from)
			return false;
		text_add_json(ret, from, (size_t)(*at - from));
	}
	*at = loose_skip(*at, end);
	if (*at >= end || (**at != ':' && **at != '='))
		return false;
	++*at;
	text_addc(ret, ':');
	return true;
}

/* What stands between brackets, which end with `close`. */
static bool read_items(const char **at, const char *end, bool keys, char close, int depth, struct text *ret)
{
	bool first = true;

	for (;; first = false) {
		*at = loose_skip(*at, end);
		if (!first && *at < end && **at == ',')
			*at = loose_skip(*at + 1, end);
		else if (!first && *at < end && **at != close)
			return false;
		if (*at >= end)
			return false;
		if (**at == close)
			break;
		text_adds(ret, first ? "" : ",");
		if ((keys && !read_key(at, end, ret)) || !read_value(at, end, depth, ret))
			return false;
	}
	++*at;
	return true;
}

static bool read_value(const char **at, const char *end, int depth, struct text *ret)
{
	const char *quote;
	char open;
	bool read;

	*at = loose_skip(*at, end);
	if (*at >= end || depth > DEPTH_MAX)
		return false;
	open = **at;
	quote = opening_quote(*at, end);
	if (quote)
		return read_text(at, end, quote, ret);
	if (open != '{' && open != '[' && open != '(')
		return read_word(at, end, ret);
	++*at;
	text_addc(ret, open == '{' ? '{' : '[');
	read = read_items(at, end, open == '{', open == '{' ? '}' : open == '[' ? ']' : ')', depth + 1, ret);
	text_addc(ret, open == '{' ? '}' : ']');
	return read;
}

bool loose_value(const char **at, const char *end, struct text *ret)
{
	return read_value(at, end, 0, ret);
}

bool loose_arguments(const char **at, const char *end, struct text *ret)
{
	bool read;

	text_addc(ret, '{');
	read = read_items(at, end, true, ')', 1, ret);
	text_addc(ret, '}');
	return read;
}
