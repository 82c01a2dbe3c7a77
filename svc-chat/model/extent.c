#include "svc-chat/model/extent.h"

size_t extent_more(struct extent *e, const char *text, size_t size)
{
	if (!size || (*text != '{' && *text != '['))
		return 0;
	while (!e->end && e->seen < size) {
		char c = text[e->seen++];

		if (e->escaped)
			e->escaped = false;
		else if (e->string && c == '\\')
			e->escaped = true;
		else if (c == '"')
			e->string = !e->string;
		else if (!e->string && (c == '{' || c == '['))
			e->depth++;
		else if (!e->string && (c == '}' || c == ']') && --e->depth == 0)
			return e->end = e->seen;
	}
	return e->end;
}

size_t extent_of(const char *text, size_t size)
{
	return extent_more(&(struct extent){ 0 }, text, size);
}
