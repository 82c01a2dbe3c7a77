#include "svc-integrations/website/script.h"

#include <string.h>
#include <strings.h>

enum { TAG_MOST = 4000 };

static const char *after_comment(const char *at)
{
	const char *end = strstr(at + 4, "-->");

	return end ? end + 3 : at + strlen(at);
}

static bool is_ours(const char *tag, size_t size, const char *chatbot_id)
{
	char text[TAG_MOST + 1];

	if (size > TAG_MOST)
		return false;
	memcpy(text, tag, size);
	text[size] = 0;
	return strcasestr(text, chatbot_id) && strcasestr(text, "data-chatbot") && strstr(text, "/widget") &&
	       strstr(text, ".js");
}

bool website_has_script(const char *html, const char *chatbot_id)
{
	const char *at = html;

	while ((at = strchr(at, '<')) != NULL) {
		const char *end = strchr(at, '>');

		if (strncmp(at, "<!--", 4) == 0) {
			at = after_comment(at);
			continue;
		}
		if (!end)
			return false;
		if (strncasecmp(at, "<script", 7) == 0 && is_ours(at, (size_t)(end - at), chatbot_id))
			return true;
		at++;
	}
	return false;
}
