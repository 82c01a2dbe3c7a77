/* extent: where a value of JSON ends, in a text that may hold more, or only its beginning. */
#ifndef PARLEY_CHAT_EXTENT_H
#define PARLEY_CHAT_EXTENT_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the object or list that text begins with; 0: it begins with none, or does not end. */
size_t extent_of(const char *text, size_t size);

/* The same of a text that grows: each byte is looked at once. Begins with all zero. */
struct extent {
	size_t seen, end; /* end: where it ends; 0: not yet */
	int depth;
	bool string, escaped;
};
size_t extent_more(struct extent *e, const char *text, size_t size);

#endif
