/* charset: HTML pages in other encodings than UTF-8, as they and their servers declare them. */
#ifndef PARLEY_DOCUMENTS_CHARSET_H
#define PARLEY_DOCUMENTS_CHARSET_H

#include <stddef.h>

#include "common/base/arena.h"

/*
 * The bytes as UTF-8. Valid UTF-8 stays as it is, whatever it declares; else the charset of content_type (may be NULL)
 * or of the page's first bytes counts; what that cannot read is taken for Windows-1252.
 */
const char *charset_to_utf8(const char *bytes, size_t size, const char *content_type, size_t *ret_size,
                            struct arena *a);

#endif
