#include "svc-integrations/website/tags.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n\f"
enum { TAG_MOST = 8000 };

bool piece_is(struct piece p, const char *word)
{
	return p.size == strlen(word) && strncasecmp(p.at, word, p.size) == 0;
}

bool piece_has(struct piece p, const char *words)
{
	return memmem(p.at, p.size, words, strlen(words)) != NULL;
}

static const char *end_of(const char *at)
{
	return at + strlen(at);
}

/* "<!-->" is a whole one. */
static const char *after_comment(const char *at)
{
	const char *end = strstr(at + 2, "-->");

	return end ? end + 3 : end_of(at);
}

/* The '>' of a tag from its attributes on; NULL: it is none, since it never ends, or ends nowhere near. */
static const char *tag_end(const char *at)
{
	const char *most = at + TAG_MOST;
	bool value = false; /* behind a '=': what follows may be in quotes */

	for (; at < most && *at && *at != '>' && *at != '<'; at++) {
		char quote = 0;

		if (value && (*at == '"' || *at == '\''))
			quote = *at++;
		while (quote && at < most && *at && *at != quote)
			at++;
		if (quote && (at == most || !*at))
			return NULL;
		value = *at == '=' || (value && !quote && strchr(BLANKS, *at));
	}
	return *at == '>' ? at : NULL;
}

/* Where "</name" begins; NULL: nowhere. */
static const char *closing(const char *at, const char *name)
{
	size_t length = strlen(name);

	for (; (at = strstr(at, "</")) != NULL; at += 2)
		if (strncasecmp(at + 2, name, length) == 0)
			return at;
	return NULL;
}

/* What stands in these is no markup, or not for a browser that runs scripts. */
static const char *const dead[] = { "style", "textarea", "title", "noscript", "template", "xmp", "iframe" };

static const char *after_dead(struct piece name, const char *at)
{
	for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
		if (piece_is(name, dead[i])) {
			const char *end = closing(at, dead[i]);

			return end ? end : end_of(at);
		}
	return at;
}

/* At a '<'. The tag, if one begins there; *at moves on in any case. */
static bool read_tag(const char **at, struct tag *ret)
{
	const char *name = *at + 1, *end;
	size_t length = 0;

	*at = name;
	if (!isalpha((unsigned char)*name))
		return false;
	while (isalnum((unsigned char)name[length]) || name[length] == '-')
		length++;
	end = tag_end(name + length);
	if (!end)
		return false;
	*ret = (struct tag){ .name = { name, length },
		             .attributes = { name + length, (size_t)(end - name - length) } };
	*at = after_dead(ret->name, end + 1);
	return true;
}

bool tag_next(const char **at, struct tag *ret)
{
	while ((*at = strchr(*at, '<')) != NULL) {
		if (strncmp(*at, "<!--", 4) == 0) {
			*at = after_comment(*at);
			continue;
		}
		if (!read_tag(at, ret))
			continue;
		if (piece_is(ret->name, "meta"))
			return true;
		if (piece_is(ret->name, "script")) {
			const char *end = closing(*at, "script");

			ret->script = (struct piece){ *at, end ? (size_t)(end - *at) : strlen(*at) };
			*at += ret->script.size;
			return true;
		}
	}
	*at = "";
	return false;
}

static struct piece take(const char **at, const char *end, const char *until)
{
	struct piece p = { *at, 0 };

	while (*at < end && !strchr(until, **at))
		(*at)++;
	p.size = (size_t)(*at - p.at);
	return p;
}

static void skip(const char **at, const char *end, const char *these)
{
	while (*at < end && strchr(these, **at))
		(*at)++;
}

static struct piece take_value(const char **at, const char *end)
{
	struct piece value = { *at, 0 };

	skip(at, end, BLANKS);
	if (*at == end || **at != '=')
		return value;
	(*at)++;
	skip(at, end, BLANKS);
	if (*at < end && (**at == '"' || **at == '\'')) {
		const char quote[] = { **at, 0 };

		(*at)++;
		value = take(at, end, quote);
		*at += *at < end;
		return value;
	}
	return take(at, end, BLANKS);
}

bool tag_attribute(const struct tag *tag, const char *name, struct piece *ret)
{
	const char *at = tag->attributes.at, *end = at + tag->attributes.size;

	for (skip(&at, end, BLANKS "/"); at < end; skip(&at, end, BLANKS "/")) {
		struct piece found = take(&at, end, BLANKS "=/");
		struct piece value = take_value(&at, end);

		if (piece_is(found, name)) {
			*ret = value;
			return true;
		}
	}
	return false;
}
