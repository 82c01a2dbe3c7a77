/* What of a page is its text, and what is furniture. */
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/html.h"

enum { OPENER_DEPTH = 4 };

const char *html_attribute(const GumboElement *e, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&e->attributes, name);

	return a ? a->value : NULL;
}

bool html_is(const char *value, const char *const *set)
{
	for (; value && *set; set++)
		if (strcasecmp(value, *set) == 0)
			return true;
	return false;
}

/* --- Furniture ---------------------------------------------------------------------------------------------------- */

/* Tags that the parser has no name for. */
bool html_is_unknown(const GumboElement *e, const char *start)
{
	size_t n = strlen(start);

	return e->tag == GUMBO_TAG_UNKNOWN && e->original_tag.length >= n &&
	       strncasecmp(e->original_tag.data, start, n) == 0;
}

static const GumboNode *node_of(const GumboElement *e)
{
	return (const GumboNode *)((const char *)e - offsetof(GumboNode, v.element));
}

/* Not for reading, wherever it stands. */
static bool is_machinery(const GumboElement *e)
{
	if (html_is_unknown(e, "<annotation")) /* of a formula, which says the same again */
		return true;
	switch (e->tag) {
	case GUMBO_TAG_SCRIPT:
	case GUMBO_TAG_STYLE:
	case GUMBO_TAG_NOSCRIPT:
	case GUMBO_TAG_TEMPLATE:
	case GUMBO_TAG_SELECT:
	case GUMBO_TAG_TEXTAREA:
	case GUMBO_TAG_IFRAME:
	case GUMBO_TAG_SVG:
	case GUMBO_TAG_CANVAS:
	case GUMBO_TAG_OBJECT:
	case GUMBO_TAG_VIDEO: /* what it says is for browsers without */
	case GUMBO_TAG_AUDIO:
	case GUMBO_TAG_HEAD: return true;
	default: return false;
	}
}

static bool asks_consent(const GumboElement *e)
{
	static const char *const makers[] = { "cookie",        "consent",   "gdpr",   "rgpd",  "dsgvo",
		                              "tarteaucitron", "cc-window", "didomi", "klaro", "iubenda",
		                              "usercentrics",  "truste_",   NULL };
	/* A section may have its id from its heading, "Cookies". */
	bool titled = e->tag == GUMBO_TAG_SECTION || html_has_class(e, "section");
	const char *names[] = { titled ? NULL : html_attribute(e, "id"), html_attribute(e, "class") };

	if (e->tag != GUMBO_TAG_DIV && e->tag != GUMBO_TAG_SECTION && e->tag != GUMBO_TAG_ASIDE)
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (const char *const *m = makers; names[i] && *m; m++)
			if (strcasestr(names[i], *m))
				return true;
	return html_begs_consent(node_of(e));
}

/* The header or footer of a section or a quotation belongs to its text. */
bool html_is_of_section(const GumboElement *e)
{
	const GumboNode *node = node_of(e);
	GumboTag tag = node->parent && node->parent->type == GUMBO_NODE_ELEMENT ? node->parent->v.element.tag
	                                                                        : GUMBO_TAG_BODY;

	return tag == GUMBO_TAG_SECTION || tag == GUMBO_TAG_BLOCKQUOTE || tag == GUMBO_TAG_FIGURE;
}

bool html_has_class(const GumboElement *e, const char *word)
{
	const char *class = html_attribute(e, "class");
	size_t n = strlen(word);

	for (const char *s = class; s && (s = strstr(s, word)); s += n)
		if ((s == class || isspace((unsigned char)s[-1])) && (!s[n] || isspace((unsigned char)s[n])))
			return true;
	return false;
}

bool html_is_heading(const GumboElement *e)
{
	return e->tag >= GUMBO_TAG_H1 && e->tag <= GUMBO_TAG_H6;
}

/* --- What a click shows ------------------------------------------------------------------------------------------- */

static bool asks(const GumboNode *node)
{
	char text[300];
	size_t n;

	if (!html_glance(node, text, sizeof text))
		return false;
	for (n = strlen(text); n && text[n - 1] == ' ';)
		n--;
	return (n > 1 && text[n - 1] == '?') || (n > 3 && strncmp(text + n - 3, "？", 3) == 0);
}

/* Is it there to be clicked, or does it hold what is? */
static bool opens(const GumboNode *node, int depth)
{
	static const char *const roles[] = { "button", "tab", NULL };
	const GumboElement *e = &node->v.element;

	if (node->type != GUMBO_NODE_ELEMENT || depth > OPENER_DEPTH)
		return false;
	if (e->tag == GUMBO_TAG_BUTTON || e->tag == GUMBO_TAG_LABEL || e->tag == GUMBO_TAG_SUMMARY ||
	    e->tag == GUMBO_TAG_DT || html_is_heading(e) || html_is(html_attribute(e, "role"), roles) ||
	    html_attribute(e, "aria-expanded") || html_attribute(e, "aria-controls"))
		return true;
	for (unsigned i = 0; i < e->children.length; i++)
		if (opens(e->children.data[i], depth + 1))
			return true;
	return false;
}

static const GumboNode *element_before(const GumboNode *node)
{
	const GumboNode *up = node->parent;
	unsigned i = node->index_within_parent;

	if (!up || up->type != GUMBO_NODE_ELEMENT)
		return NULL;
	while (i-- > 0)
		if (((const GumboNode *)up->v.element.children.data[i])->type == GUMBO_NODE_ELEMENT)
			return up->v.element.children.data[i];
	return NULL;
}

/* An answer that is hidden until its question is clicked, or a sheet behind its tab: text like any other. A menu, which is
 * links, is not. */
static bool is_panel(const GumboElement *e)
{
	static const char *const roles[] = { "tabpanel", "region", NULL };
	static const char *const found[] = { "until-found", NULL };
	struct html_amount sum = { 0 };
	const GumboNode *node = node_of(e), *before = element_before(node);

	if (e->tag != GUMBO_TAG_DIV && e->tag != GUMBO_TAG_SECTION && e->tag != GUMBO_TAG_ARTICLE &&
	    e->tag != GUMBO_TAG_DD && e->tag != GUMBO_TAG_P && e->tag != GUMBO_TAG_LI &&
	    e->tag != GUMBO_TAG_UL)
		return false;
	if (!html_is(html_attribute(e, "role"), roles) && !html_is(html_attribute(e, "hidden"), found) &&
	    !(before && (opens(before, 0) || asks(before))))
		return false;
	html_measure(node, HTML_ALL, &sum);
	return sum.linked * 2 <= sum.letters;
}

static bool is_hidden(const GumboElement *e)
{
	static const char *const yes[] = { "true", NULL };

	return (html_attribute(e, "hidden") || html_is(html_attribute(e, "aria-hidden"), yes)) &&
	       !is_panel(e);
}

/* --- What is left out ------------------------------------------------------------------------------------------------ */

bool html_furniture(const GumboElement *e, enum html_view view)
{
	static const char *const never[] = { "dialog", "alertdialog", "navigation", "search",
		                             "menu",   "menubar",     NULL };
	static const char *const outside[] = { "banner", "contentinfo", NULL };
	const char *role = html_attribute(e, "role");

	if (is_machinery(e))
		return true;
	if (view == HTML_ALL)
		return false;
	if (e->tag == GUMBO_TAG_NAV || e->tag == GUMBO_TAG_DEL || html_is_unknown(e, "<dialog") ||
	    html_is(role, never) || is_hidden(e) || asks_consent(e) || html_has_class(e, "noprint") ||
	    html_has_class(e, "mw-editsection") || html_has_class(e, "breadcrumb") ||
	    html_has_class(e, "breadcrumbs"))
		return true;
	return view == HTML_PAGE && !html_is_of_section(e) &&
	       (e->tag == GUMBO_TAG_HEADER || e->tag == GUMBO_TAG_FOOTER || html_is(role, outside));
}

/* --- How much text is where --------------------------------------------------------------------------------------- */

static size_t letters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += !strchr(" \t\n\r", *s);
	return n;
}

static void measure(const GumboNode *node, enum html_view view, bool in_link, int depth,
                    struct html_amount *sum)
{
	const GumboVector *children;

	if (node->type == GUMBO_NODE_TEXT) {
		size_t n = letters(node->v.text.text);

		sum->letters += n;
		sum->linked += in_link ? n : 0;
	}
	if (node->type != GUMBO_NODE_ELEMENT || depth > HTML_DEPTH_MAX ||
	    html_furniture(&node->v.element, view))
		return;
	in_link = in_link || node->v.element.tag == GUMBO_TAG_A;
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		measure(children->data[i], view, in_link, depth + 1, sum);
}

void html_measure(const GumboNode *node, enum html_view view, struct html_amount *sum)
{
	measure(node, view, false, 0, sum);
}
