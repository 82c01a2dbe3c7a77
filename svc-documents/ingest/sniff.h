/*
 * sniff: what a file is, judged by its first bytes. Names and declared types lie; the name only tells Markdown from
 * plain text, which look alike.
 */
#ifndef PARLEY_DOCUMENTS_SNIFF_H
#define PARLEY_DOCUMENTS_SNIFF_H

#include <stddef.h>

/* "pdf", "docx", "html", "md", "txt", or NULL: nothing that we read. head: the first bytes, up to 256 KiB. */
const char *sniff(const char *head, size_t size, const char *file_name);

#endif
