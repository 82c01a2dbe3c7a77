/*
 * formats: every kind of file that is known here, in one table: what it is called, who reads it, and what people are
 * told of it. The helper's readers (helper/extract.c) bear the same names.
 */
#ifndef PARLEY_DOCUMENTS_FORMATS_H
#define PARLEY_DOCUMENTS_FORMATS_H

#include <stdbool.h>

struct format {
	const char *name;   /* Document.type */
	const char *words;  /* "a PDF": for sentences */
	const char *plural; /* NULL: the row before speaks for it */
	enum {
		FORMAT_REFUSED, /* known, but not read */
		FORMAT_PLAIN,   /* text as it is */
		FORMAT_HELPER,  /* read by parley-extract */
		FORMAT_OCR      /* as well, where tesseract is installed */
	} reader;
	bool text;   /* its bytes are characters, in whatever encoding */
	bool markup; /* and say in which */
	bool pages;
	int seconds;       /* of the helper's processor time */
	const char *media; /* its media type */
};

/* NULL when there is none of that name. */
const struct format *format_named(const char *name);
/* "PDF, Word documents, text and web pages": all that are read, with or without pictures. Up to size bytes. */
const char *formats_read(bool ocr, char *text, unsigned size);

#endif
