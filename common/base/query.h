/*
 * query: "name=value&name=value", percent-encoded, a plus for a space: behind the question mark of an address, or a form.
 */
#ifndef PARLEY_QUERY_H
#define PARLEY_QUERY_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/text.h"

struct query {
	const char *at;
	struct arena *arena;
};

struct query query_start(const char *raw, struct arena *a);

/* The next pair, decoded, in the arena. *value is NULL when it holds U+0000, which no text of ours does; such a name is
 * passed over. */
bool query_next(struct query *q, const char **name, const char **value);

/* Append text so that it can stand as a name or a value. */
void query_encode(struct text *out, const char *text);

#endif
