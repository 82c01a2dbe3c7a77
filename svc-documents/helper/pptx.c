/* The text of a presentation: each slide is a page, its title a heading; what the speaker notes follows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/parts.h"

static bool wanted(const char *name)
{
	return strncmp(name, "ppt/slides/slide", 16) == 0 ||
	       strncmp(name, "ppt/notesSlides/notesSlide", 26) == 0 || strcmp(name, "docProps/core.xml") == 0;
}

struct slide {
	struct out *o;
	bool title, apart; /* within a title; within the number, date or footer of the slide */
	bool text, table;
	bool written; /* the title's sign */
};

static void start(struct slide *s, xmlTextReaderPtr xml)
{
	char type[24];

	s->text = xml_is(xml, "t") && !xmlTextReaderIsEmptyElement(xml);
	if (xml_is(xml, "sp"))
		s->title = s->apart = s->written = false;
	else if (xml_is(xml, "ph") && xml_attribute(xml, "type", type, sizeof type)) {
		s->title = strcmp(type, "title") == 0 || strcmp(type, "ctrTitle") == 0;
		s->apart = strcmp(type, "sldNum") == 0 || strcmp(type, "dt") == 0 || strcmp(type, "ftr") == 0;
	} else if (xml_is(xml, "tbl")) {
		s->table = true;
		out_break(s->o, 2);
	} else if (xml_is(xml, "br")) {
		s->o->space = true;
	}
}

static void stop(struct slide *s, xmlTextReaderPtr xml)
{
	s->text = false;
	if (xml_is(xml, "p") && s->table)
		s->o->space = true;
	else if (xml_is(xml, "p") && s->title)
		s->o->space = true; /* a title is one line */
	else if (xml_is(xml, "p"))
		out_break(s->o, 1);
	else if (xml_is(xml, "sp"))
		out_break(s->o, 2);
	else if (xml_is(xml, "tc")) {
		s->o->space = true;
		out_plain(s->o, "|", 1);
		s->o->space = true;
	} else if (xml_is(xml, "tr")) {
		if (s->o->size > 1 && s->o->at[s->o->size - 1] == '|')
			s->o->size -= 2;
		out_break(s->o, 1);
	} else if (xml_is(xml, "tbl")) {
		s->table = false;
		out_break(s->o, 2);
	}
}

static void write_part(const struct part *p, struct out *o)
{
	struct slide s = { .o = o };
	xmlTextReaderPtr xml = xml_open(p);
	int type;

	while ((type = xml_next(xml))) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT) {
			start(&s, xml);
		} else if (type == XML_READER_TYPE_END_ELEMENT) {
			stop(&s, xml);
		} else if (s.text && !s.apart && text) {
			if (s.title && !s.written) {
				out_break(o, 2);
				out_plain(o, "#", 1);
				o->space = true;
				s.written = true;
			}
			out_text(o, text, strlen(text));
		}
	}
	out_break(o, 2);
	xmlFreeTextReader(xml);
}

void pptx_read(int file, struct out *o)
{
	struct parts parts;
	bool any = false;

	parts_read(file, wanted, &parts);
	parts_sort(&parts);
	parts_title(&parts, o);
	for (size_t i = 0; i < parts.count; i++) {
		const struct part *notes;
		char name[80];

		if (strncmp(parts.at[i].name, "ppt/slides/", 11) != 0)
			continue;
		if (any)
			out_plain(o, "\f", 1);
		any = true;
		write_part(&parts.at[i], o);
		snprintf(name, sizeof name, "ppt/notesSlides/notesSlide%s", parts.at[i].name + 16);
		notes = parts_find(&parts, name);
		if (notes)
			write_part(notes, o);
	}
	if (!any)
		end(VERDICT_DAMAGED, "no slides");
	o->newlines = 0;
	out_plain(o, "\f", 1);
}
