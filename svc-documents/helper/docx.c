/* The text of a Word document, as Markdown. */
#include "svc-documents/helper/docx_reader.h"
#include "svc-documents/helper/math.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void write_symbol(struct docx *d, xmlTextReaderPtr xml)
{
	char font[40], code[16];
	const char *text;

	xml_attribute(xml, "font", font, sizeof font);
	xml_attribute(xml, "char", code, sizeof code);
	text = docx_symbol(font, strtol(code, NULL, 16));
	out_text(d->o, text, strlen(text));
}

/* --- Elements ----------------------------------------------------------------------------------------------------- */

/* What stands twice, was deleted or moved away, or is no text. */
static bool is_left_out(xmlTextReaderPtr xml)
{
	static const char *const names[] = { "del",        "moveFrom",   "rt",          "instrText",
		                             "pPrChange",  "rPrChange",  "tblPrChange", "sectPrChange",
		                             "trPrChange", "tcPrChange", NULL };

	for (const char *const *n = names; *n; n++)
		if (xml_is(xml, *n))
			return true;
	return false;
}

/* One thing in several ways: the first that says something. */
static bool is_said_already(const struct docx *d, xmlTextReaderPtr xml)
{
	return xml_is(xml, "Fallback") &&
	       (d->alternatives == 0 || d->before[d->alternatives - 1] != d->o->size + d->box.size);
}

static void start_in_run(struct docx *d, xmlTextReaderPtr xml)
{
	char value[16], style[DOCX_NAME];

	if (xml_is(xml, "vanish") && d->in_run)
		d->hidden = docx_is_on(xml);
	else if (xml_is(xml, "rStyle") && d->in_run && xml_attribute(xml, "val", style, sizeof style))
		d->hidden = d->hidden || docx_style_find(&d->styles, style).hidden;
	else if (xml_is(xml, "vertAlign") && d->in_run)
		d->raised =
		    xml_attribute(xml, "val", value, sizeof value) && strcmp(value, "superscript") == 0;
	else if (d->hidden || d->skip_text)
		return;
	else if (xml_is(xml, "tab"))
		d->o->space = true;
	else if ((xml_is(xml, "br") || xml_is(xml, "cr")) && docx_in_table(d))
		d->o->space = true;
	else if (xml_is(xml, "br") || xml_is(xml, "cr"))
		out_break(d->o, 1);
	else if (xml_is(xml, "noBreakHyphen"))
		out_plain(d->o, "-", 1);
	else if (xml_is(xml, "sym"))
		write_symbol(d, xml);
	else if (xml_is(xml, "footnoteReference") || xml_is(xml, "endnoteReference"))
		docx_note_call(d->notes, xml_number(xml, "id", 0), xml_is(xml, "endnoteReference"), d->o);
}

static bool start_of_table(struct docx *d, xmlTextReaderPtr xml, bool empty)
{
	char merge[16];

	if (xml_is(xml, "tbl")) {
		docx_end_code(d);
		docx_table_begin(d->tables, d->o);
	} else if (xml_is(xml, "tr")) {
		docx_row_begin(d->tables, d->o);
	} else if (xml_is(xml, "trPr")) {
		d->in_row_properties = !empty;
	} else if (d->in_row_properties) {
		if (xml_is(xml, "del"))
			docx_row_delete(d->tables);
	} else if (xml_is(xml, "tc")) {
		docx_cell_begin(d->tables, d->o);
	} else if (xml_is(xml, "gridSpan")) {
		docx_cell_span(d->tables, xml_number(xml, "val", 1));
	} else if (xml_is(xml, "vMerge")) {
		docx_cell_merge(d->tables, !xml_attribute(xml, "val", merge, sizeof merge) ||
		                               strcmp(merge, "restart") != 0);
	} else {
		return false;
	}
	return true;
}

/* Old forms: what was chosen or ticked stands in no text. */
static bool start_of_form(struct docx *d, xmlTextReaderPtr xml)
{
	char entry[200];

	if (xml_is(xml, "ddList"))
		d->choice = 0;
	else if (xml_is(xml, "result"))
		d->choice = (int)xml_number(xml, "val", 0);
	else if (xml_is(xml, "listEntry") && d->choice-- == 0 &&
	         xml_attribute(xml, "val", entry, sizeof entry))
		out_text(d->o, entry, strlen(entry));
	else if (xml_is(xml, "checked") && d->in_run && !d->hidden)
		out_text(d->o, docx_is_on(xml) ? "☒" : "☐", strlen("☒"));
	else
		return false;
	return true;
}

/* "Click here to enter text" is none, and a table of contents says what the headings say. */
static bool start_of_field(struct docx *d, xmlTextReaderPtr xml, bool empty)
{
	char gallery[40];

	if (xml_is(xml, "sdtPr"))
		d->is_prompt = false;
	else if (xml_is(xml, "showingPlcHdr"))
		d->is_prompt = docx_is_on(xml);
	else if (xml_is(xml, "docPartGallery"))
		d->is_prompt = xml_attribute(xml, "val", gallery, sizeof gallery) &&
		               strcmp(gallery, "Table of Contents") == 0;
	else if (xml_is(xml, "sdtContent") && d->is_prompt && !d->prompt && !empty)
		d->prompt = xmlTextReaderDepth(xml);
	else
		return false;
	return true;
}

/* A page that was put into the document as it is. */
static void write_chunk(struct docx *d, const struct part *chunk)
{
	const char *dot = chunk ? strrchr(chunk->name, '.') : NULL;
	struct out inner = { 0 };

	if (!dot || (strncasecmp(dot, ".htm", 4) != 0 && strcasecmp(dot, ".xhtml") != 0 &&
	             strcasecmp(dot, ".txt") != 0)) {
		snprintf(d->o->warning, sizeof d->o->warning, "A document within the document is not read.");
		return;
	}
	if (strcasecmp(dot, ".txt") == 0)
		out_plain(&inner, chunk->bytes, chunk->size);
	else
		html_read(chunk->bytes, chunk->size, &inner);
	out_break(d->o, 2);
	if (inner.size)
		out_plain(d->o, inner.at, inner.size);
	out_break(d->o, 2);
	free(inner.at);
}

/* What other parts hold, or pictures show, is said behind the paragraph that it hangs on. */
static bool start_of_guest(struct docx *d, xmlTextReaderPtr xml)
{
	char id[40];

	if (xml_is(xml, "altChunk") && xml_attribute(xml, "id", id, sizeof id)) {
		write_chunk(d, parts_related(d->parts, d->name, id, NULL));
	} else if (xml_is(xml, "relIds") && xml_attribute(xml, "dm", id, sizeof id)) {
		const struct part *diagram = parts_related(d->parts, d->name, id, NULL);

		out_break(&d->box, 2);
		if (diagram)
			diagram_write(diagram, &d->box);
	} else if (xml_is(xml, "docPr")) {
		picture_describe(xml, &d->box);
	} else {
		return false;
	}
	return true;
}

static void start(struct docx *d, xmlTextReaderPtr xml)
{
	bool empty = xmlTextReaderIsEmptyElement(xml) == 1;

	d->in_text = xml_is(xml, "t") && !empty;
	if (xml_is(xml, "p")) {
		docx_begin_paragraph(d);
	} else if (xml_is(xml, "pPr")) {
		d->in_properties = !empty;
	} else if (d->in_properties) {
		docx_read_property(d, xml);
	} else if (xml_is(xml, "r")) {
		d->in_run = true;
		d->hidden = d->raised = false;
	} else if (xml_is(xml, "AlternateContent") && d->alternatives < ALTERNATIVES) {
		d->before[d->alternatives++] = d->o->size + d->box.size;
	} else if (!start_of_table(d, xml, empty) && !start_of_field(d, xml, empty) &&
	           !start_of_form(d, xml) && !start_of_guest(d, xml)) {
		start_in_run(d, xml);
	}
}

static void stop(struct docx *d, xmlTextReaderPtr xml)
{
	d->in_text = false;
	if (xml_is(xml, "pPr")) {
		d->in_properties = false;
		docx_lead_in(d);
	} else if (xml_is(xml, "p")) {
		docx_end_paragraph(d);
	} else if (xml_is(xml, "r")) {
		d->in_run = d->hidden = d->raised = false;
	} else if (xml_is(xml, "trPr")) {
		d->in_row_properties = false;
	} else if (xml_is(xml, "tc")) {
		docx_cell_end(d->tables, d->o);
	} else if (xml_is(xml, "tr")) {
		docx_row_end(d->tables, d->o);
	} else if (xml_is(xml, "tbl")) {
		docx_table_end(d->tables, d->o);
		if (!docx_in_table(d))
			docx_notes_write(d->notes, d->o);
	} else if (xml_is(xml, "AlternateContent")) {
		d->alternatives -= d->alternatives > 0;
	} else if (d->prompt && xmlTextReaderDepth(xml) == d->prompt) {
		d->prompt = 0;
		d->is_prompt = false;
	}
}

static void read_until(struct docx *d, xmlTextReaderPtr xml, int depth);

/* A box has paragraphs of its own, in the middle of one. */
static void read_box(struct docx *d, xmlTextReaderPtr xml)
{
	struct docx inner = { .o = &d->box,
		              .parts = d->parts,
		              .name = d->name,
		              .styles = d->styles,
		              .numbering = d->numbering,
		              .notes = d->notes,
		              .tables = docx_tables_open() };

	out_break(&d->box, 2);
	read_until(&inner, xml, xmlTextReaderDepth(xml));
	free(inner.tables);
	free(inner.box.at);
}

static bool is_read(const struct docx *d)
{
	return !d->hidden && !d->skip_text && !d->prompt;
}

static void write_formula(struct docx *d, xmlTextReaderPtr xml)
{
	const xmlNode *formula = xmlTextReaderExpand(xml);
	struct out text = { 0 };

	if (formula && is_read(d))
		math_write(formula, &text);
	out_plain(&text, "", 1);
	docx_write_text(d, text.at);
	free(text.at);
}

/* To the end of the element of that depth, or of all. */
static void read_until(struct docx *d, xmlTextReaderPtr xml, int depth)
{
	bool box = depth > 0;
	int type = xml_next(xml);

	while (type && !(box && type == XML_READER_TYPE_END_ELEMENT && xmlTextReaderDepth(xml) == depth)) {
		const char *text;

		if (type == XML_READER_TYPE_ELEMENT && is_said_already(d, xml)) {
			type = xml_pass_over(xml);
			continue;
		}
		if (type == XML_READER_TYPE_ELEMENT && is_left_out(xml) &&
		    !((d->in_properties || d->in_row_properties) && xml_is(xml, "del"))) {
			type = xml_pass_over(xml);
			continue;
		}
		if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "txbxContent")) {
			if (xmlTextReaderIsEmptyElement(xml) != 1)
				read_box(d, xml);
		} else if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "oMath")) {
			write_formula(d, xml);
			type = xml_pass_over(xml);
			continue;
		} else if (type == XML_READER_TYPE_ELEMENT) {
			start(d, xml);
		} else if (type == XML_READER_TYPE_END_ELEMENT) {
			stop(d, xml);
		} else if (d->in_text && is_read(d) && (text = (const char *)xmlTextReaderConstValue(xml))) {
			docx_write_text(d, text);
		}
		type = xml_next(xml);
	}
	docx_end_code(d);
	docx_write_box(d);
}

static void read_document(struct docx *d, const struct part *document)
{
	xmlTextReaderPtr xml = xml_open(document);

	read_until(d, xml, 0);
	xmlFreeTextReader(xml);
}

/* --- The file ----------------------------------------------------------------------------------------------------- */

/* Of the folder of any name: what lies beside the text and what relates them; and diagrams, and pages put into it. */
static bool wanted(const char *name)
{
	const char *dot = strrchr(name, '.'), *slash = strchr(name, '/');

	if (!dot || !slash)
		return false;
	return strcmp(dot, ".rels") == 0 || strncmp(dot, ".htm", 4) == 0 || strcmp(dot, ".txt") == 0 ||
	       strncmp(slash, "/diagrams/data", 14) == 0 || strcmp(name, "docProps/core.xml") == 0 ||
	       (strcmp(dot, ".xml") == 0 && strncmp(name, "word/", 5) == 0 && !strchr(slash + 1, '/'));
}

/* A part of the document: some programs number them all. */
static const struct part *part_of(const struct docx *d, const char *type, const char *usual)
{
	const struct part *p = parts_related(d->parts, d->name, NULL, type);

	return p ? p : parts_find(d->parts, usual);
}

void docx_read(int file, struct out *o)
{
	struct docx d = { .o = o };
	const struct part *document;
	struct parts parts;

	parts_read(file, wanted, &parts);
	document = parts_related(&parts, "", NULL, "/officeDocument");
	document = document ? document : parts_find(&parts, "word/document.xml");
	if (!document)
		end(VERDICT_DAMAGED, "no word/document.xml");
	parts_title(&parts, o);
	d.parts = &parts;
	d.name = document->name;
	docx_styles_read(part_of(&d, "/styles", "word/styles.xml"), &d.styles);
	d.numbering = docx_numbering_read(part_of(&d, "/numbering", "word/numbering.xml"));
	d.notes = docx_notes_open(part_of(&d, "/footnotes", "word/footnotes.xml"),
	                          part_of(&d, "/endnotes", "word/endnotes.xml"));
	d.tables = docx_tables_open();
	read_document(&d, document);
}
