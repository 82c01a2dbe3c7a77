/* docx_reader: a Word document while it is read, and what becomes of its paragraphs. */
#ifndef PARLEY_DOCUMENTS_DOCX_READER_H
#define PARLEY_DOCUMENTS_DOCX_READER_H

#include "svc-documents/helper/docx.h"

enum { ALTERNATIVES = 8 };

struct docx {
	struct out *o;
	struct out box; /* what boxes say whose paragraph has not ended */
	const struct parts *parts;
	const char *name; /* of the part that is read */
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
	size_t before
	    [ALTERNATIVES]; /* what was written before the ways to show one thing, in which others may stand */
	int alternatives;
	int choice;          /* of a list to choose from, counted down to its entry */
	bool no_end, joined; /* the end of the paragraph, or of the one before, was deleted */
};

bool docx_in_table(const struct docx *d);
void docx_begin_paragraph(struct docx *d);
void docx_read_property(struct docx *d, xmlTextReaderPtr xml);
/* When all that is known of it has been read. */
void docx_lead_in(struct docx *d);
void docx_end_paragraph(struct docx *d);
void docx_write_text(struct docx *d, const char *text);
void docx_end_code(struct docx *d);
/* What stands in boxes, once the paragraph that they hang on has ended. */
void docx_write_box(struct docx *d);

#endif
