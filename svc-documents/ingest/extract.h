/*
 * extract: the text of a PDF, HTML or DOCX file, got by the helper program parley-extract (helper/): what parses
 * hostile bytes runs apart, without network, with bounded memory, time and output.
 *
 * The file goes to the helper as its standard input (memory, not a path); its text comes back on standard output.
 * What is wrong with a file is ERROR_INVALID with a sentence for its owner; ERROR_INTERNAL: the helper cannot run.
 */
#ifndef PARLEY_DOCUMENTS_EXTRACT_H
#define PARLEY_DOCUMENTS_EXTRACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "svc-documents/formats.h"

enum { EXTRACT_SECONDS = 120, EXTRACT_MAX = 64 * 1024 * 1024 /* bytes of text */ };

/* A file in memory, to be written and handed over; close() it. -1 when there is no room. */
int extract_file(struct error *err) CHECKED;
int extract_write(int file, const void *bytes, size_t size, struct error *err) CHECKED;

struct extracted {
	char *bytes; /* malloc'ed: free() it */
	size_t size;
	char title[300], warning[300]; /* empty when there is none */
	char refresh[1024];            /* where a page sends its reader on at once */
	char base[1024];               /* what its addresses are relative to */
	char scans[1024];              /* its pages that are pictures: "1-3 7-7" */
	char *links; /* malloc'ed: addresses as they stand there, a blank between; NULL: not asked for */
};

/* Where the helper is, what it may have, and how many of them run at once in this process, whoever asks. */
struct extractors;
struct extractors *extractors_open(const char *program, int megabytes, int places, const char *languages);
void extractors_close(struct extractors *e); /* NULL is fine */
/* One line that says what the helper's jail rests on here; -1 when it cannot be. Freed by the caller. */
int extractors_try(struct extractors *e, char **ret, struct error *err) CHECKED;
/* Begins to find out what reads text in pictures, and logs it; that takes half a second, for which no start waits. Until it is
 * known, pictures are taken: one that cannot be read says so itself. */
void extractors_find_ocr(struct extractors *e);
bool extractors_ocr(const struct extractors *e);
/* Is it read here? What is missing otherwise: ", which ...", or "". */
bool extractors_take(const struct extractors *e, const struct format *format);
const char *extract_without(const struct format *format);

/* Whoever asks for a text, and whether they still want it: looked at a few times a second. */
struct wish {
	const atomic_bool *cancelled; /* the service stops */
	int64_t deadline;             /* clock_unix_ms(); waiting for a place ends there */
	bool (*wanted)(void *arg);    /* may be NULL */
	void *arg;
	bool links; /* of a page; of other XML instead of its text: what kind of list it is, as its title */
};

/* Pages of a PDF that are pictures are read as such. ERROR_NOT_FOUND: nobody wants it any more. */
int extract_run(struct extractors *e, const struct format *format, int file, const struct wish *wish,
                struct extracted *ret, struct error *err) CHECKED;

/* For scan.c: one run of the helper; pages: the first and the last, or NULL. */
int extract_once(const struct extractors *e, const struct format *format, int file, const char *const *pages,
                 const struct wish *wish, struct extracted *ret, struct error *err) CHECKED;
void extract_drop(struct extracted *x);
/* The pages in got->scans, of the PDF in file, in place of what got says of them. */
int scan_pages(const struct extractors *e, int file, const struct wish *wish, struct extracted *got,
               struct error *err) CHECKED;

#endif
