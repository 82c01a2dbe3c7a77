#include "svc-integrations/website/look.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "svc-integrations/website/policy.h"
#include "svc-integrations/website/tags.h"

char *website_origin(const char *url, struct arena *a)
{
	const char *host = strstr(url, "://");
	char *origin =
	    arena_strndup(a, url, host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strlen(url));

	for (char *c = origin; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return origin;
}

static bool is_widget(struct piece source)
{
	return piece_has(source, "/widget") && piece_has(source, ".js");
}

/* The embed code. */
static bool is_tag(const struct tag *tag, const char *chatbot)
{
	struct piece source, bot;

	return tag_attribute(tag, "src", &source) && tag_attribute(tag, "data-chatbot", &bot) &&
	       is_widget(source) && piece_is(bot, chatbot);
}

/* A few lines that make that tag when the page is there. */
static bool is_loader(const struct tag *tag, const char *chatbot)
{
	struct piece source;

	return !tag_attribute(tag, "src", &source) && is_widget(tag->script) &&
	       piece_has(tag->script, chatbot);
}

/* As much of HTML's escapes as is written in policies. */
static const struct {
	const char *escape;
	char means;
} escapes[] = {
	{ "&#39;", '\'' }, { "&#x27;", '\'' }, { "&apos;", '\'' }, { "&quot;", '"' }, { "&amp;", '&' }
};

static const char *text_of(const struct tag *tag, const char *name, struct arena *a)
{
	struct piece value;
	char *text, *to;

	if (!tag_attribute(tag, name, &value))
		return "";
	text = to = arena_strndup(a, value.at, value.size);
	for (const char *from = text; *from; to++) {
		size_t i = 0;

		while (i < sizeof escapes / sizeof *escapes &&
		       strncasecmp(from, escapes[i].escape, strlen(escapes[i].escape)) != 0)
			i++;
		if (i < sizeof escapes / sizeof *escapes) {
			*to = escapes[i].means;
			from += strlen(escapes[i].escape);
		} else {
			*to = *from++;
		}
	}
	*to = 0;
	return text;
}

static const char *blocked_by_headers(const struct website_page *page, const struct policy_view *view)
{
	const char *by = NULL;

	for (const char *const *policy = page->policies; *policy && !by; policy++)
		by = policy_blocks(*policy, strlen(*policy), view);
	return by;
}

/* A policy in a <meta> is for what comes behind it. */
static const char *blocked_by_metas(const char *from, const char *to, const struct policy_view *view,
                                    struct arena *a)
{
	const char *by = NULL;
	struct tag tag;

	while (!by && tag_next(&from, &tag) && tag.name.at < to) {
		const char *policy = text_of(&tag, "content", a);

		if (piece_is(tag.name, "meta") &&
		    strcasecmp(text_of(&tag, "http-equiv", a), "content-security-policy") == 0)
			by = policy_blocks(policy, strlen(policy), view);
	}
	return by;
}

void website_see(const struct website_page *page, struct website_seen *ret, struct arena *a)
{
	struct policy_view view = { .page = page->origin, .script = page->script };
	const char *at = page->html;
	struct tag tag;

	*ret = (struct website_seen){ 0 };
	while (tag_next(&at, &tag)) {
		if (!piece_is(tag.name, "script") ||
		    !(is_tag(&tag, page->chatbot) || is_loader(&tag, page->chatbot)))
			continue;
		ret->script = true;
		if (!is_tag(&tag, page->chatbot))
			return; /* whether a script that makes others may is its own page's business */
		view.nonce = text_of(&tag, "nonce", a);
		ret->blocked = blocked_by_headers(page, &view);
		if (!ret->blocked)
			ret->blocked = blocked_by_metas(page->html, tag.name.at, &view, a);
		return;
	}
}
