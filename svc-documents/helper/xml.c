/*
 * XML of any kind: an element with nothing but text is a line "name: text", one that mixes text and elements a paragraph,
 * attributes are lines like elements. Titles are headings. Nothing is loaded, and entities of the document's own are refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/parts.h"

enum { NAME_SIZE = 80, LONG_TEXT = 200 /* bytes: it needs no name in front */ };

/* One element at a time waits to be told for what it is: a line of its own, or the beginning of something that holds
 * others. */
struct reading {
	xmlTextReaderPtr xml;
	struct out *o;
	struct out text;      /* of the one that waits, or of the paragraph */
	char name[NAME_SIZE]; /* of the one that waits; empty: none does */
	bool attributed;      /* and its attributes have been told */
	int mixed;            /* depth of the paragraph's element, -1: none */
};

static bool one_of(const char *name, const char *const *set)
{
	for (; *set; set++)
		if (strcasecmp(name, *set) == 0)
			return true;
	return false;
}

/* Within text: of DocBook, TEI, DITA, XHTML. */
static bool is_inline(const char *name)
{
	static const char *const names[] = { "b",        "i",    "u",     "em",      "strong", "a",
		                             "sup",      "sub",  "span",  "tt",      "code",   "hi",
		                             "emphasis", "link", "ulink", "xref",    "br",     "lb",
		                             "ref",      "term", "quote", "literal", "ph",     NULL };

	return one_of(name, names);
}

static bool is_title(const char *name)
{
	static const char *const names[] = { "title", "head", "heading", "headline", "h1", "h2", "h3", NULL };

	return one_of(name, names);
}

static bool needs_no_name(const char *name, size_t size)
{
	static const char *const names[] = { "p",    "para", "simpara", "text", "li",
		                             "line", "l",    "content", "body", NULL };

	return size > LONG_TEXT || one_of(name, names);
}

/* Feeds hold pages. */
static void write_value(struct reading *r)
{
	struct out page = { 0 };

	if (memmem(r->text.at, r->text.size, "</", 2))
		html_read(r->text.at, r->text.size, &page);
	if (page.size)
		out_plain(r->o, page.at, page.size);
	else
		out_plain(r->o, r->text.at, r->text.size);
	free(page.at);
}

static void write_waiting(struct reading *r)
{
	const char *name = r->name;
	struct out *o = r->o;

	if (r->text.size == 0) {
		r->name[0] = '\0';
		return;
	}
	if (is_title(name)) {
		if (!*o->title && r->text.size < sizeof o->title)
			snprintf(o->title, sizeof o->title, "%.*s", (int)r->text.size, r->text.at);
		out_break(o, 2);
		out_plain(o, "## ", 3);
	} else if (*name && !needs_no_name(name, r->text.size)) {
		out_break(o, 1);
		out_plain(o, name, strlen(name));
		out_plain(o, ": ", 2);
	} else {
		out_break(o, 2);
	}
	write_value(r);
	out_break(o, is_title(name) || !*name || needs_no_name(name, r->text.size) ? 2 : 1);
	r->text.size = 0;
	r->text.space = false;
	r->name[0] = '\0';
}

static bool write_attributes(struct reading *r)
{
	size_t before = r->o->size;

	if (xmlTextReaderMoveToFirstAttribute(r->xml) != 1)
		return false;
	do {
		const char *value = (const char *)xmlTextReaderConstValue(r->xml);
		const char *prefix = (const char *)xmlTextReaderConstPrefix(r->xml);

		if (!value || xmlTextReaderIsNamespaceDecl(r->xml) == 1 ||
		    (prefix && (strcmp(prefix, "xsi") == 0 || strcmp(prefix, "xml") == 0)))
			continue;
		snprintf(r->name, sizeof r->name, "%s", xml_name(r->xml));
		out_text(&r->text, value, strlen(value));
		write_waiting(r);
	} while (xmlTextReaderMoveToNextAttribute(r->xml) == 1);
	xmlTextReaderMoveToElement(r->xml);
	return r->o->size > before;
}

static void begin(struct reading *r)
{
	const char *name = xml_name(r->xml);
	bool empty = xmlTextReaderIsEmptyElement(r->xml) == 1;

	if (r->mixed < 0 && (r->text.size || is_inline(name)))
		r->mixed =
		    xmlTextReaderDepth(r->xml) - 1; /* what stands round it holds text beside elements */
	if (r->mixed >= 0) {
		out_text(&r->text, " ", is_inline(name) ? 0 : 1);
		return;
	}
	if (*r->name && !r->attributed)
		out_break(r->o, 2); /* the one that waits holds others, then: it stands apart */
	r->attributed = write_attributes(r);
	if (!empty)
		snprintf(r->name, sizeof r->name, "%s", name);
}

static void finish(struct reading *r)
{
	int depth = xmlTextReaderDepth(r->xml);

	if (r->mixed >= 0 && depth > r->mixed) {
		out_text(&r->text, " ", is_inline(xml_name(r->xml)) ? 0 : 1);
		return;
	}
	r->mixed = -1;
	if (*r->name || r->text.size)
		write_waiting(r);
	else
		out_break(r->o, 2);
}

void xml_read(const char *bytes, size_t size, struct out *o)
{
	struct reading r = { .o = o, .mixed = -1 };
	struct part all = { .bytes = (char *)bytes, .size = size };
	int rc;

	xml_refuse_entities(bytes, size);
	r.xml = xml_open_utf8(&all);
	while ((rc = xmlTextReaderRead(r.xml)) == 1) {
		const char *value = (const char *)xmlTextReaderConstValue(r.xml);

		switch (xmlTextReaderNodeType(r.xml)) {
		case XML_READER_TYPE_ELEMENT: begin(&r); break;
		case XML_READER_TYPE_END_ELEMENT: finish(&r); break;
		case XML_READER_TYPE_TEXT:
		case XML_READER_TYPE_CDATA:
		case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
			if (value)
				out_text(&r.text, value, strlen(value));
			break;
		default: break;
		}
	}
	if (rc < 0) {
		write_waiting(&r);
		if (o->size == 0)
			end(VERDICT_DAMAGED, "no XML");
		snprintf(o->warning, sizeof o->warning,
		         "The XML is damaged: what stands behind the damage is missing.");
	}
	free(r.text.at);
	xmlFreeTextReader(r.xml);
}
