#include "common/base/query.h"

#include <ctype.h>
#include <string.h>

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* NULL when it holds a NUL. A '%' without two hexadecimal digits is itself. */
static char *decode(const char *text, size_t length, struct arena *a)
{
	char *out = arena_alloc(a, length + 1), *to = out;

	for (size_t i = 0; i < length; i++) {
		char c = text[i] == '+' ? ' ' : text[i];

		if (c == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
		    isxdigit((unsigned char)text[i + 2])) {
			c = (char)(digit(text[i + 1]) << 4 | digit(text[i + 2]));
			i += 2;
		}
		if (!c)
			return NULL;
		*to++ = c;
	}
	return out;
}

struct query query_start(const char *raw, struct arena *a)
{
	return (struct query){ raw, a };
}

bool query_next(struct query *q, const char **name, const char **value)
{
	while (*q->at) {
		const char *pair = q->at;
		size_t length = strcspn(pair, "&"), name_length = strcspn(pair, "=&");
		bool has_value = name_length < length;

		q->at += length + (pair[length] == '&');
		*name = decode(pair, name_length, q->arena);
		*value = has_value ? decode(pair + name_length + 1, length - name_length - 1, q->arena) : "";
		if (*name && **name)
			return true;
	}
	return false;
}

void query_encode(struct text *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (isalnum(*p) || strchr("-._~", *p))
			text_addc(out, (char)*p);
		else
			text_addf(out, "%%%02X", *p);
	}
}
