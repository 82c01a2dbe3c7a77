#include "svc-documents/helper/math.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

enum { DEPTH_MAX = 100 };

/* How an element is written. What is not in the table is a row of what it holds. */
enum form {
	ROW,
	LEAF,
	NOTHING,
	OVER,
	RAISED,
	LOWERED,
	BOTH,
	ROOT,
	ROOT_OF,
	INDEXED_ROOT,
	SUM,
	FENCE,
	TABLE,
	ACCENT,
	NAMED
};
static const struct {
	const char *name;
	enum form form;
} forms[] = {
	{ "mi", LEAF },
	{ "mn", LEAF },
	{ "mo", LEAF },
	{ "mtext", LEAF },
	{ "ms", LEAF },
	{ "t", LEAF },
	{ "mfrac", OVER },
	{ "f", OVER },
	{ "msup", RAISED },
	{ "sSup", RAISED },
	{ "limUpp", RAISED },
	{ "msub", LOWERED },
	{ "sSub", LOWERED },
	{ "limLow", LOWERED },
	{ "munder", LOWERED },
	{ "msubsup", BOTH },
	{ "sSubSup", BOTH },
	{ "munderover", BOTH },
	{ "msqrt", ROOT },
	{ "mroot", INDEXED_ROOT },
	{ "rad", ROOT_OF },
	{ "nary", SUM },
	{ "d", FENCE },
	{ "mfenced", FENCE },
	{ "mtable", TABLE },
	{ "m", TABLE },
	{ "eqArr", TABLE },
	{ "acc", ACCENT },
	{ "bar", ACCENT },
	{ "mover", ACCENT },
	{ "groupChr", ACCENT },
	{ "func", NAMED },
	{ "mphantom", NOTHING },
	{ "phant", NOTHING },
	{ "annotation", NOTHING },
	{ "annotation-xml", NOTHING },
};

static void write_node(const xmlNode *node, struct out *o, int depth);

static bool is_property(const char *name)
{
	size_t n = strlen(name);

	return n > 2 && strcmp(name + n - 2, "Pr") == 0;
}

static enum form form_of(const xmlNode *node)
{
	const char *name = (const char *)node->name;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (strcmp(forms[i].name, name) == 0)
			return forms[i].form;
	return is_property(name) ? NOTHING : ROW;
}

/* The element itself or the first behind it that is no property. */
static const xmlNode *part_from(const xmlNode *node)
{
	while (node && (node->type != XML_ELEMENT_NODE || is_property((const char *)node->name)))
		node = node->next;
	return node;
}

static const xmlNode *part(const xmlNode *node, int n)
{
	const xmlNode *one = part_from(node->children);

	while (one && n-- > 0)
		one = part_from(one->next);
	return one;
}

/* "val" of a property, "dPr" and "begChr"; or what it is without. */
static const char *property(const xmlNode *node, const char *name, const char *otherwise)
{
	const xmlNode *one = node->children;

	while (one && (one->type != XML_ELEMENT_NODE || !is_property((const char *)one->name)))
		one = one->next;
	for (one = one ? one->children : NULL; one; one = one->next) {
		if (one->type != XML_ELEMENT_NODE || strcmp((const char *)one->name, name) != 0)
			continue;
		for (const xmlAttr *a = one->properties; a; a = a->next)
			if (strcmp((const char *)a->name, "val") == 0)
				return a->children && a->children->content
				           ? (const char *)a->children->content
				           : "";
	}
	return otherwise;
}

static void put(struct out *o, const char *text)
{
	out_plain(o, text, strlen(text));
}

/* --- Parts that stay together ------------------------------------------------------------------------------------- */

/* From the first sign to the last. */
static bool is_in_brackets(const struct out *text)
{
	size_t open = 0;

	for (size_t i = 0; i < text->size; i++) {
		open += text->at[i] == '(';
		open -= text->at[i] == ')' && open > 0;
		if (open == 0)
			return i > 0 && i + 1 == text->size;
	}
	return false;
}

/* A number, a name, a single sign, or in brackets already. */
static bool is_simple(const struct out *text)
{
	size_t plain = 0, signs = 0;

	for (size_t i = 0; i < text->size; i++) {
		unsigned char c = (unsigned char)text->at[i];

		plain += isalnum(c) || c == '.';
		signs += (c & 0xc0) != 0x80;
	}
	return plain == text->size || signs <= 1 || is_in_brackets(text);
}

static void write_tight(const xmlNode *node, struct out *o, int depth)
{
	struct out text = { 0 };
	bool simple;

	if (node)
		write_node(node, &text, depth);
	simple = is_simple(&text);
	if (!simple)
		put(o, "(");
	if (text.size)
		out_plain(o, text.at, text.size);
	if (!simple)
		put(o, ")");
	free(text.at);
}

/* With the mark before it, if there is anything. */
static void write_index(const xmlNode *node, const char *mark, struct out *o, int depth)
{
	size_t start = o->size;

	put(o, mark);
	write_tight(node, o, depth);
	if (o->size == start + strlen(mark))
		o->size = start;
}

/* --- Forms -------------------------------------------------------------------------------------------------------- */

static void write_leaf(const xmlNode *node, struct out *o)
{
	xmlChar *text = xmlNodeGetContent(node);

	if (text) {
		out_text(o, (const char *)text, strlen((const char *)text));
		o->space = false;
	}
	xmlFree(text);
}

/* Letters that stand beside what is raised are not. */
static bool would_touch(const struct out *before, const struct out *next)
{
	unsigned char last, first;

	if (before->size == 0 || next->size == 0)
		return false;
	last = (unsigned char)before->at[before->size - 1];
	first = (unsigned char)*next->at;
	return (isalnum(last) || last >= 0x80 || last == ')') && (isalnum(first) || first >= 0xce);
}

static void write_row(const xmlNode *node, struct out *o, int depth)
{
	bool compound = false;

	for (const xmlNode *n = part_from(node->children); n; n = part_from(n->next)) {
		enum form form = form_of(n);
		struct out text = { 0 };

		write_node(n, &text, depth);
		if (would_touch(o, &text) && (compound || form == NAMED))
			put(o, " ");
		if (text.size) {
			out_plain(o, text.at, text.size);
			compound = form != LEAF && form != ROW && form != FENCE;
		}
		free(text.at);
	}
}

static void write_fence(const xmlNode *node, struct out *o, int depth)
{
	const char *between = property(node, "sepChr", ",");
	int n = 0;

	put(o, property(node, "begChr", "("));
	for (const xmlNode *one; (one = part(node, n)); n++) {
		if (n)
			put(o, *between ? between : ",");
		write_node(one, o, depth);
	}
	put(o, property(node, "endChr", ")"));
}

static void write_table(const xmlNode *node, struct out *o, int depth)
{
	const xmlNode *row, *cell;

	put(o, "[");
	for (int i = 0; (row = part(node, i)); i++) {
		bool cells =
		    strcmp((const char *)row->name, "mtr") == 0 || strcmp((const char *)row->name, "mr") == 0;

		put(o, i ? "; " : "");
		if (!cells)
			write_node(row, o, depth);
		for (int k = 0; cells && (cell = part(row, k)); k++) {
			put(o, k ? ", " : "");
			write_node(cell, o, depth);
		}
	}
	put(o, "]");
}

/* A sign over a letter is not said; words over an arrow are. */
static void write_accent(const xmlNode *node, struct out *o, int depth)
{
	const xmlNode *over = part(node, 1);

	if (part(node, 0))
		write_node(part(node, 0), o, depth);
	if (over && form_of(over) != LEAF)
		write_index(over, "^", o, depth);
}

static void write_sum(const xmlNode *node, struct out *o, int depth)
{
	put(o, property(node, "chr", "∫"));
	write_index(part(node, 0), "_", o, depth);
	write_index(part(node, 1), "^", o, depth);
	put(o, " ");
	if (part(node, 2))
		write_node(part(node, 2), o, depth);
}

static void write_root(const xmlNode *of, const xmlNode *index, struct out *o, int depth)
{
	write_index(index, "", o, depth);
	put(o, "√");
	write_tight(of, o, depth);
}

static void write_node(const xmlNode *node, struct out *o, int depth)
{
	enum form form = form_of(node);

	if (depth++ > DEPTH_MAX)
		return;
	switch (form) {
	case LEAF: write_leaf(node, o); break;
	case NOTHING: break;
	case OVER:
		write_tight(part(node, 0), o, depth);
		write_index(part(node, 1), "/", o, depth);
		break;
	case RAISED:
		write_tight(part(node, 0), o, depth);
		write_index(part(node, 1), "^", o, depth);
		break;
	case LOWERED:
	case BOTH:
		write_tight(part(node, 0), o, depth);
		write_index(part(node, 1), "_", o, depth);
		write_index(form == BOTH ? part(node, 2) : NULL, "^", o, depth);
		break;
	case ROOT:
		put(o, "√(");
		write_row(node, o, depth);
		put(o, ")");
		break;
	case ROOT_OF: write_root(part(node, 1), part(node, 0), o, depth); break;
	case INDEXED_ROOT: write_root(part(node, 0), part(node, 1), o, depth); break;
	case SUM: write_sum(node, o, depth); break;
	case FENCE: write_fence(node, o, depth); break;
	case TABLE: write_table(node, o, depth); break;
	case ACCENT: write_accent(node, o, depth); break;
	case NAMED:
	case ROW: write_row(node, o, depth); break;
	default: break;
	}
}

void math_write(const xmlNode *formula, struct out *o)
{
	write_row(formula, o, 0);
}
