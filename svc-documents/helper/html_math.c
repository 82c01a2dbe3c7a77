/* Formulas of a page. */
#include <stdio.h>
#include <string.h>

#include "svc-documents/helper/html.h"
#include "svc-documents/helper/math.h"

enum { DEPTH = 100, NAME_SIZE = 32 };

/* The parser knows few of the names; those of the others stand in the page. */
static void name_of(const GumboElement *e, char *ret)
{
	GumboStringPiece tag = e->original_tag;
	size_t n;

	if (e->tag != GUMBO_TAG_UNKNOWN) {
		snprintf(ret, NAME_SIZE, "%s", gumbo_normalized_tagname(e->tag));
		return;
	}
	gumbo_tag_from_original_text(&tag);
	n = tag.length < NAME_SIZE - 1 ? tag.length : NAME_SIZE - 1;
	memcpy(ret, tag.data ? tag.data : "", n);
	ret[n] = '\0';
}

static void copy_children(const GumboNode *from, xmlNode *to, int depth)
{
	const GumboVector *children = &from->v.element.children;
	char name[NAME_SIZE];

	for (unsigned i = 0; depth < DEPTH && i < children->length; i++) {
		const GumboNode *c = children->data[i];

		if (c->type == GUMBO_NODE_TEXT || c->type == GUMBO_NODE_WHITESPACE) {
			xmlAddChild(to, xmlNewText((const xmlChar *)c->v.text.text));
		} else if (c->type == GUMBO_NODE_ELEMENT) {
			name_of(&c->v.element, name);
			copy_children(c, xmlNewChild(to, NULL, (const xmlChar *)name, NULL), depth + 1);
		}
	}
}

void html_write_math(const GumboNode *node, struct out *o)
{
	xmlNode *copy = xmlNewNode(NULL, (const xmlChar *)"math");

	if (!copy)
		end(VERDICT_TOO_LARGE, "out of memory");
	copy_children(node, copy, 0);
	math_write(copy, o);
	xmlFreeNode(copy);
}
