/*
 * helper: parley-extract, the program that reads what strangers upload: `parley-extract pdf|html|docx`, the file on
 * standard input, its text on standard output (of HTML and DOCX with the title in the first line).
 *
 * It has no network, writes no file, starts nothing (but becomes pdftotext for a PDF), and dies of too much memory or
 * processor time. Text comes as Markdown where there is structure: headings with #, lists with -.
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

/* From now on: no sockets, no new processes, no writing, bounded memory, so many seconds of processor time. Ends the
 * program when it cannot. */
void confine(int seconds);

_Noreturn void end(int verdict, const char *why);

/* --- Text on its way out: ends the program when it becomes too long. */
struct out {
	char *at;
	size_t size, room;
	int newlines; /* owed before the next character: 1 a line, 2 a paragraph */
	bool space;   /* a blank is owed */
};
void out_text(struct out *o, const char *text, size_t size);  /* white space becomes one blank */
void out_plain(struct out *o, const char *text, size_t size); /* as it is */
void out_break(struct out *o, int newlines);
void out_flush(const struct out *o, const char *title);

struct GumboInternalOutput; /* gumbo.h: a parsed page */
void html_text(const struct GumboInternalOutput *page, struct out *o, char *title, size_t title_size);
void html_read(const char *bytes, size_t size, struct out *o, char *title, size_t title_size);
void docx_read(int file, struct out *o);

#endif
