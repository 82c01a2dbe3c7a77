/*
 * pdf: what pdftotext -tsv tells of a PDF: pages, blocks, lines and words, with their places in points from the top left;
 * and their text as Markdown. pdf_parse.c reads, pdf_columns.c finds columns and pdf_order.c puts
 * them one after the other, pdf_page.c, pdf_furniture.c and pdf_table.c judge what lines are, pdf_write.c writes.
 */
#ifndef PARLEY_DOCUMENTS_PDF_H
#define PARLEY_DOCUMENTS_PDF_H

#include <stdint.h>

#include "svc-documents/helper/helper.h"

struct pdf_word {
	float x, w, y, h; /* h: 0, where its line tells more */
	uint32_t text;    /* in pdf.text */
	uint32_t size;
};
enum pdf_kind {
	PDF_BODY,
	PDF_GONE, /* running headers and footers, numbers of pages, lines of a table of contents */
	PDF_HEADING,
	PDF_CODE,
	PDF_NOTE, /* at the foot of its page */
	PDF_TABLE
};
struct pdf_line {
	uint32_t word, words; /* the first, and how many */
	uint32_t block;
	float x, y, w, h;
	uint8_t kind, level; /* of a heading */
	uint32_t row;        /* of a table: lines of one row have the same; 0: none */
};
struct pdf_block {
	uint32_t line, lines;
	float x, w;
	float advance; /* of a character, where all are equally wide; else 0 */
};
enum { PDF_GUTTERS = 3 };
struct pdf_page {
	uint32_t line, lines;
	float width, height;
	float gutters[PDF_GUTTERS]; /* between its columns, from the left */
	int gutter_count;
	uint32_t letters;
};

struct pdf {
	char *text;
	struct pdf_word *words;
	struct pdf_line *lines;
	struct pdf_block *blocks;
	struct pdf_page *pages;
	size_t text_size, word_count, line_count, block_count, page_count;
	size_t text_room, word_room, line_room, block_room, page_room;
	char rest[4096]; /* of a row that has not come whole */
	size_t rest_size;
	float body; /* how high most lines are */
};

void pdf_parse(struct pdf *p, const char *bytes, size_t size); /* piece by piece */
/* What a row of it says; box: x, y, width, height. */
void pdf_add_page(struct pdf *p, const float *box);
void pdf_add_block(struct pdf *p, const float *box);
void pdf_add_line(struct pdf *p, const float *box);
void pdf_add_word(struct pdf *p, const float *box, const char *text, size_t size);
uint32_t pdf_add_text(struct pdf *p, const char *text, size_t size); /* where it is in p->text */
void pdf_copy_word(struct pdf *p, uint32_t word); /* the same once more, to the end of the last line */
void pdf_order(struct pdf *p);                    /* once p->body is known */
void pdf_turn_pages(struct pdf *p);               /* that stand on their side */
/* Where its letters are and how high, rather than all that is printed in it. */
void pdf_fit_line(const struct pdf *p, struct pdf_line *l);
void pdf_join_fractions(struct pdf *p, struct pdf_line *l); /* once its height is known */
/* The column that a line stands in, from 1; 0: it goes across some, or there are none. */
int pdf_column(const struct pdf_page *page, const struct pdf_line *l);
enum { PDF_LINES_MOST = 2000 /* of a page: with more, it is a table or a drawing */ };
/* Each page's gutters; lines that run across it become one in each column. */
void pdf_split_columns(struct pdf *p);
void pdf_judge(struct pdf *p);
void pdf_drop_furniture(struct pdf *p);
void pdf_drop_numbers(struct pdf *p); /* of pages, and what stands in one line with them */
void pdf_drop_contents(struct pdf *p, const struct pdf_page *page);
/* Rows are numbered from *number on, tables with a gap between them. */
void pdf_mark_tables(struct pdf *p, const struct pdf_page *page, uint32_t *number);
void pdf_write(struct pdf *p, struct out *o);

/* Text as it is printed from left to right becomes text as it is read, in place: for scripts that run from right to left. */
void pdf_put_in_order(char *text);
/* A line's words as text, into the heap's memory. */
char *pdf_line_text(const struct pdf *p, const struct pdf_line *l);
uint32_t pdf_first_char(const char *s, size_t size);
uint32_t pdf_last_char(const char *s, size_t size);
size_t pdf_chars(const char *s, size_t size);
bool pdf_wide(uint32_t c); /* of scripts that are written without blanks */

#endif
