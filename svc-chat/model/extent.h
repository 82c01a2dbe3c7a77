/* extent: where a value of JSON ends, in a text that may hold more, or only its beginning. */
#ifndef PARLEY_CHAT_EXTENT_H
#define PARLEY_CHAT_EXTENT_H

#include <stddef.h>

/* The bytes of the object or list that text begins with; 0: it begins with none, or does not end. */
size_t extent_of(const char *text, size_t size);

#endif
