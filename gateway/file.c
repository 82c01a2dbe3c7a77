#include "gateway/file.h"

#include <civetweb.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/query.h"
#include "common/json/json_message.h"
#include "gateway/answer.h"

static const char security[] = "default-src 'none'; sandbox";

/* A member of a message, by its JSON name. */
static void *member(const struct shape *shape, const ProtobufCMessage *msg, const char *name)
{
	unsigned index;

	return shape_find(shape, name, &index) ? (char *)msg + shape->message->fields[index].offset : NULL;
}

const Rpc__FilePiece *file_of(const struct route *route, const ProtobufCMessage *reply)
{
	return route->file ? *(Rpc__FilePiece **)member(route->out, reply, route->file) : NULL;
}

/* --- Which part of it ------------------------------------------------------------------------------------------------ */

struct sending {
	struct exchange *x;
	ProtobufCMessage *in;
	int64_t from, to; /* of the bytes; to is one beyond the last. Of a file of unknown size: nothing */
	bool sized, chunked;
	struct arena page; /* of one piece */
};

/* "bytes=0-99", "bytes=100-", "bytes=-50" (RFC 9110, 14.1.2). 1: that part; 0: all of it; -1: there is no such part. */
static int read_range(const char *range, int64_t size, int64_t *from, int64_t *to)
{
	char *end;
	long long first, last;

	*from = 0;
	*to = size;
	if (!range || strncmp(range, "bytes=", 6) != 0 || strchr(range, ','))
		return 0; /* several parts are sent as one: all of it */
	range += 6;
	if (*range == '-' && isdigit((unsigned char)range[1])) {
		last = strtoll(range + 1, &end, 10);
		if (*end)
			return 0;
		*from = last < size ? size - last : 0;
		return last > 0 && size > 0 ? 1 : -1;
	}
	if (!isdigit((unsigned char)*range))
		return 0;
	first = strtoll(range, &end, 10);
	if (*end++ != '-' || (*end && !isdigit((unsigned char)*end)))
		return 0;
	last = *end ? strtoll(end, &end, 10) : INT64_MAX;
	if (*end || last < first)
		return 0;
	*from = first;
	*to = last < size - 1 ? last + 1 : size;
	return first < size ? 1 : -1;
}

/* A part is of the file that the client has the beginning of, or it gets all. */
static const char *wanted_range(const struct request *req, const Rpc__FilePiece *file)
{
	const char *same = request_header(req, "If-Range");

	if (same && (!file->tag || strcmp(same, arena_printf(req->arena, "\"%s\"", file->tag)) != 0))
		return NULL;
	return request_header(req, "Range");
}

/* --- The head -------------------------------------------------------------------------------------------------------- */

/* Nothing that could end the header line, whatever a service says. */
static const char *type_of(const Rpc__FilePiece *file)
{
	static const char plain[] = "application/octet-stream";
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+-.; =_";

	return file->type && *file->type && strspn(file->type, allowed) == strlen(file->type) ? file->type
	                                                                                      : plain;
}

/* The name twice: in ASCII for old clients, and whole (RFC 6266, 8187). */
static void add_disposition(struct request *req, const char *name, bool shown)
{
	struct text whole;
	char *ascii = arena_strdup(req->arena, name && *name ? name : "file");

	text_init(&whole, req->arena);
	query_encode(&whole, ascii);
	for (char *p = ascii; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~' || strchr("\"\\/%;", *p))
			*p = '_';
	answer_header(req, "Content-Disposition", "%s; filename=\"%s\"; filename*=UTF-8''%s",
	              shown ? "inline" : "attachment", ascii, whole.at);
}

static void add_headers(struct sending *s, const Rpc__FilePiece *file)
{
	struct request *req = s->x->req;

	add_disposition(req, file->name, file->shown);
	answer_header(req, "Content-Security-Policy", "%s", security);
	if (file->tag &&
	    strspn(file->tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
	        strlen(file->tag))
		answer_header(req, "ETag", "\"%s\"", file->tag);
	if (s->sized)
		answer_header(req, "Accept-Ranges", "bytes");
}

static int begin(struct sending *s, const Rpc__FilePiece *file, int status)
{
	struct request *req = s->x->req;
	bool newer = !strcmp(req->info->http_version, "1.1");

	add_headers(s, file);
	if (status == 206)
		answer_header(req, "Content-Range", "bytes %lld-%lld/%lld", (long long)s->from,
		              (long long)s->to - 1, (long long)file->size);
	s->chunked = !s->sized && newer;
	return answer_file_begin(req, status, type_of(file), s->sized ? s->to - s->from : -1, s->chunked);
}

/* --- The pieces ------------------------------------------------------------------------------------------------------ */

static int ask(struct sending *s, int64_t at, const Rpc__FilePiece **ret)
{
	struct exchange *x = s->x;
	struct rpc_context ctx = x->rpc;
	ProtobufCMessage *reply;
	unsigned index;

	arena_reset(&s->page);
	(void)!shape_find(x->route->in, "at", &index);
	*(int64_t *)member(x->route->in, s->in, "at") = at;
	*(protobuf_c_boolean *)((char *)s->in + x->route->in->message->fields[index].quantifier_offset) = 1;
	ctx.arena = &s->page;
	ctx.extra = NULL;
	ctx.deadline = clock_unix_ms() + x->route->timeout_seconds * INT64_C(1000);
	if (rpc_call(x->peer, &ctx, x->route->method, s->in, &reply) < 0) {
		x->req->err.fields = NULL; /* they are in the page */
		return -1;
	}
	*ret = file_of(x->route, reply);
	return *ret ? 0 : error_internal(&x->req->err, "%s lost its file", x->route->method->name);
}

static int write_piece(const struct sending *s, const void *bytes, size_t size)
{
	struct request *req = s->x->req;
	char head[24];

	if (!size)
		return 0;
	if (!s->chunked)
		return answer_stream_write(req, bytes, size);
	snprintf(head, sizeof head, "%zx\r\n", size);
	if (answer_stream_write(req, head, strlen(head)) < 0 || answer_stream_write(req, bytes, size) < 0)
		return -1;
	return answer_stream_write(req, "\r\n", 2);
}

/* How much of what came belongs to the part. */
static size_t fitting(const struct sending *s, const Rpc__FilePiece *piece, int64_t at)
{
	size_t size = piece->bytes.len;

	return s->sized && at + (int64_t)size > s->to ? (size_t)(s->to - at) : size;
}

/* From the piece at `at` on. A failure leaves the answer without its end, and the connection closes. */
static void send_pieces(struct sending *s, const Rpc__FilePiece *piece, int64_t at)
{
	struct request *req = s->x->req;

	for (;;) {
		size_t size = fitting(s, piece, at);

		if (write_piece(s, piece->bytes.data, size) < 0)
			break;
		at = piece->next;
		if (!piece->has_next || (s->sized && at >= s->to)) {
			if (s->chunked)
				(void)!answer_stream_write(req, "0\r\n\r\n", 5);
			return;
		}
		if (ask(s, at, &piece) < 0)
			break;
	}
	req->close = true;
}

static int answer_unsatisfiable(struct exchange *x, int64_t size)
{
	answer_header(x->req, "Content-Range", "bytes */%lld", (long long)size);
	answer_send(x->req, &(struct answer){ .status = 416 });
	return 0;
}

/* The client has it already. */
static bool is_known(const struct request *req, const Rpc__FilePiece *file)
{
	const char *tags = request_header(req, "If-None-Match");

	return tags && file->tag && strstr(tags, arena_printf(req->arena, "\"%s\"", file->tag)) != NULL;
}

static int send_file(struct sending *s, const Rpc__FilePiece *first)
{
	struct request *req = s->x->req;
	const Rpc__FilePiece *piece = first;
	int part = 0;

	s->sized = first->has_size;
	if (is_known(req, first)) {
		add_headers(s, first);
		answer_send(req, &(struct answer){ .status = 304, .cache = "private, no-cache" });
		return 0;
	}
	if (s->sized)
		part = read_range(wanted_range(req, first), first->size, &s->from, &s->to);
	if (part < 0)
		return answer_unsatisfiable(s->x, first->size);
	if (s->from && !req->head && ask(s, s->from, &piece) < 0)
		return -1;
	if (begin(s, first, part ? 206 : 200) < 0 || req->head)
		return 0;
	send_pieces(s, piece, s->from);
	return 0;
}

int file_serve(struct exchange *x, ProtobufCMessage *in, const Rpc__FilePiece *first)
{
	struct sending s = { .x = x, .in = in };
	int rc;

	arena_init(&s.page, 0);
	rc = send_file(&s, first);
	arena_done(&s.page);
	return rc;
}
