/* The cells of a workbook: each sheet a heading, its rows with |, in pieces that each begin with the sheet's first row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/xlsx.h"

enum { PIECE = 700, NAMES_MAX = 400, FORMATS = 4000, SHEETS = 500, COLUMNS = 200, ROWS = 1 << 20 };

struct strings {
	char **at;
	size_t count, room;
};
struct book {
	struct out *o;
	struct strings strings;
	struct xlsx_format *formats; /* of the cells of a style: FORMATS */
	bool since_1904;
	struct tab {
		char name[64], id[40], part[100]; /* part: empty when it is not said */
		bool hidden;
	} tabs[SHEETS];
	size_t tab_count, unknown; /* unknown: formulas whose results are not there */
};

static bool wanted(const char *name)
{
	return strcmp(name, "xl/sharedStrings.xml") == 0 || strcmp(name, "xl/styles.xml") == 0 ||
	       strcmp(name, "xl/workbook.xml") == 0 || strcmp(name, "xl/_rels/workbook.xml.rels") == 0 ||
	       strcmp(name, "docProps/core.xml") == 0 || strncmp(name, "xl/worksheets/sheet", 19) == 0;
}

static void read_strings(const struct part *p, struct strings *s)
{
	xmlTextReaderPtr xml = xml_open(p);
	struct out one = { 0 };
	bool text = false;
	int type = xml_next(xml);

	while (type) {
		const char *value = (const char *)xmlTextReaderConstValue(xml);
		bool item = xml_is(xml, "si"), ends = type == XML_READER_TYPE_END_ELEMENT;

		if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "rPh")) { /* how Japanese is read aloud */
			type = xml_pass_over(xml);
			continue;
		}
		if (item && (ends || xmlTextReaderIsEmptyElement(xml) == 1)) {
			if (s->count == s->room) {
				s->room = s->room ? s->room * 2 : 256;
				s->at = there(realloc(s->at, s->room * sizeof *s->at));
			}
			s->at[s->count++] = out_take(&one);
		}
		if (type == XML_READER_TYPE_ELEMENT)
			text = xml_is(xml, "t") && xmlTextReaderIsEmptyElement(xml) != 1;
		else if (ends)
			text = false;
		else if (text && value)
			out_text(&one, value, strlen(value));
		type = xml_next(xml);
	}
	free(one.at);
	xmlFreeTextReader(xml);
}

/* --- What numbers are ------------------------------------------------------------------------------------------------ */

static struct xlsx_format *make_formats(void)
{
	struct xlsx_format *ret = there(calloc(FORMATS, sizeof *ret));

	return ret;
}

static void read_styles(const struct part *p, struct book *b)
{
	struct xlsx_format *custom = make_formats();
	bool known[FORMATS] = { 0 }, in_cells = false;
	xmlTextReaderPtr xml = xml_open(p);
	size_t count = 0;
	int type;

	while ((type = xml_next(xml))) {
		char code[120];
		long id;

		if (xml_is(xml, "cellXfs"))
			in_cells = type == XML_READER_TYPE_ELEMENT;
		if (type != XML_READER_TYPE_ELEMENT)
			continue;
		id = xml_number(xml, "numFmtId", -1);
		id = id < FORMATS ? id : -1;
		if (xml_is(xml, "numFmt") && id >= 0 && xml_attribute(xml, "formatCode", code, sizeof code)) {
			xlsx_format_read(id, code, &custom[id]);
			known[id] = true;
		} else if (xml_is(xml, "xf") && in_cells && count < FORMATS) {
			if (id >= 0 && known[id])
				b->formats[count] = custom[id];
			else
				xlsx_format_read(id, NULL, &b->formats[count]);
			count++;
		}
	}
	free(custom);
	xmlFreeTextReader(xml);
}

/* --- Sheets ------------------------------------------------------------------------------------------------------- */

static void read_tabs(const struct part *p, struct book *b)
{
	xmlTextReaderPtr xml = xml_open(p);
	char state[16];
	int type;

	while ((type = xml_next(xml))) {
		struct tab *tab = &b->tabs[b->tab_count];

		if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "workbookPr") &&
		    xml_attribute(xml, "date1904", state, sizeof state))
			b->since_1904 = *state == '1' || *state == 't';
		if (type != XML_READER_TYPE_ELEMENT || !xml_is(xml, "sheet") || b->tab_count == SHEETS - 1 ||
		    !xml_attribute(xml, "name", tab->name, sizeof tab->name))
			continue;
		xml_attribute(xml, "id", tab->id, sizeof tab->id);
		xml_attribute(xml, "state", state, sizeof state);
		tab->hidden = strcmp(state, "hidden") == 0 || strcmp(state, "veryHidden") == 0;
		b->tab_count++;
	}
	xmlFreeTextReader(xml);
}

/* Which part is whose: "worksheets/sheet1.xml", or from the root. */
static void read_relations(const struct part *p, struct book *b)
{
	xmlTextReaderPtr xml = xml_open(p);
	char id[40], target[90];
	int type;

	while ((type = xml_next(xml))) {
		if (type != XML_READER_TYPE_ELEMENT || !xml_is(xml, "Relationship") ||
		    !xml_attribute(xml, "Id", id, sizeof id) ||
		    !xml_attribute(xml, "Target", target, sizeof target))
			continue;
		for (size_t i = 0; i < b->tab_count; i++)
			if (strcmp(b->tabs[i].id, id) == 0)
				snprintf(b->tabs[i].part, sizeof b->tabs[i].part, "%s%s",
				         *target == '/' ? "" : "xl/", target + (*target == '/'));
	}
	xmlFreeTextReader(xml);
}

struct sheet {
	struct book *book;
	struct out row, value;
	struct xlsx_merged merged;
	char kind[16];
	long row_number, column, style, written;
	bool in_value, formula, filled; /* filled: the column that is written is */
	char *names;                    /* the first row */
	size_t piece;
};

/* On to the column: what is merged from above is said in those that are passed. */
static void go_to(struct sheet *s, long column)
{
	const char *text;

	while (column < COLUMNS && s->written < column) {
		text = s->filled ? NULL : xlsx_merged_text(&s->merged, s->written, s->row_number);
		if (text)
			out_text(&s->row, text, strlen(text));
		s->filled = false;
		s->written++;
		s->row.space = s->row.size > 0;
		out_plain(&s->row, "|", 1);
		s->row.space = true;
	}
}

static void end_cell(struct sheet *s)
{
	char *value = out_take(&s->value), number[400];
	const char *shown = value;

	if (strcmp(s->kind, "s") == 0) {
		size_t i = strtoul(value, NULL, 10);

		shown = i < s->book->strings.count ? s->book->strings.at[i] : "";
	} else if (strcmp(s->kind, "b") == 0) {
		shown = *value == '1' ? "yes" : "no";
	} else if (strcmp(s->kind, "d") == 0) {
		value[strcspn(value, "T")] =
		    *value && strstr(value, "T00:00:00") ? '\0' : value[strcspn(value, "T")];
	} else if ((!*s->kind || strcmp(s->kind, "n") == 0) && *value) {
		long style = s->style >= 0 && s->style < FORMATS ? s->style : FORMATS - 1;

		xlsx_format_print(&s->book->formats[style], s->book->since_1904, value, number,
		                  sizeof number);
		shown = number;
	}
	s->book->unknown += s->formula && !*value && (!*s->kind || strcmp(s->kind, "n") == 0);
	xlsx_merged_keep(&s->merged, s->column, s->row_number, shown);
	if (*shown) {
		go_to(s, s->column);
		out_text(&s->row, shown, strlen(shown));
		s->filled = true;
	}
	free(value);
}

static void write_row(struct out *o, const char *row, size_t *piece)
{
	out_break(o, 1);
	out_plain(o, row, strlen(row));
	out_break(o, 1);
	*piece += strlen(row) + 1;
}

static void end_row(struct sheet *s)
{
	struct out *o = s->book->o;
	char *row = out_take(&s->row);

	if (*row && s->names && s->piece && s->piece + strlen(row) > PIECE && strlen(s->names) <= NAMES_MAX) {
		out_break(o, 2);
		s->piece = 0;
		write_row(o, s->names, &s->piece);
	}
	if (*row)
		write_row(o, row, &s->piece);
	if (*row && !s->names)
		s->names = row;
	else
		free(row);
}

static void start(struct sheet *s, xmlTextReaderPtr xml)
{
	char reference[16];

	if (xml_is(xml, "row")) {
		s->row_number = xml_number(xml, "r", s->row_number < ROWS ? s->row_number + 1 : ROWS);
		s->filled = false;
		s->written = 0;
		s->column = -1;
	} else if (xml_is(xml, "c")) {
		xml_attribute(xml, "t", s->kind, sizeof s->kind);
		s->formula = false;
		s->style = xml_number(xml, "s", -1);
		s->column = xml_attribute(xml, "r", reference, sizeof reference) ? xlsx_column(reference)
		                                                                 : s->column + 1;
	}
	s->formula = s->formula || xml_is(xml, "f");
	s->in_value = (xml_is(xml, "v") || xml_is(xml, "t")) && xmlTextReaderIsEmptyElement(xml) != 1;
}

static void write_sheet(struct book *b, const struct part *p, const char *name)
{
	struct sheet s = { .book = b };
	xmlTextReaderPtr xml = xml_open(p);
	int type;

	xlsx_merged_read(p, &s.merged);
	out_break(b->o, 2);
	if (*name) {
		out_plain(b->o, "#", 1);
		b->o->space = true;
		out_text(b->o, name, strlen(name));
		out_break(b->o, 2);
	}
	while ((type = xml_next(xml))) {
		const char *value = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT) {
			start(&s, xml);
		} else if (type == XML_READER_TYPE_END_ELEMENT) {
			s.in_value = false;
			if (xml_is(xml, "c"))
				end_cell(&s);
			else if (xml_is(xml, "row"))
				end_row(&s);
		} else if (s.in_value && value) {
			out_text(&s.value, value, strlen(value));
		}
	}
	xlsx_merged_free(&s.merged);
	free(s.names);
	free(s.row.at);
	free(s.value.at);
	xmlFreeTextReader(xml);
}

/* As the workbook tells, those that are hidden left out. Returns how many there are. */
static size_t write_tabs(struct book *b, const struct parts *parts)
{
	size_t sheets = 0;

	for (size_t i = 0; i < b->tab_count; i++) {
		const struct part *p = *b->tabs[i].part ? parts_find(parts, b->tabs[i].part) : NULL;

		sheets += p != NULL;
		if (p && !b->tabs[i].hidden)
			write_sheet(b, p, b->tabs[i].name);
	}
	return sheets;
}

static size_t write_all(struct book *b, const struct parts *parts)
{
	size_t sheets = 0;

	for (size_t i = 0; i < parts->count; i++)
		if (strncmp(parts->at[i].name, "xl/worksheets/", 14) == 0) {
			write_sheet(b, &parts->at[i], sheets < b->tab_count ? b->tabs[sheets].name : "");
			sheets++;
		}
	return sheets;
}

void xlsx_read(int file, struct out *o)
{
	struct book b = { .o = o, .formats = make_formats() };
	struct parts parts;
	const struct part *p;

	parts_read(file, wanted, &parts);
	parts_sort(&parts);
	parts_title(&parts, o);
	if ((p = parts_find(&parts, "xl/sharedStrings.xml")))
		read_strings(p, &b.strings);
	if ((p = parts_find(&parts, "xl/styles.xml")))
		read_styles(p, &b);
	if ((p = parts_find(&parts, "xl/workbook.xml")))
		read_tabs(p, &b);
	if ((p = parts_find(&parts, "xl/_rels/workbook.xml.rels")))
		read_relations(p, &b);
	if (!write_tabs(&b, &parts) && !write_all(&b, &parts))
		end(VERDICT_DAMAGED, "no sheets");
	if (b.unknown)
		snprintf(
		    o->warning, sizeof o->warning,
		    "The results of %zu formulas are not in the file: opening and saving it in a spreadsheet "
		    "program puts them there.",
		    b.unknown);
	for (size_t i = 0; i < b.strings.count; i++)
		free(b.strings.at[i]);
	free(b.strings.at);
	free(b.formats);
}
