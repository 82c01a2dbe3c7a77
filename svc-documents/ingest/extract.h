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
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum { EXTRACT_SECONDS = 120, EXTRACT_MAX = 64 * 1024 * 1024 /* bytes of text */ };

/* A file in memory, to be written and handed over; close() it. -1 when there is no room. */
int extract_file(struct error *err) CHECKED;
int extract_write(int file, const void *bytes, size_t size, struct error *err) CHECKED;

struct extracted {
	char *bytes; /* malloc'ed: free() it */
	size_t size;
	char title[300]; /* of an HTML page; else empty */
};

/* program: parley-extract. kind: "pdf", "html", "docx". */
int extract_run(const char *program, const char *kind, int file, const atomic_bool *cancelled,
                struct extracted *ret, struct error *err) CHECKED;

#endif
