/*
 * static_files: the files that are part of the program: the documentation pages and their assets, openapi.json.
 *
 * The table is made by the build (gateway/static.sh) from gateway/static. Text is kept compressed and goes out so
 * to whoever takes gzip, which is everybody but a bare curl. Answers carry an ETag; a browser that has the file is told so.
 */
#ifndef PARLEY_STATIC_FILES_H
#define PARLEY_STATIC_FILES_H

#include <stdbool.h>

#include "gateway/request.h"

struct static_file {
	const char *name; /* below gateway/static */
	const unsigned char *bytes, *end;
	const char *tag; /* of the content */
	bool packed;     /* bytes are gzip */
};

extern const struct static_file static_files[];
extern const unsigned static_file_count;

const struct static_file *static_find(const char *name); /* NULL when there is none */

/* Answers with it. security: the Content-Security-Policy of a page; NULL for other files. cache: Cache-Control; NULL:
 * it is asked for each time. */
int static_answer(struct request *req, const struct static_file *f, const char *security,
                  const char *cache) CHECKED;

#endif
