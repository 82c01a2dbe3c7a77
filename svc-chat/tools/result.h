/*
 * tools/result: what a tool gave back, as text for a model: data from outside, with what would end its quotation or pass for
 * a message of its own made harmless. Pictures, sounds and files are told of, not shown.
 */
#ifndef PARLEY_TOOLS_RESULT_H
#define PARLEY_TOOLS_RESULT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

/* The result of tools/call. Never empty; at most `most` bytes, whole characters. */
const char *result_text(json_object *result, size_t most, struct arena *a);
bool result_failed(json_object *result);

/* Pictures, sounds, files and links in it, at most RESULT_FILES; what is larger than RESULT_FILE_BYTES, or no base64, is left out. */
enum { RESULT_FILES = 10, RESULT_FILE_BYTES = 2 << 20 };
struct result_file {
	const char *kind;              /* "image", "audio", "file", "link" */
	const char *name, *type, *uri; /* may be NULL */
	const void *data;              /* NULL of a link */
	size_t size;
};
size_t result_files(json_object *result, struct result_file list[RESULT_FILES], struct arena *a);

/* The piece of a text that a model is shown: from a character on, at most so many tokens; and where it goes on. number: what
 * read_more calls it. */
const char *result_piece(const char *text, int number, int64_t from, int64_t tokens, struct arena *a);

#endif
