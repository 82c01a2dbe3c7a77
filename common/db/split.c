/* SQL of several statements as one after another: a cluster runs some kinds only when they come alone. */
#include <ctype.h>
#include <string.h>

#include "common/db/internal.h"

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* What follows '...' or "...", where a doubled quote is part of it, and E'...', where a backslash takes the next one. */
static const char *after_quoted(const char *s, bool backslashes)
{
	char quote = *s++;

	for (; *s; s++) {
		if (backslashes && *s == '\\' && s[1])
			s++;
		else if (*s == quote && s[1] != quote)
			return s + 1;
		else if (*s == quote)
			s++;
	}
	return s;
}

/* Comments nest. */
static const char *after_comment(const char *s)
{
	int depth = 0;

	for (; *s; s++) {
		if (s[0] == '/' && s[1] == '*') {
			depth++;
			s++;
		} else if (s[0] == '*' && s[1] == '/') {
			s++;
			if (--depth == 0)
				return s + 1;
		}
	}
	return s;
}

/* $$...$$ or $tag$...$tag$; a lone dollar is a character like others. */
static const char *after_dollars(const char *s)
{
	size_t size = 1;
	const char *end;

	while (is_name(s[size]))
		size++;
	if (s[size] != '$' || isdigit((unsigned char)s[1]))
		return s + 1;
	size++;
	for (end = s + size; *end && strncmp(end, s, size) != 0; end++)
		;
	return *end ? end + size : end;
}

static const char *after_word(const char *s)
{
	while (is_name(*s) || *s == '$')
		s++;
	return s;
}

/* One step: over whatever hides a semicolon. */
static const char *step(const char *s)
{
	if (s[0] == '-' && s[1] == '-')
		return s + strcspn(s, "\n");
	if (s[0] == '/' && s[1] == '*')
		return after_comment(s);
	if (*s == '\'' || *s == '"')
		return after_quoted(s, false);
	if ((*s == 'e' || *s == 'E') && s[1] == '\'')
		return after_quoted(s + 1, true);
	if (*s == '$')
		return after_dollars(s);
	return is_name(*s) ? after_word(s) : s + 1;
}

static const char *skip_blanks(const char *s)
{
	for (;;) {
		if (isspace((unsigned char)*s) || *s == ';')
			s++;
		else if ((s[0] == '-' && s[1] == '-') || (s[0] == '/' && s[1] == '*'))
			s = step(s);
		else
			return s;
	}
}

size_t db_next_statement(const char **sql, const char **ret)
{
	const char *s = skip_blanks(*sql);

	*ret = s;
	while (*s && *s != ';')
		s = step(s);
	*sql = s;
	return (size_t)(s - *ret);
}
