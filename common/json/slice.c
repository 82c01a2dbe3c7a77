#include "common/json/slice.h"

#include <string.h>

#include "common/json/json.h"

struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void drop(struct slice *s, size_t n)
{
	s->at += n;
	s->size -= n;
}

/* Blanks, and the signs that stand between values. */
static void skip(struct slice *s)
{
	while (s->size && memchr(" \n\r\t,:", *s->at, 6))
		drop(s, 1);
}

/* Of the string that begins here, with its quotes: up to the first quote that no odd number of backslashes stands before. */
static size_t string_size(const struct slice *s)
{
	const char *end = s->at + s->size, *quote = s->at;

	while ((quote = memchr(quote + 1, '"', (size_t)(end - quote - 1))) != NULL) {
		const char *before = quote;

		while (before[-1] == '\\')
			before--;
		if ((quote - before) % 2 == 0)
			return (size_t)(quote - s->at) + 1;
	}
	return s->size;
}

/* Of the array or object that begins here. */
static size_t container_size(const struct slice *s)
{
	struct slice rest = *s;
	int depth = 0;

	do {
		char c = *rest.at;

		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		drop(&rest, c == '"' ? string_size(&rest) : 1);
	} while (depth && rest.size);
	return s->size - rest.size;
}

static size_t word_size(const struct slice *s)
{
	size_t n = 0;

	while (n < s->size && !memchr(" \n\r\t,]}", s->at[n], 7))
		n++;
	return n;
}

static struct slice inside(struct slice s, char bracket)
{
	while (s.size && memchr(" \n\r\t", *s.at, 4))
		drop(&s, 1);
	if (s.size && *s.at == bracket)
		drop(&s, 1);
	else
		s.size = 0;
	return s;
}

struct slice slice_array(struct slice value)
{
	return inside(value, '[');
}

struct slice slice_object(struct slice value)
{
	return inside(value, '{');
}

bool slice_item(struct slice *rest, struct slice *value)
{
	size_t n;

	skip(rest);
	if (!rest->size || *rest->at == ']' || *rest->at == '}')
		return false;
	n = *rest->at == '"'                       ? string_size(rest)
	    : *rest->at == '{' || *rest->at == '[' ? container_size(rest)
	                                           : word_size(rest);
	*value = (struct slice){ rest->at, n };
	drop(rest, n);
	return true;
}

bool slice_member(struct slice *rest, struct slice *key, struct slice *value)
{
	return slice_item(rest, key) && slice_item(rest, value);
}

/* --- Values --------------------------------------------------------------------------------------------------------- */

bool slice_is(struct slice s, const char *json)
{
	return strlen(json) == s.size && memcmp(s.at, json, s.size) == 0;
}

char *slice_text(struct slice s, struct arena *a)
{
	OWN(json) json_object *value = NULL;
	struct error ignored = { 0 };

	if (s.size < 2 || *s.at != '"')
		return NULL;
	if (!memchr(s.at, '\\', s.size))
		return arena_strndup(a, s.at + 1, s.size - 2);
	if (json_parse(s.at, s.size, &value, &ignored) < 0)
		return NULL;
	return arena_strdup(a, json_object_get_string(value));
}

char *slice_json(struct slice s, struct arena *a)
{
	return s.size && !slice_is(s, "null") ? arena_strndup(a, s.at, s.size) : NULL;
}
