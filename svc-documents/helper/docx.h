/* docx: what a Word document keeps beside its text: styles, numbering as Word shows it, tables, and notes. */
#ifndef PARLEY_DOCUMENTS_DOCX_H
#define PARLEY_DOCUMENTS_DOCX_H

#include "svc-documents/helper/parts.h"

enum { DOCX_LEVELS = 9, DOCX_NAME = 80 };

struct docx_style {
	char id[DOCX_NAME], based_on[DOCX_NAME];
	int outline; /* 0 to 8: a heading of that rank; -1 */
	long number; /* of a list, with its level; -1 */
	long level;
	bool contents; /* a line of a table of contents */
	bool code;     /* of a listing */
	bool hidden;
};
bool docx_is_on(xmlTextReaderPtr xml); /* <w:vanish/>, but not <w:vanish w:val="0"/> */
struct docx_styles {
	struct docx_style *at;
	size_t count;
};
void docx_styles_read(const struct part *styles, struct docx_styles *ret); /* NULL: none */
/* What a paragraph of that style is, its ancestors considered. A style that is not described goes by its name. */
struct docx_style docx_style_find(const struct docx_styles *s, const char *id);

struct docx_numbering;
struct docx_numbering *docx_numbering_read(const struct part *numbering); /* NULL: none */
/* The mark of the next paragraph of that list and level: "2.1", "a)", "-"; empty for none. */
void docx_number(struct docx_numbering *n, long list, long level, char *ret, size_t size);

/* What a character of the font shows: "°", "✓"; a bullet or a blank for what is not known. */
const char *docx_symbol(const char *font, long code);

/* Tables: a row is a line, its cells parted by |; what reaches down from above is said again, and a table in a cell behind
 * others stays in that cell's line. Positions are those of o. */
struct docx_tables;
struct docx_tables *docx_tables_open(void);
int docx_tables_depth(const struct docx_tables *t); /* 0: in no table */
void docx_table_begin(struct docx_tables *t, struct out *o);
void docx_table_end(struct docx_tables *t, struct out *o);
void docx_row_begin(struct docx_tables *t, const struct out *o);
void docx_row_delete(struct docx_tables *t); /* all of it */
void docx_row_end(struct docx_tables *t, struct out *o);
void docx_cell_begin(struct docx_tables *t, const struct out *o);
void docx_cell_span(struct docx_tables *t, long columns);
void docx_cell_merge(struct docx_tables *t, bool goes_on); /* it reaches down, or is the lower part of one */
void docx_cell_end(struct docx_tables *t, struct out *o);

/* Notes: their marks where they are called, their texts behind the paragraph or table that called them. */
struct docx_notes;
struct docx_notes *docx_notes_open(const struct part *footnotes,
                                   const struct part *endnotes); /* NULL: none */
void docx_note_call(struct docx_notes *n, long id, bool at_end, struct out *o);
bool docx_notes_wait(const struct docx_notes *n); /* to be written */
void docx_notes_write(struct docx_notes *n, struct out *o);

#endif
