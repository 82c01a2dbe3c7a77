/* The paragraphs of a Word document: headings, items, listings, boxes. */
#include "svc-documents/helper/docx_reader.h"

#include <string.h>

bool docx_in_table(const struct docx *d)
{
	return docx_tables_depth(d->tables) > 0;
}

void docx_begin_paragraph(struct docx *d)
{
	d->style = (struct docx_style){ .outline = -1, .number = -1 };
	d->skip_text = d->no_end = false;
	if (!docx_in_table(d) && !d->joined)
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

void docx_end_code(struct docx *d)
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

void docx_write_text(struct docx *d, const char *text)
{
	size_t size = strlen(text);

	if (d->style.code && !docx_in_table(d)) {
		begin_code(d);
		out_plain(d->o, text, size);
		return;
	}
	docx_end_code(d);
	if (d->raised && size && strspn(text, "0123456789+-") == size) /* 10^6 */
		out_plain(d->o, "^", 1);
	out_text(d->o, text, size);
}

void docx_read_property(struct docx *d, xmlTextReaderPtr xml)
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
	else if (xml_is(xml, "vanish") &&
	         docx_is_on(xml)) /* the end of the paragraph: nobody sees it, or counts it */
		d->style.number = -1;
}

/* When all that is known of the paragraph has been read: what stands before its text. */
void docx_lead_in(struct docx *d)
{
	char mark[80];

	d->skip_text = d->style.contents || d->style.hidden;
	if (d->skip_text || docx_in_table(d) || d->style.code || d->joined)
		return;
	docx_end_code(d);
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
void docx_write_box(struct docx *d)
{
	struct out *box = &d->box;

	if (box->size && docx_in_table(d)) {
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

void docx_end_paragraph(struct docx *d)
{
	d->joined = d->no_end && !docx_in_table(d) && d->o->size > d->start;
	if (docx_in_table(d))
		d->o->space = true;
	else if (!d->joined)
		out_break(d->o, d->in_code ? 1 : 2);
	if (!d->joined)
		docx_write_box(d);
	if (docx_in_table(d) || d->joined)
		return;
	if (docx_notes_wait(d->notes))
		docx_end_code(d);
	docx_notes_write(d->notes, d->o);
}
