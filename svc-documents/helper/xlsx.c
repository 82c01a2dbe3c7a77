/* The cells of a workbook: each sheet a heading, its rows with |, in pieces that each begin with the sheet's first row. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "svc-documents/helper/parts.h"

enum { PIECE = 700, NAMES_MAX = 400, FORMATS = 4000, SHEETS = 500, COLUMNS = 200 };

struct strings {
	char **at;
	size_t count, room;
};
struct book {
	struct out *o;
	struct strings strings;
	char formats[FORMATS]; /* what cells of a style show: format_of() */
	char names[SHEETS][64];
	size_t name_count;
};

static bool wanted(const char *name)
{
	return strcmp(name, "xl/sharedStrings.xml") == 0 || strcmp(name, "xl/styles.xml") == 0 ||
	       strcmp(name, "xl/workbook.xml") == 0 || strcmp(name, "docProps/core.xml") == 0 ||
	       strncmp(name, "xl/worksheets/sheet", 19) == 0;
}

static char *take(struct out *o)
{
	char *ret = calloc(1, o->size + 1);

	if (!ret)
		end(VERDICT_TOO_LARGE, "out of memory");
	if (o->size)
		memcpy(ret, o->at, o->size);
	o->size = 0;
	o->newlines = 0;
	o->space = false;
	return ret;
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
				s->at = realloc(s->at, s->room * sizeof *s->at);
				if (!s->at)
					end(VERDICT_TOO_LARGE, "out of memory");
			}
			s->at[s->count++] = take(&one);
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

/* A format's code, or the number of one that every Excel knows: 'd' a date, 'h' a time of day, '%', or 0. What stands in
 * quotes or brackets is shown, or a colour. */
static char format_of(long id, const char *code)
{
	char within = 0;
	bool hours = false;

	if ((id >= 14 && id <= 17) || id == 22)
		return 'd';
	if ((id >= 18 && id <= 21) || (id >= 45 && id <= 47))
		return 'h';
	if (id == 9 || id == 10)
		return '%';
	for (; code && *code; code++) {
		char c = *code;

		if (c == '\\' && code[1])
			code++;
		else if (within)
			within = c == within ? 0 : within;
		else if (c == '"' || c == '[')
			within = c == '"' ? '"' : ']';
		else if (c == 'y' || c == 'd')
			return 'd';
		else if (c == '%')
			return '%';
		else
			hours = hours || c == 'h';
	}
	return hours ? 'h' : 0;
}

static void read_styles(const struct part *p, struct book *b)
{
	xmlTextReaderPtr xml = xml_open(p);
	char custom[FORMATS] = { 0 };
	bool in_cells = false;
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
		if (xml_is(xml, "numFmt") && id >= 0 && id < FORMATS &&
		    xml_attribute(xml, "formatCode", code, sizeof code))
			custom[id] = format_of(id, code);
		else if (xml_is(xml, "xf") && in_cells && count < FORMATS)
			b->formats[count++] = id < 0 || id >= FORMATS ? 0
			                      : custom[id]            ? custom[id]
			                                              : format_of(id, NULL);
	}
	xmlFreeTextReader(xml);
}

/* Days since the last of 1899, as a date. */
static void print_date(const char *value, char *ret, size_t size)
{
	double days = strtod(value, NULL);
	bool is_day = days >= 1 && days <= 2958465;
	time_t t = is_day ? (time_t)((days - 25569) * 86400 + 0.5) : 0;
	struct tm tm;

	if (!is_day || !gmtime_r(&t, &tm)) {
		snprintf(ret, size, "%s", value);
		return;
	}
	strftime(ret, size, tm.tm_hour || tm.tm_min ? "%Y-%m-%d %H:%M" : "%Y-%m-%d", &tm);
}

/* As Excel shows it, or nearly. */
static void print_number(const char *value, char format, char *ret, size_t size)
{
	double n = strtod(value, NULL);
	int minutes = n >= 0 && n < 1000 ? (int)(n * 1440 + 0.5) : -1;

	if (format == 'd')
		print_date(value, ret, size);
	else if (format == 'h' && minutes >= 0)
		snprintf(ret, size, "%02d:%02d", minutes / 60, minutes % 60);
	else if (format == '%')
		snprintf(ret, size, "%.10g%%", n * 100);
	else if (strlen(value) > 15 && strchr(value, '.')) /* 0.30000000000000004 */
		snprintf(ret, size, "%.12g", n);
	else
		snprintf(ret, size, "%s", value);
}

/* --- Sheets ------------------------------------------------------------------------------------------------------- */

static void read_names(const struct part *p, struct book *b)
{
	xmlTextReaderPtr xml = xml_open(p);
	int type;

	while ((type = xml_next(xml)))
		if (type == XML_READER_TYPE_ELEMENT && xml_is(xml, "sheet") && b->name_count < SHEETS &&
		    xml_attribute(xml, "name", b->names[b->name_count], sizeof b->names[0]))
			b->name_count++;
	xmlFreeTextReader(xml);
}

/* "C7" is in column 2. */
static long column_of(const char *reference)
{
	long column = 0;

	for (; isupper((unsigned char)*reference); reference++)
		column = column < 100000 ? column * 26 + (*reference - 'A' + 1) : column;
	return column - 1;
}

struct sheet {
	struct book *book;
	struct out row, value;
	char kind[16];
	long column, style, written;
	bool in_value;
	char *names; /* the first row */
	size_t piece;
};

static void end_cell(struct sheet *s)
{
	char *value = take(&s->value), number[400];
	const char *shown = value;

	if (strcmp(s->kind, "s") == 0) {
		size_t i = strtoul(value, NULL, 10);

		shown = i < s->book->strings.count ? s->book->strings.at[i] : "";
	} else if (strcmp(s->kind, "b") == 0) {
		shown = *value == '1' ? "yes" : "no";
	} else if ((!*s->kind || strcmp(s->kind, "n") == 0) && *value && s->style >= 0 &&
	           s->style < FORMATS) {
		print_number(value, s->book->formats[s->style], number, sizeof number);
		shown = number;
	}
	for (; *shown && s->column < COLUMNS && s->written < s->column; s->written++) {
		s->row.space = s->row.size > 0;
		out_plain(&s->row, "|", 1);
		s->row.space = true;
	}
	out_text(&s->row, shown, strlen(shown));
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
	char *row = take(&s->row);

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
		s->written = 0;
		s->column = -1;
	} else if (xml_is(xml, "c")) {
		xml_attribute(xml, "t", s->kind, sizeof s->kind);
		s->style = xml_number(xml, "s", -1);
		s->column = xml_attribute(xml, "r", reference, sizeof reference) ? column_of(reference)
		                                                                 : s->column + 1;
	}
	s->in_value = (xml_is(xml, "v") || xml_is(xml, "t")) && xmlTextReaderIsEmptyElement(xml) != 1;
}

static void write_sheet(struct book *b, const struct part *p, size_t number)
{
	struct sheet s = { .book = b };
	xmlTextReaderPtr xml = xml_open(p);
	int type;

	out_break(b->o, 2);
	if (number < b->name_count) {
		out_plain(b->o, "#", 1);
		b->o->space = true;
		out_text(b->o, b->names[number], strlen(b->names[number]));
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
	free(s.names);
	free(s.row.at);
	free(s.value.at);
	xmlFreeTextReader(xml);
}

void xlsx_read(int file, struct out *o)
{
	struct book b = { .o = o };
	struct parts parts;
	const struct part *p;
	size_t sheets = 0;

	parts_read(file, wanted, &parts);
	parts_sort(&parts);
	parts_title(&parts, o);
	if ((p = parts_find(&parts, "xl/sharedStrings.xml")))
		read_strings(p, &b.strings);
	if ((p = parts_find(&parts, "xl/styles.xml")))
		read_styles(p, &b);
	if ((p = parts_find(&parts, "xl/workbook.xml")))
		read_names(p, &b);
	for (size_t i = 0; i < parts.count; i++)
		if (strncmp(parts.at[i].name, "xl/worksheets/", 14) == 0)
			write_sheet(&b, &parts.at[i], sheets++);
	if (!sheets)
		end(VERDICT_DAMAGED, "no sheets");
	for (size_t i = 0; i < b.strings.count; i++)
		free(b.strings.at[i]);
	free(b.strings.at);
}
