#include "svc-integrations/slack/form.h"

#include <string.h>

#include "common/base/utf8.h"

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* In place; U+0000 ends it, as it would any string of ours. */
static void decode(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++)
		if (*in == '+')
			*out++ = ' ';
		else if (*in == '%' && digit(in[1]) >= 0 && digit(in[2]) >= 0)
			*out++ = (char)(digit(in[1]) << 4 | digit(in[2])), in += 2;
		else
			*out++ = *in;
	*out = 0;
}

char *form_value(const char *form, const char *name, struct arena *a)
{
	size_t length = strlen(name);

	while (*form) {
		size_t size = strcspn(form, "&");

		if (size > length && strncmp(form, name, length) == 0 && form[length] == '=') {
			char *value = arena_strndup(a, form + length + 1, size - length - 1);

			decode(value);
			return utf8_valid(value, strlen(value)) ? value : arena_strdup(a, "");
		}
		form += size + (form[size] == '&');
	}
	return arena_strdup(a, "");
}
