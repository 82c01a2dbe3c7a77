/* The main text of an HTML page, as Markdown. */
#include <gumbo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/helper.h"

enum { DEPTH_MAX = 5000, MAIN_LEAST = 200 /* characters: less is no main part */ };

static const char *attribute(const GumboElement *e, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&e->attributes, name);

	return a ? a->value : NULL;
}

static bool is(const char *value, const char *const *set)
{
	for (; value && *set; set++)
		if (strcasecmp(value, *set) == 0)
			return true;
	return false;
}

/* What a page has round its text. inside: within <main> or <article>, whose header and footer belong to it. */
static bool furniture(const GumboElement *e, bool inside)
{
	static const char *const roles[] = { "navigation", "banner", "contentinfo", "complementary",
		                             "search",     "menu",   NULL };
	static const char *const yes[] = { "true", NULL };

	switch (e->tag) {
	case GUMBO_TAG_SCRIPT:
	case GUMBO_TAG_STYLE:
	case GUMBO_TAG_NOSCRIPT:
	case GUMBO_TAG_TEMPLATE:
	case GUMBO_TAG_NAV:
	case GUMBO_TAG_ASIDE:
	case GUMBO_TAG_FORM:
	case GUMBO_TAG_BUTTON:
	case GUMBO_TAG_SELECT:
	case GUMBO_TAG_TEXTAREA:
	case GUMBO_TAG_IFRAME:
	case GUMBO_TAG_SVG:
	case GUMBO_TAG_CANVAS:
	case GUMBO_TAG_HEAD: return true;
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_FOOTER: return !inside;
	default: break;
	}
	return is(attribute(e, "role"), roles) || is(attribute(e, "aria-hidden"), yes) ||
	       attribute(e, "hidden");
}

/* --- How much text is where ------------------------------------------------------------------------------------- */

struct amount {
	size_t text, linked;
};

static size_t letters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += !strchr(" \t\n\r", *s);
	return n;
}

static void measure(const GumboNode *node, bool inside, bool in_link, int depth, struct amount *sum)
{
	const GumboVector *children;

	if (node->type == GUMBO_NODE_TEXT) {
		size_t n = letters(node->v.text.text);

		sum->text += n;
		sum->linked += in_link ? n : 0;
	}
	if (node->type != GUMBO_NODE_ELEMENT || depth > DEPTH_MAX || furniture(&node->v.element, inside))
		return;
	in_link = in_link || node->v.element.tag == GUMBO_TAG_A;
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		measure(children->data[i], inside, in_link, depth + 1, sum);
}

static bool is_main(const GumboElement *e)
{
	static const char *const roles[] = { "main", "article", NULL };

	return e->tag == GUMBO_TAG_MAIN || e->tag == GUMBO_TAG_ARTICLE || is(attribute(e, "role"), roles);
}

/* The <main> or <article> with the most text; the outermost where they nest. */
static void find_main(const GumboNode *node, int depth, const GumboNode **best, size_t *most)
{
	const GumboVector *children;

	if (node->type != GUMBO_NODE_ELEMENT || depth > DEPTH_MAX)
		return;
	if (is_main(&node->v.element)) {
		struct amount sum = { 0 };

		measure(node, true, false, 0, &sum);
		if (sum.text > *most) {
			*most = sum.text;
			*best = node;
		}
		return;
	}
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		find_main(children->data[i], depth + 1, best, most);
}

/* --- Writing ---------------------------------------------------------------------------------------------------- */

static int heading_level(GumboTag tag)
{
	return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? (int)(tag - GUMBO_TAG_H1) + 1 : 0;
}

static int breaks(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_BR:
	case GUMBO_TAG_LI:
	case GUMBO_TAG_TR:
	case GUMBO_TAG_DT:
	case GUMBO_TAG_DD: return 1;
	case GUMBO_TAG_P:
	case GUMBO_TAG_DIV:
	case GUMBO_TAG_SECTION:
	case GUMBO_TAG_ARTICLE:
	case GUMBO_TAG_MAIN:
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_FOOTER:
	case GUMBO_TAG_BLOCKQUOTE:
	case GUMBO_TAG_PRE:
	case GUMBO_TAG_UL:
	case GUMBO_TAG_OL:
	case GUMBO_TAG_DL:
	case GUMBO_TAG_TABLE:
	case GUMBO_TAG_FIGURE:
	case GUMBO_TAG_FIGCAPTION:
	case GUMBO_TAG_HR:
	case GUMBO_TAG_BODY: return 2;
	default: return heading_level(tag) ? 2 : 0;
	}
}

/* A list that is nearly all links is a menu. */
static bool is_menu(const GumboNode *node, bool inside)
{
	struct amount sum = { 0 };
	GumboTag tag = node->v.element.tag;

	if (inside || (tag != GUMBO_TAG_UL && tag != GUMBO_TAG_OL))
		return false;
	measure(node, inside, false, 0, &sum);
	return sum.linked * 10 > sum.text * 8;
}

static void lead_in(struct out *o, GumboTag tag)
{
	int level = heading_level(tag);

	if (level) {
		out_plain(o, "######", (size_t)level);
		o->space = true;
	} else if (tag == GUMBO_TAG_LI) {
		out_plain(o, "-", 1);
		o->space = true;
	} else if ((tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) && !o->newlines) {
		o->space = true;
		out_plain(o, "|", 1);
		o->space = true;
	}
}

static void write_node(const GumboNode *node, struct out *o, bool inside, bool pre, int depth)
{
	const GumboElement *e = &node->v.element;
	bool block;

	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
	    node->type == GUMBO_NODE_CDATA) {
		const char *text = node->v.text.text;

		if (pre)
			out_plain(o, text, strlen(text));
		else
			out_text(o, text, strlen(text));
		return;
	}
	if (node->type != GUMBO_NODE_ELEMENT || depth > DEPTH_MAX || furniture(e, inside) ||
	    is_menu(node, inside))
		return;
	block = breaks(e->tag) > 0;
	if (block)
		out_break(o, breaks(e->tag));
	if (e->children.length)
		lead_in(o, e->tag);
	for (unsigned i = 0; i < e->children.length; i++)
		write_node(e->children.data[i], o, inside, pre || e->tag == GUMBO_TAG_PRE, depth + 1);
	if (block)
		out_break(o, breaks(e->tag));
}

/* --- The title -------------------------------------------------------------------------------------------------- */

static const GumboNode *child(const GumboNode *node, GumboTag tag)
{
	const GumboVector *children = &node->v.element.children;

	for (unsigned i = 0; node->type == GUMBO_NODE_ELEMENT && i < children->length; i++) {
		const GumboNode *c = children->data[i];

		if (c->type == GUMBO_NODE_ELEMENT && c->v.element.tag == tag)
			return c;
	}
	return NULL;
}

static void read_title(const GumboNode *root, char *title, size_t size)
{
	const GumboNode *head = child(root, GUMBO_TAG_HEAD), *t = head ? child(head, GUMBO_TAG_TITLE) : NULL;
	struct out o = { 0 };

	for (unsigned i = 0; t && i < t->v.element.children.length; i++) {
		const GumboNode *text = t->v.element.children.data[i];

		if (text->type == GUMBO_NODE_TEXT)
			out_text(&o, text->v.text.text, strlen(text->v.text.text));
	}
	if (o.at && o.size >= size)
		for (o.size = size - 1; o.size > 0 && ((unsigned char)o.at[o.size] & 0xc0) == 0x80;)
			o.size--;
	if (o.at)
		memcpy(title, o.at, o.size);
	title[o.size] = '\0';
	free(o.at);
}

void html_text(const struct GumboInternalOutput *page, struct out *o)
{
	const GumboNode *body = child(page->root, GUMBO_TAG_BODY), *main_part = NULL;
	size_t most = 0;

	read_title(page->root, o->title, sizeof o->title);
	if (!body)
		return;
	find_main(body, 0, &main_part, &most);
	if (main_part && most >= MAIN_LEAST)
		write_node(main_part, o, true, false, 0);
	else
		write_node(body, o, false, false, 0);
}

/* --- Memory ------------------------------------------------------------------------------------------------------- */

static void *take(void *arg, size_t size)
{
	void *p = malloc(size);

	(void)arg;
	if (!p)
		end(VERDICT_TOO_LARGE, "the page is too complicated");
	return p;
}

static void give_back(void *arg, void *p)
{
	(void)arg;
	free(p);
}

/* The tree stays: taking it down recurses as deep as the page is nested, and the process ends now. */
void html_read(char *bytes, size_t size, struct out *o)
{
	GumboOptions options = kGumboDefaultOptions;

	options.allocator = take;
	options.deallocator = give_back;
	html_text(gumbo_parse_with_options(&options, bytes, html_tame(bytes, size)), o);
}
