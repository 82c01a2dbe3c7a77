#include <ctype.h>
#include <string.h>

#include "proto/generate/generate.h"

bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* protoc-c: each part between dots starts with a capital, underscores go and raise the next letter. */
const char *c_type_name(const char *full_name, struct arena *a)
{
	struct text t;
	bool raise = true;

	text_init(&t, a);
	for (const char *p = full_name; *p; p++) {
		if (*p == '.') {
			text_adds(&t, "__");
			raise = true;
		} else if (*p == '_') {
			raise = true;
		} else {
			text_addc(&t, (char)(raise ? toupper((unsigned char)*p) : *p));
			raise = false;
		}
	}
	return t.at;
}

/* protoc-c: an underscore where a capital follows a letter that is none. */
const char *c_lower_name(const char *full_name, struct arena *a)
{
	struct text t;
	bool was_upper = true;

	text_init(&t, a);
	for (const char *p = full_name; *p; p++) {
		if (*p == '.') {
			text_adds(&t, "__");
			was_upper = true;
			continue;
		}
		if (isupper((unsigned char)*p) && !was_upper)
			text_addc(&t, '_');
		text_addc(&t, (char)tolower((unsigned char)*p));
		was_upper = isupper((unsigned char)*p);
	}
	return t.at;
}

static const char *mapped(const char *text, int (*map)(int), struct arena *a)
{
	char *copy = arena_strdup(a, text);

	for (char *p = copy; *p; p++)
		*p = (char)map((unsigned char)*p);
	return copy;
}

const char *upper(const char *text, struct arena *a)
{
	return mapped(text, toupper, a);
}

const char *lower(const char *text, struct arena *a)
{
	return mapped(text, tolower, a);
}

const char *word(const char *prefix, const ProtobufCEnumDescriptor *words, int value, struct arena *a)
{
	return arena_printf(a, "%s_%s", prefix, protobuf_c_enum_descriptor_get_value(words, value)->name);
}

const char *path_parameter(const char **at, struct arena *a)
{
	const char *open = strchr(*at, '{');
	const char *close = open ? strchr(open, '}') : NULL;

	if (!close)
		return NULL;
	*at = close + 1;
	return arena_strndup(a, open + 1, (size_t)(close - open - 1));
}
