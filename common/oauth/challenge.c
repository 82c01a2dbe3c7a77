#include <string.h>
#include <strings.h>

#include "common/oauth/internal.h"

#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* A token or a quoted string; *at moves behind it. NULL when there is neither. */
static char *take_value(const char **at, struct arena *a)
{
	const char *from = *at;
	struct text value;

	if (*from != '"') {
		size_t length = strspn(from, TOKEN);

		*at += length;
		return length ? arena_strndup(a, from, length) : NULL;
	}
	text_init(&value, a);
	text_adds(&value, "");
	for (from++; *from && *from != '"'; from++) {
		if (*from == '\\' && from[1])
			from++;
		text_addc(&value, *from);
	}
	*at = from + (*from == '"');
	return value.at;
}

static void take_param(struct oauth_challenge *ret, const char *name, const char *value, struct arena *a)
{
	if (strcasecmp(name, "scope") == 0 && !ret->scope)
		ret->scope = oauth_scope(value, a);
	else if (strcasecmp(name, "error") == 0 && !ret->error)
		ret->error = oauth_scope(value, a);
	else if (strcasecmp(name, "resource_metadata") == 0 && !ret->resource_metadata && oauth_is_url(value))
		ret->resource_metadata = value;
}

/* "name = value"; *at moves behind it. NULL when it is not one: then `name` is a scheme, or a token68. */
static char *take_param_value(const char **at, struct arena *a)
{
	const char *from = skip_blanks(*at);
	char *value;

	if (*from != '=')
		return NULL;
	from = skip_blanks(from + 1);
	value = take_value(&from, a);
	if (value)
		*at = from;
	return value;
}

void oauth_challenge_parse(const char *header, struct oauth_challenge *ret, struct arena *a)
{
	bool ours = false, done = false;

	*ret = (struct oauth_challenge){ 0 };
	for (const char *at = header ? header : ""; *at;) {
		size_t length = strspn(at, TOKEN);
		char *name, *value;

		if (!length) { /* blanks, commas, and what has no place here */
			at++;
			continue;
		}
		name = arena_strndup(a, at, length);
		at += length;
		value = take_param_value(&at, a);
		if (value && ours)
			take_param(ret, name, value, a);
		if (value || *at == '=')
			continue;
		ours = !done && strcasecmp(name, "Bearer") == 0;
		done = done || ours;
	}
}
