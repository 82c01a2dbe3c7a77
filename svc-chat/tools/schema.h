/*
 * tools/schema: whether arguments are what a tool's JSON Schema wants: the part of 2020-12 that servers use, and of its
 * forebears. Types, enum, const, bounds, properties, items, and combinations of schemas are checked.
 *
 * Schemas come from strangers. Nothing is fetched: a `$ref` that leads out of the document, like a keyword that is not known
 * (pattern, format), is passed over, and the server has the last word. Recursion and work are bounded; what is too deep or
 * too much to check passes, too.
 */
#ifndef PARLEY_TOOLS_SCHEMA_H
#define PARLEY_TOOLS_SCHEMA_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/base/text.h"

/* False: `why` gets a sentence for each mistake, a line each, at most SCHEMA_MISTAKES: "a: must be a number". */
enum { SCHEMA_MISTAKES = 5 };
bool schema_check(json_object *schema, json_object *value, struct text *why);

#endif
