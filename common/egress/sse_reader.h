/*
 * sse_reader: server-sent events as they come from a model or another peer, in pieces of any size.
 *
 * Follows the WHATWG "event stream" grammar: lines end with LF, CR or CRLF; "data" lines of an event are joined by LF;
 * comments, unknown fields and events without data are passed over; an event that the end of the stream cuts off is
 * dropped, unless sse_reader_end() is called. An event or line over the limit is refused (ERROR_UPSTREAM), so a peer cannot fill our memory.
 */
#ifndef PARLEY_SSE_READER_H
#define PARLEY_SSE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/text.h"

struct sse_event {
	const char *name; /* "message" when not given */
	const char *data; /* NUL-terminated; may hold any byte */
	size_t size;
	const char *id; /* the last one seen; "" at first */
};

struct sse_reader {
	struct arena arena; /* holds the texts below */
	struct text line, data, name, id;
	size_t limit; /* bytes of one line, and of one event's data */
	bool has_data, skip_lf, started;
	int64_t retry_ms; /* the last "retry"; -1: none yet */
	/* May be set: is a line of data an event of its own? For peers that leave out the blank lines, and the names: such a line
	 * counts without one, and one without a name that is known goes on with the data before it. */
	bool (*is_event)(const char *line, size_t size);
	/* Gets each event; non-zero ends the reading and is what sse_reader_feed() returns. */
	int (*on_event)(void *arg, const struct sse_event *event);
	void *arg;
};

void sse_reader_init(struct sse_reader *r, size_t limit, int (*on_event)(void *, const struct sse_event *),
                     void *arg);
void sse_reader_done(struct sse_reader *r);

/* 0, what on_event returned, or -1 with ERROR_UPSTREAM. Not to be fed again after anything but 0. */
int sse_reader_feed(struct sse_reader *r, const char *bytes, size_t size, struct error *err) CHECKED;
/* The bytes have ended: what was gathered counts as an event, for peers that leave out the last blank line. */
void sse_reader_end(struct sse_reader *r);

#endif
