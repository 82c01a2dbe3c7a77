#include "common/egress/sse_reader.h"

#include <stdlib.h>
#include <string.h>

void sse_reader_init(struct sse_reader *r, size_t limit, int (*on_event)(void *, const struct sse_event *),
                     void *arg)
{
	*r = (struct sse_reader){ .limit = limit, .on_event = on_event, .arg = arg, .retry_ms = -1 };
	arena_init(&r->arena, 0);
	text_init(&r->line, &r->arena);
	text_init(&r->data, &r->arena);
	text_init(&r->name, &r->arena);
	text_init(&r->id, &r->arena);
}

void sse_reader_done(struct sse_reader *r)
{
	arena_done(&r->arena);
}

static void set(struct text *t, const char *bytes, size_t size)
{
	t->length = 0;
	t->at[0] = '\0';
	text_add(t, bytes, size);
}

/* A blank line: what was gathered is an event. */
static int dispatch(struct sse_reader *r)
{
	struct sse_event event = {
		.name = r->name.length ? r->name.at : "message",
		.data = r->data.at,
		.size = r->data.length,
		.id = r->id.at,
	};
	int result = r->has_data ? r->on_event(r->arg, &event) : 0;

	set(&r->data, NULL, 0);
	set(&r->name, NULL, 0);
	r->has_data = false;
	return result;
}

static int too_large(struct sse_reader *r, struct error *err)
{
	return error_set(err, ERROR_UPSTREAM, "the peer sent an event of more than %zu bytes", r->limit);
}

/* Digits alone, and not more than make sense. The value ends where its line does, not with a NUL. */
static void read_retry(struct sse_reader *r, const char *value, size_t size)
{
	long ms = 0;

	for (size_t i = 0; i < size; i++) {
		if (value[i] < '0' || value[i] > '9')
			return;
		ms = ms * 10 + (value[i] - '0');
		if (ms > 999999999)
			return;
	}
	if (size)
		r->retry_ms = ms;
}

static int add_data(struct sse_reader *r, const char *value, size_t size, struct error *err)
{
	bool whole;

	if (r->data.length + size + 1 > r->limit)
		return too_large(r, err);
	if (r->has_data)
		text_addc(&r->data, '\n');
	whole = !r->has_data && r->is_event && r->is_event(value, size);
	text_add(&r->data, value, size);
	r->has_data = true;
	return whole ? dispatch(r) : 0;
}

/* Of a line of data, which some proxies indent. */
static size_t indent_of(const char *line, size_t size)
{
	size_t n = 0;

	while (n < size && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return size - n >= 5 && memcmp(line + n, "data:", 5) == 0 ? n : 0;
}

static int take_line(struct sse_reader *r, const char *line, size_t size, struct error *err)
{
	const char *colon = memchr(line, ':', size);
	size_t name_size = colon ? (size_t)(colon - line) : size;
	const char *value = colon ? colon + 1 : line + size;
	size_t value_size = (size_t)(line + size - value);

	if (size == 0)
		return dispatch(r);
	if (value_size && value[0] == ' ') {
		value++;
		value_size--;
	}
	if (name_size == 4 && memcmp(line, "data", 4) == 0) {
		return add_data(r, value, value_size, err);
	} else if (name_size == 5 && memcmp(line, "event", 5) == 0) {
		set(&r->name, value, value_size);
	} else if (name_size == 2 && memcmp(line, "id", 2) == 0 && !memchr(value, '\0', value_size)) {
		set(&r->id, value, value_size);
	} else if (name_size == 5 && memcmp(line, "retry", 5) == 0) {
		read_retry(r, value, value_size);
	} else if (name_size && r->is_event && (r->has_data || r->is_event(line, size))) {
		return add_data(r, line, size, err); /* its name was forgotten */
	}
	return 0;
}

/* The first line may start with a byte order mark. */
static int end_line(struct sse_reader *r, const char *line, size_t size, struct error *err)
{
	size_t indent;

	if (!r->started && size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		size -= 3;
	}
	r->started = true;
	indent = r->is_event ? indent_of(line, size) : 0;
	return take_line(r, line + indent, size - indent, err);
}

static const char *line_end(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));
	const char *cr = memchr(at, '\r', (size_t)((lf ? lf : end) - at));

	return cr ? cr : lf;
}

int sse_reader_feed(struct sse_reader *r, const char *bytes, size_t size, struct error *err)
{
	const char *at = bytes, *end = bytes + size;

	while (at < end) {
		const char *stop;
		int result;

		if (r->skip_lf && *at == '\n') {
			r->skip_lf = false;
			at++;
			continue;
		}
		r->skip_lf = false;
		stop = line_end(at, end);
		if (r->line.length + (size_t)((stop ? stop : end) - at) > r->limit)
			return too_large(r, err);
		if (!stop) {
			text_add(&r->line, at, (size_t)(end - at));
			return 0;
		}
		if (r->line.length) { /* the line began in an earlier piece */
			text_add(&r->line, at, (size_t)(stop - at));
			result = end_line(r, r->line.at, r->line.length, err);
			set(&r->line, NULL, 0);
		} else {
			result = end_line(r, at, (size_t)(stop - at), err);
		}
		if (result)
			return result;
		r->skip_lf = *stop == '\r';
		at = stop + 1;
	}
	return 0;
}

void sse_reader_end(struct sse_reader *r)
{
	struct error ignored = { 0 };

	if (r->line.length && end_line(r, r->line.at, r->line.length, &ignored) != 0)
		return;
	dispatch(r);
}
