/*
 * multipart: the parts of a multipart/form-data body (RFC 7578, RFC 2046 5.1), as they come.
 *
 *	multipart_init(&m, content_type, read, arg, arena, err);
 *	while ((more = multipart_next(&m, &part, err)) == 1)
 *		while ((rc = multipart_read(&m, buffer, sizeof buffer, &got, err)) == 0 && got)
 *			...
 *
 * Memory is one window of 64 KiB, whatever is sent. What is not read of a part is skipped. Names and file names keep
 * the bytes they came in; the caller judges whether they are UTF-8. civetweb's own parser is not used: a NUL byte
 * in a form sends the one of 1.15 into a loop.
 */
#ifndef PARLEY_MULTIPART_H
#define PARLEY_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/error.h"

/* Up to room bytes of the body; *got is 0 at its end. -1 with err. */
typedef int multipart_source(void *arg, void *bytes, size_t room, size_t *got, struct error *err);

enum { MULTIPART_WINDOW = 64 * 1024, MULTIPART_PARTS = 50, MULTIPART_BOUNDARY = 70 };

struct multipart {
	multipart_source *source;
	void *arg;
	struct arena *arena;
	char delimiter[MULTIPART_BOUNDARY + 5]; /* CR LF - - boundary */
	size_t delimiter_length;
	char *window;
	size_t start, end; /* what is in the window and not yet given away */
	bool source_ended; /* nothing comes after what is in the window */
	bool in_part, finished;
	int parts;
};

struct multipart_part {
	const char *name;
	const char *file_name; /* NULL: a plain field. Only the last component of what was sent */
	const char *type;      /* Content-Type of the part, or NULL */
};

/* ERROR_UNSUPPORTED_TYPE when content_type (may be NULL) is not multipart/form-data with a usable boundary. */
int multipart_init(struct multipart *m, const char *content_type, multipart_source *source, void *arg,
                   struct arena *a, struct error *err) CHECKED;

/* 1: *ret is the next part, in the arena; 0: that was the last; -1: ERROR_MALFORMED, or the source's own. */
int multipart_next(struct multipart *m, struct multipart_part *ret, struct error *err) CHECKED;

/* Bytes of the part; *got is 0 at its end. */
int multipart_read(struct multipart *m, void *bytes, size_t room, size_t *got, struct error *err) CHECKED;

#endif
