/* The text of a Word document, as Markdown. */
#include "svc-documents/helper/docx.h"
#include "svc-documents/helper/math.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct docx {
	struct out *o;
	struct out box; /* what boxes say whose paragraph has not ended */
	struct parts parts;
	struct docx_styles styles;
	struct docx_numbering *numbering;
	struct docx_notes *notes;
	struct docx_tables *tables;
	struct docx_style style; /* of the paragraph */
	size_t start;            /* where it starts */
	int prompt;              /* depth of a field that shows what to enter; 0: none */
	bool raised;             /* the run's letters */
	bool in_code;            /* between fences */
	bool in_properties, in_run, hidden, skip_text, in_text; /* skip_text: a paragraph that is not text */
	bool in_row_properties, is_prompt;
	bool no_end, joined; /* the end of the paragraph, or of the one before, was deleted */
};

static void write_symbol(struct docx *d, xmlTextReaderPtr xml)
{
	char font[40], code[16];
	const char *text;

	xml_attribute(xml, "font", font, sizeof font);
	xml_attribute(xml, "char", code, sizeof code);
	text = docx_symbol(font, strtol(code, NULL, 16));
	out_text(d->o, text, strlen(text));
}

static bool in_table(const struct docx *d)
{
	return docx_tables_depth(d->tables) > 0;
}

/* --- Paragraphs --------------------------------------------------------------------------------------------------- */

static void begin_paragraph(struct docx *d)
{
	d->style = (struct docx_style){ .outline = -1, .number = -1 };
	d->skip_text = d->no_end = false;
	if (!in_table(d) && !d->joined)
		out_break(d->o, 1);
	d->start = d->o->size;
}

/* What the paragraph says of itself counts more than its style, and may stand before it. */
static void set_style(struct docx *d, const char *id)
{
	struct docx_style own = d->style;

	d->style = docx_style_find(&d->styles, id);
	if (own.outline >= 0)
		d->style.outline = own.outline;
	if (own.number < 0)
		return;
	d->style.number = own.number;
	d->style.level = own.level;
}

static void end_code(struct docx *d)
{
	if (!d->in_code)
		return;
	out_break(d->o, 1);
	out_plain(d->o, "```", 3);
	out_break(d->o, 2);
	d->in_code = false;
}

static void begin_code(struct docx *d)
{
	if (d->in_code)
		return;
	out_break(d->o, 2);
	out_plain(d->o, "```", 3);
	out_break(d->o, 1);
	d->in_code = true;
}

static void write_text(struct docx *d, const char *text)
{
	size_t size = strlen(text);

	if (d->style.code && !in_table(d)) {
		begin_code(d);
		out_plain(d->o, text, size);
		return;
	}
	end_code(d);
	if (d->raised && size && strspn(text, "0123456789+-") == size) /* 10^6 */
		out_plain(d->o, "^", 1);
	out_text(d->o, text, size);
}

static void read_property(struct docx *d, xmlTextReaderPtr xml)
{
	char id[DOCX_NAME];

	if (xml_is(xml, "pStyle") && xml_attribute(xml, "val", id, sizeof id))
		set_style(d, id);
	else if (xml_is(xml, "del")) /* of the mark that ends it */
		d->no_end = true;
	else if (xml_is(xml, "numId"))
		d->style.number = xml_number(xml, "val", -1);
	else if (xml_is(xml, "ilvl"))
		d->style.level = xml_number(xml, "val", 0);
	else if (xml_is(xml, "outlineLvl"))
		d->style.outline = (int)xml_number(xml, "val", -1);
}

/* When all that is known of the paragraph has been read: what stands before its text. */
static void lead_in(struct docx *d)
{
	char mark[80];

	d->skip_text = d->style.contents;
	if (d->skip_text || in_table(d) || d->style.code || d->joined)
		return;
	end_code(d);
	if (d->style.outline >= 0 && d->style.outline < DOCX_LEVELS) {
		out_plain(d->o, "######", d->style.outline < 5 ? (size_t)d->style.outline + 1 : 6);
		d->o->space = true;
	}
	docx_number(d->numbering, d->style.number, d->style.level, mark, sizeof mark);
	if (*mark) {
		out_text(d->o, mark, strlen(mark));
		d->o->space = true;
	}
}

/* What stands in boxes is said behind the paragraph that they hang on. */
static void write_box(struct docx *d)
{
	struct out *box = &d->box;

	if (box->size && in_table(d)) {
		d->o->space = true;
		out_text(d->o, box->at, box->size);
	} else if (box->size) {
		out_break(d->o, 2);
		out_plain(d->o, box->at, box->size);
		out_break(d->o, 2);
	}
	box->size = 0;
	box->newlines = 0;
	box->space = false;
}

static void end_paragraph(struct docx *d)
{
	d->joined = d->no_end && !in_table(d) && d->o->size > d->start;
	if (in_table(d))
		d->o->space = true;
	else if (!d->joined)
		out_break(d->o, d->in_code ? 1 : 2);
	if (!d->joined)
		write_box(d);
	if (in_table(d) || d->joined)
		return;
	if (docx_notes_wait(d->notes))
		end_code(d);
	docx_notes_write(d->notes, d->o);
}

/* --- Elements ----------------------------------------------------------------------------------------------------- */

static bool is_off(xmlTextReaderPtr xml)
{
	char value[8];

	return xml_attribute(xml, "val", value, sizeof value) &&
	       (*value == '0' || *value == 'f' || *value == 'o');
}

/* What stands twice, was deleted or moved away, or is no text. */
static bool is_left_out(xmlTextReaderPtr xml)
{
	static const char *const names[] = { "Fallback",     "del",        "moveFrom",   "rt",
		                             "instrText",    "pPrChange",  "rPrChange",  "tblPrChange",
		                             "sectPrChange", "trPrChange", "tcPrChange", NULL };

	for (const char *const *n = names; *n; n++)
		if (xml_is(xml, *n))
			return true;
	return false;
}

static void start_in_run(struct docx *d, xmlTextReaderPtr xml)
{
	char value[16];

	if (xml_is(xml, "vanish") && d->in_run)
		d->hidden = !is_off(xml);
	else if (xml_is(xml, "vertAlign") && d->in_run)
		d->raised =
		    xml_attribute(xml, "val", value, sizeof value) && strcmp(value, "superscript") == 0;
	else if (d->hidden || d->skip_text)
		return;
	else if (xml_is(xml, "tab"))
		d->o->space = true;
	else if ((xml_is(xml, "br") || xml_is(xml, "cr")) && in_table(d))
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
		end_code(d);
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

/* "Click here to enter text" is none. */
static bool start_of_field(struct docx *d, xmlTextReaderPtr xml, bool empty)
{
	if (xml_is(xml, "sdtPr"))
		d->is_prompt = false;
	else if (xml_is(xml, "showingPlcHdr"))
		d->is_prompt = !is_off(xml);
	else if (xml_is(xml, "sdtContent") && d->is_prompt && !d->prompt && !empty)
		d->prompt = xmlTextReaderDepth(xml);
	else
		return false;
	return true;
}

static void start(struct docx *d, xmlTextReaderPtr xml)
{
	bool empty = xmlTextReaderIsEmptyElement(xml) == 1;

	d->in_text = xml_is(xml, "t") && !empty;
	if (xml_is(xml, "p")) {
		begin_paragraph(d);
	} else if (xml_is(xml, "pPr")) {
		d->in_properties = !empty;
	} else if (d->in_properties) {
		read_property(d, xml);
	} else if (xml_is(xml, "r")) {
		d->in_run = true;
		d->hidden = d->raised = false;
	} else if (!start_of_table(d, xml, empty) && !start_of_field(d, xml, empty)) {
		start_in_run(d, xml);
	}
}

static void stop(struct docx *d, xmlTextReaderPtr xml)
{
	d->in_text = false;
	if (xml_is(xml, "pPr")) {
		d->in_properties = false;
		lead_in(d);
	} else if (xml_is(xml, "p")) {
		end_paragraph(d);
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
		if (!in_table(d))
			docx_notes_write(d->notes, d->o);
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
	write_text(d, text.at);
	free(text.at);
}

/* To the end of the element of that depth, or of all. */
static void read_until(struct docx *d, xmlTextReaderPtr xml, int depth)
{
	bool box = depth > 0;
	int type = xml_next(xml);

	while (type && !(box && type == XML_READER_TYPE_END_ELEMENT && xmlTextReaderDepth(xml) == depth)) {
		const char *text;

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
			write_text(d, text);
		}
		type = xml_next(xml);
	}
	end_code(d);
	write_box(d);
}

static void read_document(struct docx *d, const struct part *document)
{
	xmlTextReaderPtr xml = xml_open(document);

	read_until(d, xml, 0);
	xmlFreeTextReader(xml);
}

/* --- The file ----------------------------------------------------------------------------------------------------- */

static bool wanted(const char *name)
{
	static const char *const names[] = { "word/document.xml",
		                             "word/styles.xml",
		                             "word/numbering.xml",
		                             "word/footnotes.xml",
		                             "word/endnotes.xml",
		                             "docProps/core.xml",
		                             NULL };

	for (const char *const *n = names; *n; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return false;
}

void docx_read(int file, struct out *o)
{
	struct docx d = { .o = o };
	const struct part *document;

	parts_read(file, wanted, &d.parts);
	document = parts_find(&d.parts, "word/document.xml");
	if (!document)
		end(VERDICT_DAMAGED, "no word/document.xml");
	parts_title(&d.parts, o);
	docx_styles_read(parts_find(&d.parts, "word/styles.xml"), &d.styles);
	d.numbering = docx_numbering_read(parts_find(&d.parts, "word/numbering.xml"));
	d.notes = docx_notes_open(&d.parts);
	d.tables = docx_tables_open();
	read_document(&d, document);
}
