/*
 * charset: text in whatever encoding, as UTF-8. Names mean what browsers take them to mean (WHATWG): iso-8859-1 is
 * Windows-1252, gb2312 is GB18030, Shift_JIS is CP932.
 */
#ifndef PARLEY_DOCUMENTS_CHARSET_H
#define PARLEY_DOCUMENTS_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

enum charset_width { CHARSET_BYTES, CHARSET_UTF16_LE, CHARSET_UTF16_BE };
/* By its mark, or by where its NULs and blanks are. */
enum charset_width charset_width(const char *bytes, size_t size);

struct charset_text {
	const char *text; /* UTF-8 but for what could not be helped; the bytes themselves, or in the arena */
	size_t size;
	const char *doubt; /* a sentence for people when it was guessed, or bytes were lost; else NULL */
};
/*
 * A mark counts most; then, valid UTF-8 stays as it is, whatever it declares, and what is UTF-8 but for some lines is read line by
 * line; then the charset of content_type (may be
 * NULL), then (markup) what the page or XML says of itself, then what the bytes look like. A name that nobody knows is
 * passed over; bytes that do not fit become U+FFFD. mapped: the bytes are a mapping of a file, which may rest (arena.h).
 */
void charset_to_utf8(const char *bytes, size_t size, const char *content_type, bool markup, bool mapped,
                     struct charset_text *ret, struct arena *a);

#endif
