/*
 * sniff: what a file is, judged by its first bytes. Names and declared types lie: a name only tells kinds of text from
 * each other, which look alike (.md, .csv, .json, .html).
 */
#ifndef PARLEY_DOCUMENTS_SNIFF_H
#define PARLEY_DOCUMENTS_SNIFF_H

#include <stddef.h>

#include "svc-documents/formats.h"

/* Its row of the table, also of what is not read; NULL: nothing that is known. head: the first bytes, up to 256 KiB.
 * content_type: what a web server says of it, or NULL. */
const struct format *sniff(const char *head, size_t size, const char *file_name, const char *content_type);

#endif
