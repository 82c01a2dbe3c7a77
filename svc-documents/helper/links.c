/* Where a page points: addresses as they stand there. */
#include <stdio.h>
#include <string.h>

#include "svc-documents/helper/html.h"

enum { NESTING = 500 };

static bool has_word(const char *value, const char *word)
{
	return value && strcasestr(value, word);
}

/* A feed is told of by <link rel=alternate type=application/rss+xml>. */
static void look_at(const GumboElement *e, struct out *o)
{
	const char *href = html_attribute(e, "href"), *rel = html_attribute(e, "rel"), *type;

	if (!href)
		return;
	type = html_attribute(e, "type");
	if (e->tag == GUMBO_TAG_BASE && !*o->base && strlen(href) < sizeof o->base)
		snprintf(o->base, sizeof o->base, "%s", href);
	else if ((e->tag == GUMBO_TAG_A || e->tag == GUMBO_TAG_AREA) && !has_word(rel, "nofollow"))
		out_link(o, href, strlen(href));
	else if (e->tag == GUMBO_TAG_LINK && has_word(rel, "alternate") &&
	         (has_word(type, "rss+xml") || has_word(type, "atom+xml")))
		out_link(o, href, strlen(href));
}

void html_links(const GumboNode *node, struct out *o, int depth)
{
	if (node->type != GUMBO_NODE_ELEMENT || depth > NESTING)
		return;
	look_at(&node->v.element, o);
	for (unsigned i = 0; i < node->v.element.children.length; i++)
		html_links(node->v.element.children.data[i], o, depth + 1);
}
