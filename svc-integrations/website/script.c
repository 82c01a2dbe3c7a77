#include "svc-integrations/website/script.h"

#include <string.h>
#include <strings.h>

enum { TAG_MOST = 4000 };

static const char *after_comment(const char *at)
{
	const char *end = strstr(at + 4, "-->");

	return end ? end + 3 : at + strlen(at);
}

/* Where it ends is looked for no further than that: a page may be nothing but the beginnings of tags. */
static bool is_ours(const char *tag, const char *chatbot_id)
{
	size_t length = strnlen(tag, TAG_MOST + 1);
	const char *end = memchr(tag, '>', length);
	size_t size = end ? (size_t)(end - tag) : 0;
	char text[TAG_MOST + 1];

	if (!end)
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
		if (strncmp(at, "<!--", 4) == 0) {
			at = after_comment(at);
			continue;
		}
		if (strncasecmp(at, "<script", 7) == 0 && is_ours(at, chatbot_id))
			return true;
		at++;
	}
	return false;
}
