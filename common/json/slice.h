/*
 * slice: parts of a JSON text that is known to be good (json_parse() took it, or json_print() made it), found without making
 * a tree: for what is read often and whole. A part points into the text. Of a text that is not good it finds less, and reads
 * nothing beyond its end.
 */
#ifndef PARLEY_SLICE_H
#define PARLEY_SLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

struct slice {
	const char *at; /* not ended by a NUL */
	size_t size;
};

struct slice slice_of(const char *text);

/* What stands in the brackets of an array, or an object; nothing, where it is none. */
struct slice slice_array(struct slice value);
struct slice slice_object(struct slice value);
/* The next of what stands there, which is then taken off: false when there is none. A key has its quotes. */
bool slice_item(struct slice *rest, struct slice *value);
bool slice_member(struct slice *rest, struct slice *key, struct slice *value);

/* Is it this JSON, byte by byte: "true", or "\"a key\""? */
bool slice_is(struct slice s, const char *json);
/* A string's text; NULL: it is none. */
char *slice_text(struct slice s, struct arena *a);
/* As it stands; NULL: it is null, or nothing. */
char *slice_json(struct slice s, struct arena *a);

#endif
