/* A part of a page as Markdown. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/html.h"

enum { BUTTON_WORDS = 3 };
enum { LOOKED_AT_LINK = 1, LOOKED_AT_BUTTON = 2, LOOKED_AT_LISTING = 4, LOOKED_AT = 8 };

static void write_node(const GumboNode *node, struct html_writer w);

int html_heading_level(GumboTag tag)
{
	return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? (int)(tag - GUMBO_TAG_H1) + 1 : 0;
}

int html_breaks(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_BR:
	case GUMBO_TAG_LI:
	case GUMBO_TAG_TR:
	case GUMBO_TAG_DD:
	case GUMBO_TAG_LABEL:
	case GUMBO_TAG_TD: /* of a table that is no table */
	case GUMBO_TAG_TH:
	case GUMBO_TAG_BUTTON: return 1;
	case GUMBO_TAG_P:
	case GUMBO_TAG_DIV:
	case GUMBO_TAG_SECTION:
	case GUMBO_TAG_ARTICLE:
	case GUMBO_TAG_ASIDE:
	case GUMBO_TAG_MAIN:
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_FOOTER:
	case GUMBO_TAG_FORM:
	case GUMBO_TAG_FIELDSET:
	case GUMBO_TAG_LEGEND:
	case GUMBO_TAG_DETAILS:
	case GUMBO_TAG_SUMMARY:
	case GUMBO_TAG_BLOCKQUOTE:
	case GUMBO_TAG_PRE:
	case GUMBO_TAG_UL:
	case GUMBO_TAG_OL:
	case GUMBO_TAG_DL:
	case GUMBO_TAG_TABLE:
	case GUMBO_TAG_CAPTION:
	case GUMBO_TAG_FIGURE:
	case GUMBO_TAG_FIGCAPTION:
	case GUMBO_TAG_ADDRESS:
	case GUMBO_TAG_HR:
	case GUMBO_TAG_DT:
	case GUMBO_TAG_BODY: return 2;
	default: return html_heading_level(tag) ? 2 : 0;
	}
}

/* --- What is left out --------------------------------------------------------------------------------------------- */

/* A list that is nearly all links is a menu. */
static bool is_menu(const GumboNode *node, enum html_view view)
{
	struct html_amount sum = { 0 };
	GumboTag tag = node->v.element.tag;

	if (view != HTML_PAGE || (tag != GUMBO_TAG_UL && tag != GUMBO_TAG_OL))
		return false;
	html_measure(node, view, &sum);
	return sum.linked * 10 > sum.letters * 8;
}

/* What a part says, for a look at it. What stands in a part that is looked at is not looked at again for the same: each
 * of a thousand that are nested would be written as often as there are outside it, and twice for each of those. */
static void look_into(const GumboNode *node, const struct html_writer *w, struct out *ret)
{
	struct html_writer look = { .o = ret,
		                    .view = HTML_ALL,
		                    .cell = true,
		                    .depth = w->depth + 1,
		                    .looked = w->looked | LOOKED_AT };

	html_write_children(node, look);
}

/* Nothing to read: an arrow, a section sign, nothing at all. */
static bool is_sign(const GumboNode *node, struct html_writer *w)
{
	struct out o = { 0 };
	bool sign = true;

	w->looked |= LOOKED_AT_LINK;
	look_into(node, w, &o);
	for (size_t i = 0; sign && i < o.size; i++) {
		unsigned char c = (unsigned char)o.at[i];

		/* U+00A0 to U+00BF, and U+2000 to U+2FFF: signs all */
		if (c == 0xc2)
			i += 1;
		else if (c == 0xe2 || c == 0xef)
			i += 2;
		else
			sign = c < 0x80 && !isalnum(c);
	}
	free(o.at);
	return sign;
}

/* Within the page: the sign behind a heading that leads to itself, the arrow back from a note, the jump past a menu. */
static bool is_anchor(const GumboNode *node, struct html_writer *w)
{
	const GumboElement *e = &node->v.element;
	const char *class = html_attribute(e, "class"), *href = html_attribute(e, "href");

	if (e->tag != GUMBO_TAG_A)
		return false;
	if (class && (strstr(class, "headerlink") || strstr(class, "anchor")))
		return true;
	return href && *href == '#' &&
	       ((class && (strcasestr(class, "skip") || strcasestr(class, "jump"))) ||
	        (!(w->looked & LOOKED_AT_LINK) && is_sign(node, w)));
}

static int words_in(const GumboNode *node, struct html_writer *w)
{
	struct out o = { 0 };
	int words = 0;

	w->looked |= LOOKED_AT_BUTTON;
	look_into(node, w, &o);
	for (size_t i = 0; i < o.size; i++)
		words += o.at[i] == ' ';
	free(o.at);
	return words + (o.size > 0);
}

/* "OK" is no text of the page; a question that opens its answer is. */
static bool is_plain_button(const GumboNode *node, struct html_writer *w)
{
	const GumboElement *e = &node->v.element;

	return e->tag == GUMBO_TAG_BUTTON && !w->heading && !html_attribute(e, "aria-expanded") &&
	       !(w->looked & LOOKED_AT_BUTTON) && words_in(node, w) < BUTTON_WORDS;
}

/* The numbers beside a listing: nothing but digits and the ends of lines. */
static bool is_line_numbers(const GumboNode *node, struct html_writer *w)
{
	struct out o = { 0 };
	bool numbers;

	if (node->v.element.tag != GUMBO_TAG_PRE || w->cell || (w->looked & LOOKED_AT_LISTING))
		return false;
	w->looked |= LOOKED_AT_LISTING;
	look_into(node, w, &o);
	numbers = o.size > 0;
	for (size_t i = 0; i < o.size; i++)
		numbers = numbers && strchr("0123456789 ", o.at[i]);
	free(o.at);
	return numbers;
}

/* --- Small things ------------------------------------------------------------------------------------------------- */

/* What says of itself that it leads to a note. */
static bool is_note(const GumboElement *e)
{
	static const char *const roles[] = { "doc-noteref", "noteref", NULL };

	return e->tag == GUMBO_TAG_A &&
	       (html_is(html_attribute(e, "role"), roles) || html_is(html_attribute(e, "epub:type"), roles));
}

/* 10^6; a note's mark as [3]; "th" of 4th as it is. */
static void write_raised(const GumboNode *node, struct html_writer w)
{
	struct out inner = { 0 };
	const GumboNode *up = node->parent;
	bool number, note = is_note(&node->v.element) ||
	                    (up && up->type == GUMBO_NODE_ELEMENT && up->v.element.tag == GUMBO_TAG_A);

	look_into(node, &w, &inner);
	for (unsigned i = 0; i < node->v.element.children.length; i++) {
		const GumboNode *c = node->v.element.children.data[i];

		note = note || (c->type == GUMBO_NODE_ELEMENT && c->v.element.tag == GUMBO_TAG_A);
	}
	number = inner.size > 0;
	for (size_t i = 0; i < inner.size; i++)
		number = number && strchr("0123456789+-", inner.at[i]);
	if (number && note)
		out_plain(w.o, "[", 1);
	else if (number)
		out_plain(w.o, "^", 1);
	out_text(w.o, inner.at ? inner.at : "", inner.size);
	if (number && note)
		out_plain(w.o, "]", 1);
	free(inner.at);
}

static long number_in(const GumboElement *e, const char *name, long otherwise)
{
	const char *value = html_attribute(e, name);
	char *end;
	long n = value ? strtol(value, &end, 10) : otherwise;

	return value && (end == value || n < -100000 || n > 100000) ? otherwise : n;
}

/* "3.", "c.": what stands before an item. */
static void print_mark(const GumboNode *item, const struct html_writer *w, char *text, size_t size)
{
	const char *type = w->list ? html_attribute(&w->list->v.element, "type") : NULL;
	long n = w->number;

	if (!w->list || item->parent != w->list)
		snprintf(text, size, "-");
	else if (type && (*type == 'a' || *type == 'A') && n >= 1 && n <= 26)
		snprintf(text, size, "%c.", (int)(*type + n - 1));
	else
		snprintf(text, size, "%ld.", n);
}

static void lead_in(const GumboNode *node, struct html_writer *w)
{
	const GumboElement *e = &node->v.element;
	int level = html_heading_level(e->tag);
	char mark[32];

	if (level && !w->cell) {
		out_plain(w->o, "######", (size_t)level);
		w->o->space = true;
		w->heading = true;
	} else if (e->tag == GUMBO_TAG_LI && !w->cell) {
		print_mark(node, w, mark, sizeof mark);
		out_plain(w->o, mark, strlen(mark));
		w->o->space = true;
		w->o->mark = w->o->size; /* its first paragraph stands beside it */
	}
}

static void write_picture(const GumboNode *node, struct html_writer w)
{
	const char *words = w.looked & LOOKED_AT ? NULL : html_picture(node);

	if (!words)
		return;
	w.o->space = true;
	out_text(w.o, words, strlen(words));
	w.o->space = true;
}

static void write_text(const char *text, struct html_writer w)
{
	if (w.pre && !w.cell)
		out_plain(w.o, text, strlen(text));
	else
		out_text(w.o, text, strlen(text));
}

static void write_fence(struct html_writer w)
{
	out_break(w.o, 1);
	out_plain(w.o, "```", 3);
	out_break(w.o, 1);
}

/* Code keeps its lines, between fences: a # in it makes no heading. */
static void write_code(const GumboNode *node, struct html_writer w)
{
	size_t start = w.o->size;

	w.o->mark = 0;
	out_break(w.o, 2);
	write_fence(w);
	w.pre = true;
	html_write_children(node, w);
	if (w.o->size > start && w.o->at[w.o->size - 1] == '\n')
		w.o->size--;
	write_fence(w);
	out_break(w.o, 2);
}

/* --- Anything ----------------------------------------------------------------------------------------------------- */

static void write_node(const GumboNode *node, struct html_writer w)
{
	const GumboElement *e = &node->v.element;
	int owed;

	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
	    node->type == GUMBO_NODE_CDATA) {
		write_text(node->v.text.text, w);
		return;
	}
	if (node->type != GUMBO_NODE_ELEMENT || w.depth > HTML_DEPTH_MAX || html_furniture(e, w.view) ||
	    is_menu(node, w.view) || is_anchor(node, &w) || is_plain_button(node, &w) ||
	    is_line_numbers(node, &w))
		return;
	owed = html_breaks(e->tag);
	if (e->tag == GUMBO_TAG_LI || html_heading_level(e->tag))
		w.o->mark = 0;
	if (w.cell || w.heading)
		w.o->space = w.o->space || owed;
	else if (owed)
		out_break(w.o, owed);
	w.depth++;
	if (e->tag == GUMBO_TAG_MAIN || e->tag == GUMBO_TAG_ARTICLE)
		w.view = w.view == HTML_PAGE ? HTML_CONTENT : w.view;
	if (e->tag == GUMBO_TAG_SUP || is_note(e)) {
		write_raised(node, w);
	} else if (e->tag == GUMBO_TAG_IMG) {
		write_picture(node, w);
	} else if (e->tag == GUMBO_TAG_MATH) {
		html_write_math(node, w.o);
	} else if (e->tag == GUMBO_TAG_TABLE && !w.cell && html_holds_data(node)) {
		html_write_table(node, w);
	} else if (e->tag == GUMBO_TAG_PRE && !w.cell && !w.heading && !w.pre) {
		write_code(node, w);
	} else {
		struct html_writer inner = w;

		if (e->children.length)
			lead_in(node, &inner);
		html_write_children(node, inner);
	}
	if (e->tag == GUMBO_TAG_LI)
		w.o->mark = 0;
	if (w.cell || w.heading)
		w.o->space = w.o->space || owed;
	else if (owed)
		out_break(w.o, owed);
}

/* As a browser counts: from the list's start, on from an item's own value. */
static void count_item(const GumboNode *child, struct html_writer *w)
{
	if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == GUMBO_TAG_LI)
		w->number = number_in(&child->v.element, "value", w->number + 1);
}

void html_write_children(const GumboNode *node, struct html_writer w)
{
	const GumboElement *e = &node->v.element;

	if (e->tag == GUMBO_TAG_OL) {
		w.list = node;
		w.number = number_in(e, "start", 1) - 1;
	}
	for (unsigned i = 0; i < e->children.length; i++) {
		if (e->tag == GUMBO_TAG_OL)
			count_item(e->children.data[i], &w);
		write_node(e->children.data[i], w);
	}
}

void html_write(const GumboNode *node, struct out *o, enum html_view view)
{
	write_node(node, (struct html_writer){ .o = o, .view = view });
}
