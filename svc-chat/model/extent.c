#include "svc-chat/model/extent.h"

#include <stdbool.h>

size_t extent_of(const char *text, size_t size)
{
	bool string = false;
	int depth = 0;

	if (!size || (*text != '{' && *text != '['))
		return 0;
	for (size_t i = 0; i < size; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (!string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!string && (text[i] == '}' || text[i] == ']') && --depth == 0)
			return i + 1;
	}
	return 0;
}
