#include "gateway/answer.h"

#include <civetweb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "gateway/error_form.h"
#include "gateway/guard.h"

static const struct {
	int http;
	int retry_after; /* when nobody says better; 0: none */
} statuses[ERROR_CODES] = {
	[ERROR_NONE] = { 500 }, /* an error without a cause is a bug */
	[ERROR_MALFORMED] = { 400 },      [ERROR_UNAUTHENTICATED] = { 401 },  [ERROR_FORBIDDEN] = { 403 },
	[ERROR_NOT_FOUND] = { 404 },      [ERROR_METHOD] = { 405 },           [ERROR_CONFLICT] = { 409 },
	[ERROR_TOO_LARGE] = { 413 },      [ERROR_UNSUPPORTED_TYPE] = { 415 }, [ERROR_INVALID] = { 422 },
	[ERROR_TOO_MANY] = { 429, 1 },    [ERROR_INTERNAL] = { 500 },         [ERROR_UPSTREAM] = { 502 },
	[ERROR_UNAVAILABLE] = { 503, 1 }, [ERROR_UNKNOWN_OUTCOME] = { 504 },
};

static int answer_status(enum error_code code)
{
	return (unsigned)code < ERROR_CODES ? statuses[code].http : 500;
}

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Unnamed";
}

void answer_header(struct request *req, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addf(&req->headers, "%s: %s\r\n", name, arena_vprintf(req->arena, format, args));
	va_end(args);
}

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made once a second in each thread. */
static const char *date_line(void)
{
	static _Thread_local char line[48];
	static _Thread_local time_t made;
	time_t now = clock_unix_ms() / 1000;
	struct tm tm;

	if (now != made) {
		gmtime_r(&now, &tm);
		strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		made = now;
	}
	return line;
}

static void add_line(struct text *out, const char *name, const char *value)
{
	text_adds(out, name);
	text_adds(out, value);
	text_adds(out, "\r\n");
}

static void add_head(struct text *out, struct request *req, int status, const char *type, const char *cache)
{
	text_addf(out, "HTTP/1.1 %d %s\r\n", status, reason(status));
	text_adds(out, date_line());
	add_line(out, "X-Request-Id: ", req->id);
	if (type)
		add_line(out, "Content-Type: ", type);
	add_line(out, "Cache-Control: ", cache ? cache : "no-store");
	text_adds(out, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
	text_add(out, req->headers.at, req->headers.length);
	if (req->close)
		text_adds(out, "Connection: close\r\n");
	req->status = status;
}

/* One write, against a clock: a client that reads a byte at a time must not hold the thread. */
static int write_all(struct request *req, const char *bytes, size_t size)
{
	int n;

	guard_answer(req->slot,
	             clock_mono_ms() + GUARD_GRACE_MS + (int64_t)size * 1000 / GUARD_BYTES_PER_SECOND);
	n = mg_write(req->conn, bytes, size);
	guard_busy(req->slot);
	if (n > 0)
		req->sent += n;
	if (n == (int)size)
		return 0;
	req->close = true;
	return -1;
}

void answer_send(struct request *req, const struct answer *a)
{
	struct text out;

	if (!req->body_ended) /* answered before the end of the body, which nobody is going to read */
		req->close = true;
	text_init(&out, req->arena);
	add_head(&out, req, a->status, a->type, a->cache);
	if (a->status != 204 && a->status != 304)
		text_addf(&out, "Content-Length: %zu\r\n", a->type ? a->size : 0);
	text_adds(&out, "\r\n");
	if (a->type && !req->head)
		text_add(&out, a->body, a->size);
	(void)write_all(req, out.at, out.length); /* a client that has gone is told nothing */
}

void answer_json(struct request *req, int status, const char *body, size_t size)
{
	answer_send(req, &(struct answer){
	                     .status = status, .type = "application/json", .body = body, .size = size });
}

/* What a field must be is 422 with us, and 400 for clients of other people's APIs. */
static int status_of(const struct request *req, enum error_code code)
{
	return code == ERROR_INVALID && req->errors != ERRORS_DETAIL ? 400 : answer_status(code);
}

void answer_error(struct request *req, const char *extra)
{
	const struct error *err = &req->err;
	enum error_code code = (unsigned)err->code < ERROR_CODES ? err->code : ERROR_INTERNAL;
	int retry_after = err->retry_after > 0 ? err->retry_after : statuses[code].retry_after;
	struct text body;

	if (statuses[code].retry_after)
		answer_header(req, "Retry-After", "%d", retry_after);
	if (code == ERROR_UNAUTHENTICATED && !extra)
		answer_header(req, "WWW-Authenticate", "Bearer realm=\"parley\"%s",
		              req->challenge ? req->challenge : "");
	text_init(&body, req->arena);
	answer_error_body(req, err, extra, &body);
	answer_json(req, status_of(req, code), body.at, body.length);
}

void answer_error_body(const struct request *req, const struct error *err, const char *extra,
                       struct text *out)
{
	struct error known = *err;

	if ((unsigned)known.code >= ERROR_CODES)
		known.code = ERROR_INTERNAL;
	error_form(req->errors, &known, status_of(req, known.code), extra, out);
}

int answer_stream_begin(struct request *req, const char *type)
{
	struct text out;

	req->streams = true;
	req->close = true; /* the end of the connection is the end of the answer */
	text_init(&out, req->arena);
	add_head(&out, req, 200, type, "no-store, no-transform"); /* compressed, events would wait */
	text_adds(&out, "X-Accel-Buffering: no\r\n\r\n");         /* nginx in front would gather events */
	return write_all(req, out.at, out.length);
}

int answer_file_begin(struct request *req, int status, const char *type, int64_t size, bool chunked)
{
	struct text out;

	req->streams = true;
	if (!req->body_ended || (size < 0 && !chunked))
		req->close = true;
	text_init(&out, req->arena);
	add_head(&out, req, status, type, "private, no-cache");
	if (size >= 0)
		text_addf(&out, "Content-Length: %lld\r\n", (long long)size);
	else if (chunked)
		text_adds(&out, "Transfer-Encoding: chunked\r\n");
	text_adds(&out, "\r\n");
	return write_all(req, out.at, out.length);
}

int answer_stream_write(struct request *req, const char *bytes, size_t size)
{
	return write_all(req, bytes, size);
}
