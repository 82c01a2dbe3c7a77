/* What a small part of a page says, at a glance: never more than so much of it is looked at. */
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/html.h"

struct glance {
	char *text;
	size_t size, room;
	int nodes; /* that may still be looked at */
};

static void look(const GumboNode *node, struct glance *g)
{
	if (g->nodes-- <= 0)
		return;
	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) {
		for (const char *s = node->v.text.text; *s && g->size < g->room; s++)
			if (!strchr(" \t\r\n", *s))
				g->text[g->size++] = *s;
			else if (g->size && g->text[g->size - 1] != ' ')
				g->text[g->size++] = ' ';
	}
	if (node->type != GUMBO_NODE_ELEMENT || node->v.element.tag == GUMBO_TAG_SCRIPT ||
	    node->v.element.tag == GUMBO_TAG_STYLE)
		return;
	for (unsigned i = 0; i < node->v.element.children.length && g->nodes > 0; i++)
		look(node->v.element.children.data[i], g);
}

bool html_glance(const GumboNode *node, char *text, size_t size)
{
	struct glance g = { text, 0, size - 1, HTML_GLANCE_NODES };

	look(node, &g);
	text[g.size] = '\0';
	return g.nodes > 0 && g.size < g.room;
}

/* --- Consent -------------------------------------------------------------------------------------------------------- */

static bool says_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

/* A link that leads elsewhere, to what is said of "Allow", is none. */
static bool is_clicked(const GumboElement *e)
{
	static const char *const roles[] = { "button", NULL };
	const char *href = html_attribute(e, "href");

	return e->tag == GUMBO_TAG_BUTTON || html_is(html_attribute(e, "role"), roles) ||
	       (e->tag == GUMBO_TAG_A &&
	        (!href || !*href || strcmp(href, "#") == 0 || strncasecmp(href, "javascript:", 11) == 0));
}

/* A word of agreement on a thing to click. */
static bool has_agreement(const GumboNode *node, int *nodes)
{
	static const char *const words[] = {
		"accept", "agree",    "allow",   "akzept",  "zustimm",  "einverst", "acept",   "accett",
		"aceit",  "akceptuj", "zgadzam", "souhlas", "prihva",   "sprejm",   "godkänn", "tillad",
		"godta",  "hyväks",   "elfogad", "kabul",   "toestaan", "принять",  "Принять", "соглас",
		"Соглас", "同意",     "接受",    "許可",    "동의",     "수락",     "אישור",   "قبول",
		"موافق",  "αποδοχή",  "Αποδοχή", NULL
	};
	const GumboElement *e = &node->v.element;
	char text[80];

	if (node->type != GUMBO_NODE_ELEMENT || --*nodes <= 0)
		return false;
	if (is_clicked(e))
		return html_glance(node, text, sizeof text) && says_one_of(text, words);
	for (unsigned i = 0; i < e->children.length; i++)
		if (has_agreement(e->children.data[i], nodes))
			return true;
	return false;
}

/* A small page, with such a part in it, is none as a whole. */
static bool holds_page(const GumboNode *node)
{
	const GumboElement *e = &node->v.element;

	if (node->type != GUMBO_NODE_ELEMENT)
		return false;
	if (e->tag == GUMBO_TAG_H1 || e->tag == GUMBO_TAG_MAIN || e->tag == GUMBO_TAG_ARTICLE ||
	    e->tag == GUMBO_TAG_NAV)
		return true;
	for (unsigned i = 0; i < e->children.length; i++)
		if (holds_page(e->children.data[i]))
			return true;
	return false;
}

bool html_begs_consent(const GumboNode *node)
{
	static const char *const cookies[] = { "cookie", "kakor", "куки", "Куки", "クッキー", "쿠키", NULL };
	int nodes = HTML_GLANCE_NODES;
	char text[1200];

	return html_glance(node, text, sizeof text) && says_one_of(text, cookies) &&
	       has_agreement(node, &nodes) && !holds_page(node);
}

/* --- Pictures --------------------------------------------------------------------------------------------------------- */

/* A name of a file, or of the kind of picture, says nothing of it. */
static bool is_telling(const char *alt)
{
	static const char *const idle[] = { "image",  "img",   "photo",  "picture", "cover",
		                            "avatar", "thumb", "banner", "bullet",  "spacer",
		                            "foto",   "bild",  NULL };
	const char *dot = strrchr(alt, '.');

	if (html_is(alt, idle) || strcasestr(alt, "logo") || strcasestr(alt, "icon") || strlen(alt) > 500)
		return false;
	return !(dot && strlen(dot) >= 4 && strlen(dot) <= 5 && !strchr(dot, ' ')) && !strstr(alt, "://");
}

const char *html_picture(const GumboNode *node)
{
	static const char *const none[] = { "presentation", "none", NULL };
	const GumboElement *e = &node->v.element;
	const char *alt = html_attribute(e, "alt");
	const GumboNode *up = node->parent;
	char text[2000];

	if (!alt || html_is(html_attribute(e, "role"), none))
		return NULL;
	alt += strspn(alt, " \t\r\n");
	if (!*alt || !is_telling(alt))
		return NULL;
	/* What stands beside it says the same, often: a caption, the name of what is shown. */
	for (int i = 0; i < 4 && up && up->type == GUMBO_NODE_ELEMENT; i++, up = up->parent) {
		bool whole = html_glance(up, text, sizeof text);

		if (strcasestr(text, alt))
			return NULL;
		if (!whole)
			break;
	}
	return alt;
}
