/*
 * normalise: the bytes of a text file (or of an extractor) as clean text.
 *
 * Result: valid UTF-8 without control characters but '\n' and '\t'; line ends are '\n'; no blanks at line ends, one
 * space where there were several (a line's indentation stays), at most one empty line in a row, none at the start
 * or end. Input may be UTF-8 or, with a byte order mark, UTF-16; bytes that are no UTF-8 are read as Windows-1252,
 * which is what such files nearly always are. Byte order marks, soft hyphens, zero-width spaces and characters that
 * turn the direction of others are dropped. Offsets everywhere count characters (code points) of this text.
 *
 * With `paged` each form feed ends a page, and is no more than that: what stands round it is a paragraph's border or a
 * blank, or nothing within a word. Else it is a paragraph's border.
 */
#ifndef PARLEY_DOCUMENTS_NORMALISE_H
#define PARLEY_DOCUMENTS_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

struct page {
	size_t start, end; /* bytes of the text */
};

struct clean {
	char *text; /* NUL-terminated */
	size_t size;
	struct page *pages; /* in order; none unless paged */
	size_t page_count;
	bool bulk; /* the text is an arena_bulk() */
};
/* Who has gone through a bulky text up to `reached` needs what lies behind no more; *rested (0 at first) is kept here. */
void clean_rest(const struct clean *c, size_t *rested, size_t reached);

/* mapped: the bytes are a mapping of a file, which may rest as well. */
void normalise(const char *bytes, size_t size, bool paged, bool mapped, struct clean *ret, struct arena *a);

#endif
