/* The text of a presentation: each slide is a page, its title a heading; what the speaker notes follows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/docx.h"
#include "svc-documents/helper/math.h"

static bool wanted(const char *name)
{
	return strncmp(name, "ppt/slides/", 11) == 0 || strncmp(name, "ppt/diagrams/data", 17) == 0 ||
	       strncmp(name, "ppt/notesSlides/notesSlide", 26) == 0 ||
	       strcmp(name, "ppt/presentation.xml") == 0 ||
	       strcmp(name, "ppt/_rels/presentation.xml.rels") == 0 || strcmp(name, "docProps/core.xml") == 0;
}

struct slide {
	const struct parts *parts;
	const char *name;
	struct out title, body;
	struct docx_tables *tables;
	bool in_title, apart; /* within a title; within the number, date or footer of the slide */
	bool text, raised;
	size_t before; /* what was written before the ways to show one thing */
};

static struct out *place(struct slide *s)
{
	return s->in_title ? &s->title : &s->body;
}

/* What other parts hold, or pictures show. */
static bool start_of_guest(struct slide *s, xmlTextReaderPtr xml)
{
	const struct part *diagram;
	char id[40];

	if (xml_is(xml, "relIds") && xml_attribute(xml, "dm", id, sizeof id)) {
		diagram = parts_related(s->parts, s->name, id, NULL);
		out_break(&s->body, 2);
		if (diagram)
			diagram_write(diagram, &s->body);
		out_break(&s->body, 2);
	} else if (xml_is(xml, "cNvPr")) {
		picture_describe(xml, &s->body);
	} else {
		return false;
	}
	return true;
}

static bool start_of_table(struct slide *s, xmlTextReaderPtr xml)
{
	if (xml_is(xml, "tbl")) {
		docx_table_begin(s->tables, &s->body);
	} else if (xml_is(xml, "tr")) {
		docx_row_begin(s->tables, &s->body);
	} else if (xml_is(xml, "tc")) {
		docx_cell_begin(s->tables, &s->body);
		docx_cell_span(s->tables, xml_number(xml, "gridSpan", 1));
		if (xml_number(xml, "rowSpan", 1) > 1 || xml_number(xml, "vMerge", 0))
			docx_cell_merge(s->tables, xml_number(xml, "vMerge", 0) != 0);
	} else {
		return false;
	}
	return true;
}

static void start(struct slide *s, xmlTextReaderPtr xml)
{
	char type[24];

	s->text = xml_is(xml, "t") && !xmlTextReaderIsEmptyElement(xml);
	if (xml_is(xml, "sp")) {
		s->in_title = s->apart = false;
	} else if (xml_is(xml, "ph") && xml_attribute(xml, "type", type, sizeof type)) {
		s->in_title = strcmp(type, "title") == 0 || strcmp(type, "ctrTitle") == 0;
		s->apart = strcmp(type, "sldNum") == 0 || strcmp(type, "dt") == 0 || strcmp(type, "ftr") == 0;
	} else if (xml_is(xml, "br")) {
		place(s)->space = true;
	} else if (xml_is(xml, "r")) {
		s->raised = false;
	} else if (xml_is(xml, "rPr")) {
		s->raised = xml_number(xml, "baseline", 0) > 0;
	} else if (xml_is(xml, "AlternateContent")) {
		s->before = s->body.size + s->title.size;
	} else if (!start_of_table(s, xml)) {
		start_of_guest(s, xml);
	}
}

static void stop(struct slide *s, xmlTextReaderPtr xml)
{
	s->text = false;
	if (xml_is(xml, "p") && (docx_tables_depth(s->tables) || s->in_title))
		place(s)->space = true; /* a title is one line */
	else if (xml_is(xml, "p"))
		out_break(&s->body, 1);
	else if (xml_is(xml, "sp"))
		out_break(&s->body, 2);
	else if (xml_is(xml, "tc"))
		docx_cell_end(s->tables, &s->body);
	else if (xml_is(xml, "tr"))
		docx_row_end(s->tables, &s->body);
	else if (xml_is(xml, "tbl"))
		docx_table_end(s->tables, &s->body);
}

static void write_text(struct slide *s, const char *text)
{
	if (s->raised && *text && text[strspn(text, "0123456789+-")] == '\0') /* 10^6 */
		out_plain(place(s), "^", 1);
	out_text(place(s), text, strlen(text));
}

/* The slide's number and the day; the part of a cell that is another's; what has been shown in a newer way. */
static bool is_left_out(const struct slide *s, xmlTextReaderPtr xml)
{
	return xml_is(xml, "fld") || (xml_is(xml, "tc") && xml_number(xml, "hMerge", 0)) ||
	       (xml_is(xml, "Fallback") && s->before != s->body.size + s->title.size);
}

static bool is_shown(xmlTextReaderPtr xml)
{
	char show[8];

	return !xml_attribute(xml, "show", show, sizeof show) || !(*show == '0' || *show == 'f');
}

static void read_slide(struct slide *s, const struct part *p)
{
	xmlTextReaderPtr xml = xml_open(p);
	int type = xml_next(xml);
	const xmlNode *formula;

	while (type) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "sld") && !is_shown(xml))
			break; /* nobody sees it */
		if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "oMath") &&
		    (formula = xmlTextReaderExpand(xml)))
			math_write(formula, place(s));
		if (type == XML_READER_TYPE_ELEMENT && (is_left_out(s, xml) || xml_is(xml, "oMath"))) {
			type = xml_pass_over(xml);
			continue;
		}
		if (type == XML_READER_TYPE_ELEMENT)
			start(s, xml);
		else if (type == XML_READER_TYPE_END_ELEMENT)
			stop(s, xml);
		else if (s->text && !s->apart && text)
			write_text(s, text);
		type = xml_next(xml);
	}
	xmlFreeTextReader(xml);
}

/* The title first, wherever it stands in the file. false: nobody sees it, nor its notes. */
static bool write_part(const struct parts *parts, const struct part *p, struct out *o)
{
	struct slide s = { .parts = parts, .name = p->name, .tables = docx_tables_open() };
	bool any;

	read_slide(&s, p);
	any = s.title.size || s.body.size;
	if (s.title.size) {
		out_break(o, 2);
		out_plain(o, "#", 1);
		o->space = true;
		out_plain(o, s.title.at, s.title.size);
	}
	out_break(o, 2);
	if (s.body.size)
		out_plain(o, s.body.at, s.body.size);
	out_break(o, 2);
	free(s.title.at);
	free(s.body.at);
	free(s.tables);
	return any;
}

static void write_slide(const struct parts *parts, const struct part *p, bool first, struct out *o)
{
	const struct part *notes = parts_related(parts, p->name, NULL, "/notesSlide");
	char name[80];

	if (!notes) {
		snprintf(name, sizeof name, "ppt/notesSlides/notesSlide%s",
		         p->name + strlen("ppt/slides/slide"));
		notes = parts_find(parts, name);
	}
	if (!first)
		out_plain(o, "\f", 1);
	if (write_part(parts, p, o) && notes)
		write_part(parts, notes, o);
}

/* In the order of the presentation. */
static int write_listed(const struct parts *parts, struct out *o)
{
	const struct part *list = parts_find(parts, "ppt/presentation.xml"), *slide;
	xmlTextReaderPtr xml;
	int type, count = 0;
	char id[40];

	if (!list)
		return 0;
	xml = xml_open(list);
	while ((type = xml_next(xml)) && count < PAGES_MAX) {
		if (type != XML_READER_TYPE_ELEMENT || !xml_is(xml, "sldId"))
			continue;
		if (!xml_attribute_of(xml, "r:id", id, sizeof id) ||
		    !(slide = parts_related(parts, list->name, id, NULL)) ||
		    strncmp(slide->name, "ppt/slides/slide", 16) != 0)
			continue;
		write_slide(parts, slide, count++ == 0, o);
	}
	xmlFreeTextReader(xml);
	return count;
}

void pptx_read(int file, struct out *o)
{
	struct parts parts;
	int count;

	parts_read(file, wanted, &parts);
	parts_sort(&parts);
	parts_title(&parts, o);
	count = write_listed(&parts, o);
	for (size_t i = 0, listed = (size_t)count; !listed && i < parts.count; i++)
		if (strncmp(parts.at[i].name, "ppt/slides/slide", 16) == 0)
			write_slide(&parts, &parts.at[i], count++ == 0, o);
	if (!count)
		end(VERDICT_DAMAGED, "no slides");
	o->newlines = 0;
	out_plain(o, "\f", 1);
}
