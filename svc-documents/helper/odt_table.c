/* Tables of an OpenDocument text, written as those of Word are. */
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/odt.h"

enum { CELLS_MAX = 64 };

/* Equal ones beside each other are written once in the file. */
static void end_cell(struct odt_table *t, struct out *o)
{
	size_t size = o->size > t->cell ? o->size - t->cell : 0;
	char *text = size ? malloc(size) : NULL;

	if (text)
		memcpy(text, o->at + t->cell, size);
	docx_cell_end(t->tables, o);
	for (; text && t->again > 0; t->again--) {
		docx_cell_begin(t->tables, o);
		out_text(o, text, size);
		docx_cell_end(t->tables, o);
	}
	free(text);
}

static void begin_cell(struct odt_table *t, xmlTextReaderPtr xml, bool empty, struct out *o)
{
	long columns = xml_number(xml, "number-columns-spanned", 1);
	long again = xml_number(xml, "number-columns-repeated", 1);

	docx_cell_begin(t->tables, o);
	docx_cell_span(t->tables, columns);
	if (xml_number(xml, "number-rows-spanned", 1) > 1)
		docx_cell_merge(t->tables, false);
	t->covered = columns > 1 && columns <= CELLS_MAX ? columns - 1 : 0;
	t->again = again > 1 && again <= CELLS_MAX ? again - 1 : 0;
	t->cell = o->size;
	if (empty)
		docx_cell_end(t->tables, o);
}

/* Beside what reaches across, or below what reaches down. */
static void cover_cells(struct odt_table *t, xmlTextReaderPtr xml, struct out *o)
{
	long n = xml_number(xml, "number-columns-repeated", 1);

	for (long i = 0; i < n && i < CELLS_MAX; i++) {
		if (t->covered > 0) {
			t->covered--;
			continue;
		}
		docx_cell_begin(t->tables, o);
		docx_cell_merge(t->tables, true);
		docx_cell_end(t->tables, o);
	}
}

bool odt_table_start(struct odt_table *t, xmlTextReaderPtr xml, bool empty, struct out *o)
{
	if (xml_is(xml, "table") && !empty)
		docx_table_begin(t->tables, o);
	else if (xml_is(xml, "table-row"))
		docx_row_begin(t->tables, o);
	else if (xml_is(xml, "table-cell"))
		begin_cell(t, xml, empty, o);
	else if (xml_is(xml, "covered-table-cell"))
		cover_cells(t, xml, o);
	else
		return false;
	return true;
}

bool odt_table_stop(struct odt_table *t, xmlTextReaderPtr xml, struct out *o)
{
	if (xml_is(xml, "table-cell"))
		end_cell(t, o);
	else if (xml_is(xml, "table-row"))
		docx_row_end(t->tables, o);
	else if (xml_is(xml, "table"))
		docx_table_end(t->tables, o);
	else
		return false;
	return true;
}
