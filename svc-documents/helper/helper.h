/*
 * helper: parley-extract, the program that reads what strangers upload: `parley-extract FORMAT MEGABYTES SECONDS`
 * (pictures: LANGUAGES too; those of a scan: FIRST LAST too, pages),
 * the file on standard input; on standard output six lines (its title, a warning, where a page sends its reader, what its
 * addresses are relative to, which pages are scans, and addresses when they are asked for; each may be empty), then its text. What is characters comes as UTF-8.
 *
 * It lives in a jail (jail.h) and dies of too much memory or processor time. Text comes as Markdown where there is
 * structure: headings with #, lists with -, rows of tables with |. Pages end at form feeds.
 */
#ifndef PARLEY_DOCUMENTS_HELPER_H
#define PARLEY_DOCUMENTS_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "svc-documents/helper/verdict.h"

enum {
	INPUT_MAX = 64 * 1024 * 1024,     /* bytes of a file that are read into memory */
	INFLATED_MAX = 128 * 1024 * 1024, /* bytes of an archive's parts, counted as they come */
	OUTPUT_MAX = 64 * 1024 * 1024,
	PAGES_MAX = 5000,
};

_Noreturn void end(int verdict, const char *why);
void *there(void *memory)
    __attribute__((returns_nonnull)); /* ends the program where there is none: there(malloc(n)) */

/* --- Text on its way out: ends the program when it becomes too long. */
struct out {
	char *at;
	size_t size, room;
	int newlines; /* owed before the next character: 1 a line, 2 a paragraph */
	bool space;   /* a blank is owed */
	size_t mark;  /* behind an item's mark, where nothing breaks; 0: none */
	bool shell;   /* a page that only a script fills */
	bool told;    /* and what it tells machines is there in its place */
	char title[256], warning[256], refresh[1000]; /* told before the text */
	struct out *links;                            /* where it points, told too; NULL: nobody asks */
	int link_count;
	char base[1000];  /* what a page says its addresses are relative to */
	char scans[1000]; /* pages of a PDF that are pictures, or hold hardly more: "1-3 7-7" */
};
void out_text(struct out *o, const char *text, size_t size);  /* white space becomes one blank */
void out_plain(struct out *o, const char *text, size_t size); /* as it is */
void out_break(struct out *o, int newlines);
/* An address to o->links, with a blank between it and the one before. */
void out_link(struct out *o, const char *address, size_t size);
size_t out_utf8(char *to, long c); /* a character, by its number: 1 to 4 bytes */
char *out_take(struct out *o);     /* what was written so far, to be freed; it begins anew */
void out_flush(const struct out *o);

/* --- Kinds of files --------------------------------------------------------------------------------------------- */

struct jail;
void pdf_read(const struct jail *jail, struct out *o);
void docx_read(int file, struct out *o);
void pptx_read(int file, struct out *o);
void xlsx_read(int file, struct out *o);
void odt_read(int file, struct out *o);
void epub_read(int file, struct out *o);
struct recoder; /* recode.h */
void mail_read(struct recoder *recoder, const char *bytes, size_t size, struct out *o);
void rtf_read(struct recoder *recoder, const char *bytes, size_t size, struct out *o);
void csv_read(const char *bytes, size_t size, struct out *o);
void json_read(const char *bytes, size_t size, struct out *o);
void xml_read(const char *bytes, size_t size, struct out *o);
/* With o->links. */
void xml_links(const char *bytes, size_t size, struct out *o);
void subtitles_read(const char *bytes, size_t size, struct out *o);

struct GumboInternalOutput; /* gumbo.h: a parsed page */
void html_text(const struct GumboInternalOutput *page, struct out *o);
void html_read(char *bytes, size_t size, struct out *o);
/* Leave out, in place, what would make a parser multiply it: formatting that is opened without end, nesting without
 * end. Returns the new size. */
size_t html_tame(char *bytes, size_t size);

#endif
