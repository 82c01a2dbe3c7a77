/* The main text of an HTML page, as Markdown. */
#include "svc-documents/helper/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	LEAST = 200, /* letters: less is no main part, unless it is most of a page */
	PART = 40,
	MOST = 60,   /* of a hundred */
	SHELL = 100, /* letters: a page with less, and scripts, is filled by them */

	REFRESH_MAX = 10, /* seconds after which a page sends its reader on "at once" */
};

static size_t own_text(const GumboNode *node, enum html_view view)
{
	struct html_amount sum = { 0 };

	html_measure(node, view, &sum);
	return sum.letters - sum.linked;
}

/* --- Parts of a page ---------------------------------------------------------------------------------------------- */

static bool is_main(const GumboElement *e)
{
	static const char *const roles[] = { "main", NULL };

	return e->tag == GUMBO_TAG_MAIN || html_is(html_attribute(e, "role"), roles);
}

static bool is_article(const GumboElement *e)
{
	static const char *const roles[] = { "article", NULL };

	return e->tag == GUMBO_TAG_ARTICLE || html_is(html_attribute(e, "role"), roles);
}

static bool is_header(const GumboElement *e)
{
	static const char *const roles[] = { "banner", NULL };

	return (e->tag == GUMBO_TAG_HEADER && !html_is_of_section(e)) ||
	       html_is(html_attribute(e, "role"), roles);
}

static bool is_part(const GumboElement *e)
{
	return is_main(e) || is_article(e);
}

struct elements {
	const GumboNode **at;
	size_t count, room;
};

/* The outermost of that kind, in order; not within `but`. */
static void find(const GumboNode *node, bool (*kind)(const GumboElement *), bool (*but)(const GumboElement *),
                 int depth, struct elements *ret)
{
	const GumboVector *children;

	if (node->type != GUMBO_NODE_ELEMENT || depth > HTML_DEPTH_MAX || (but && but(&node->v.element)))
		return;
	if (kind(&node->v.element)) {
		if (ret->count == ret->room) {
			ret->room = ret->room ? ret->room * 2 : 16;
			ret->at = there(realloc(ret->at, ret->room * sizeof(const GumboNode *)));
		}
		ret->at[ret->count++] = node;
		return;
	}
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		find(children->data[i], kind, but, depth + 1, ret);
}

static size_t text_of(const struct elements *p)
{
	size_t sum = 0;

	for (size_t i = 0; i < p->count; i++)
		sum += own_text(p->at[i], HTML_CONTENT);
	return sum;
}

/* Headings that stand in the page's header: a part's own header is of its text. */
static void write_header(const GumboNode *body, struct out *o)
{
	struct elements headers = { 0 }, headings = { 0 };

	find(body, is_header, is_part, 0, &headers);
	for (size_t i = 0; i < headers.count; i++)
		find(headers.at[i], html_is_heading, NULL, 0, &headings);
	for (size_t i = 0; i < headings.count; i++)
		html_write(headings.at[i], o, HTML_ALL);
	free(headers.at);
	free(headings.at);
}

/* The parts, when they are most of what there is to read. */
static bool write_parts(const GumboNode *body, bool (*kind)(const GumboElement *), size_t share,
                        struct out *o)
{
	size_t all = own_text(body, HTML_PAGE), some;
	struct elements parts = { 0 };

	find(body, kind, NULL, 0, &parts);
	some = text_of(&parts);
	if (some < PART || some * 100 < all * share || (some < LEAST && some * 100 < all * MOST)) {
		free(parts.at);
		return false;
	}
	for (size_t i = 0; i < parts.count; i++)
		html_write(parts.at[i], o, HTML_CONTENT);
	free(parts.at);
	return true;
}

/* <main>; else all articles; else the page without its furniture; and when that leaves hardly anything, all of it. */
static void write_page(const GumboNode *body, struct out *o)
{
	size_t start;

	write_header(body, o);
	start = o->size;
	if (write_parts(body, is_main, 30, o) || write_parts(body, is_article, 60, o))
		return;
	html_write(body, o, HTML_PAGE);
	if (o->size - start < LEAST && own_text(body, HTML_ALL) > 4 * (o->size - start) + LEAST) {
		o->size = 0;
		o->newlines = 0;
		html_write(body, o, HTML_ALL);
	}
}

/* --- What it says of itself --------------------------------------------------------------------------------------- */

static bool is_title(const GumboElement *e)
{
	return e->tag == GUMBO_TAG_TITLE;
}

static bool is_first_heading(const GumboElement *e)
{
	return e->tag == GUMBO_TAG_H1;
}

static bool is_meta(const GumboElement *e)
{
	return e->tag == GUMBO_TAG_META;
}

static void copy_title(const GumboNode *node, char *title, size_t size)
{
	struct out o = { 0 };

	for (unsigned i = 0; i < node->v.element.children.length; i++)
		html_write(node->v.element.children.data[i], &o, HTML_ALL);
	if (o.at && o.size >= size)
		for (o.size = size - 1; o.size > 0 && ((unsigned char)o.at[o.size] & 0xc0) == 0x80;)
			o.size--;
	if (o.at)
		memcpy(title, o.at, o.size);
	title[o.size] = '\0';
	for (char *c = title; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	free(o.at);
}

/* <title>, else the first heading. */
static void read_title(const GumboNode *root, struct out *o)
{
	struct elements found = { 0 };

	find(root, is_title, NULL, 0, &found);
	if (found.count)
		copy_title(found.at[0], o->title, sizeof o->title);
	found.count = 0;
	if (!*o->title)
		find(root, is_first_heading, NULL, 0, &found);
	if (found.count)
		copy_title(found.at[0], o->title, sizeof o->title);
	free(found.at);
}

/* <meta http-equiv="refresh" content="0; url=/there"> */
static void read_refresh(const GumboNode *root, struct out *o)
{
	static const char *const refresh[] = { "refresh", NULL };
	struct elements found = { 0 };

	find(root, is_meta, NULL, 0, &found);
	for (size_t i = 0; i < found.count && !*o->refresh; i++) {
		const GumboElement *e = &found.at[i]->v.element;
		const char *content = html_attribute(e, "content"), *url;

		if (!content || !html_is(html_attribute(e, "http-equiv"), refresh) ||
		    strtol(content, NULL, 10) > REFRESH_MAX || !(url = strcasestr(content, "url=")))
			continue;
		url += 4;
		url += *url == '"' || *url == '\'';
		snprintf(o->refresh, sizeof o->refresh, "%.*s", (int)strcspn(url, "\"'\n"), url);
	}
	free(found.at);
}

static bool is_script(const GumboElement *e)
{
	return e->tag == GUMBO_TAG_SCRIPT;
}

static void find_shell(const GumboNode *root, struct out *o)
{
	struct elements scripts = { 0 };

	if (o->size >= SHELL || o->told || *o->refresh)
		return;
	find(root, is_script, NULL, 0, &scripts);
	o->shell = scripts.count && (o->size == 0 || memmem(o->at, o->size, "oading", 6));
	free(scripts.at);
}

void html_text(const struct GumboInternalOutput *page, struct out *o)
{
	const GumboVector *children = &page->root->v.element.children;

	read_title(page->root, o);
	read_refresh(page->root, o);
	if (o->links)
		html_links(page->root, o, 0);
	for (unsigned i = 0; i < children->length; i++) {
		const GumboNode *c = children->data[i];

		if (c->type == GUMBO_NODE_ELEMENT && c->v.element.tag == GUMBO_TAG_BODY)
			write_page(c, o);
	}
	html_write_told(page->root, o);
	find_shell(page->root, o);
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
