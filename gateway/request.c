#include "gateway/request.h"

#include <civetweb.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "gateway/guard.h"
#include "gateway/proxies.h"

enum {
	ID_MAX = 64,
	ORIGIN_MAX = 300,
	PIECE = 16 * 1024, /* mg_read() waits until all it was asked for is there: ask for little */
	DRAIN_MS = 2000,
};

static bool only(const char *text, size_t most, const char *others)
{
	size_t n = 0;

	for (; text[n]; n++)
		if (n == most || (!isalnum((unsigned char)text[n]) && !strchr(others, text[n])))
			return false;
	return n > 0;
}

static const char *make_id(struct arena *a)
{
	unsigned char bytes[8];
	char *id = arena_alloc(a, 2 * sizeof bytes + 1);

	random_bytes(bytes, sizeof bytes);
	hex_encode(id, bytes, sizeof bytes);
	return id;
}

/* W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>, in lower case. Later versions may go on after that. */
static bool is_traceparent(const char *text)
{
	static const char form[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";

	for (size_t i = 0; form[i]; i++)
		if (!text[i] || (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i])))
			return false;
	return strlen(text) == sizeof form - 1 && strncmp(text, "ff", 2) != 0;
}

const char *request_header(const struct request *req, const char *name)
{
	for (int i = 0; i < req->info->num_headers; i++)
		if (!strcasecmp(req->info->http_headers[i].name, name))
			return req->info->http_headers[i].value;
	return NULL;
}

/* A list may come in several lines, which are one (RFC 9110, 5.3). NULL when there is none. */
static const char *joined(const struct request *req, const char *name)
{
	const char *all = NULL;

	for (int i = 0; i < req->info->num_headers; i++) {
		const struct mg_header *h = &req->info->http_headers[i];

		if (!strcasecmp(h->name, name))
			all = all ? arena_printf(req->arena, "%s,%s", all, h->value) : h->value;
	}
	return all;
}

/* A target in absolute form is a path, too; civetweb lets that of our own host through, and no other. */
static const char *path_of(const char *target)
{
	const char *scheme = strstr(target, "://"), *path = scheme ? strchr(scheme + 3, '/') : NULL;

	return *target != '/' && path ? path : target;
}

int request_open(struct request *req, struct mg_connection *conn, const struct proxies *proxies,
                 struct arena *a)
{
	const char *id, *trace, *origin;

	*req = (struct request){ .conn = conn, .arena = a, .began_us = clock_mono_us() };
	req->info = mg_get_request_info(conn);
	req->slot = mg_get_user_connection_data(conn);
	req->head = !strcmp(req->info->request_method, "HEAD");
	req->verb = req->head ? "GET" : req->info->request_method;
	req->path = path_of(req->info->request_uri);
	req->query = req->info->query_string ? req->info->query_string : "";
	text_init(&req->headers, a);

	id = request_header(req, "X-Request-Id");
	req->id = id && only(id, ID_MAX, "._-") ? id : make_id(a);
	trace = request_header(req, "traceparent");
	req->traceparent = trace && is_traceparent(trace) ? trace : NULL;
	origin = request_header(req, "Origin");
	req->origin = origin && only(origin, ORIGIN_MAX, ":/.-_[]") ? origin : NULL;
	req->ip = proxies_client(proxies, req->info->remote_addr, joined(req, "X-Forwarded-For"), a);
	guard_client(req->slot, client_number(req->ip));

	req->close = req->body_ended = true; /* until all is checked */
	if (*req->path != '/')
		return error_set(&req->err, ERROR_MALFORMED, "the path must start with a slash");
	if (wire_check(req->info, &req->wire, &req->err) < 0)
		return -1;
	req->body_ended = req->wire.length == 0;
	req->close = !req->wire.keep_alive;
	return 0;
}

/* When the client should have sent what it has sent, and the next piece. */
static int64_t deadline(const struct request *req)
{
	return req->body_began_ms + GUARD_GRACE_MS + (req->received + PIECE) * 1000 / GUARD_BYTES_PER_SECOND;
}

static int too_large(struct request *req, int64_t limit)
{
	return error_set(&req->err, ERROR_TOO_LARGE, "the body is larger than the %lld bytes allowed here",
	                 (long long)limit);
}

int request_body_begin(struct request *req, int64_t limit)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (req->wire.length > limit)
		return too_large(req, limit);
	if (req->body_ended)
		return 0;
	req->body_began_ms = clock_mono_ms();
	if (req->wire.wants_100)
		mg_write(req->conn, go_on, sizeof go_on - 1);
	req->wire.wants_100 = false;
	return 0;
}

/* Why a read brought less than asked for. */
static int cut_short(struct request *req)
{
	req->close = true;
	req->body_ended = true;
	if (guard_expired(req->slot))
		return error_set(&req->err, ERROR_MALFORMED, "the body came too slowly");
	return error_set(&req->err, ERROR_MALFORMED,
	                 req->wire.length < 0 ? "the chunks of the body are malformed, or it ended early"
	                                      : "the body ended early");
}

static int read_piece(struct request *req, void *bytes, size_t room, size_t *got)
{
	int64_t left = req->wire.length - req->received;
	int n;

	if (room > PIECE)
		room = PIECE;
	if (req->wire.length > 0 && (int64_t)room > left)
		room = (size_t)left;
	guard_body(req->slot, deadline(req));
	n = mg_read(req->conn, bytes, room);
	guard_busy(req->slot);
	if (n < 0 || guard_expired(req->slot) || (req->wire.length > 0 && (size_t)n < room))
		return cut_short(req);
	*got = (size_t)n;
	req->received += n;
	req->body_ended = n == 0 || req->received == req->wire.length;
	return 0;
}

int request_read(struct request *req, void *bytes, size_t room, int64_t limit, size_t *got)
{
	size_t piece = 0;

	for (*got = 0; *got < room && !req->body_ended; *got += piece) {
		if (read_piece(req, (char *)bytes + *got, room - *got, &piece) < 0)
			return -1;
		if (req->received > limit)
			return too_large(req, limit);
	}
	return 0;
}

/* Small bodies cost hardly more than the thread that reads them; large ones are held by so many clients at once. */
static int enter(struct request *req, struct gate *bodies)
{
	if (req->bodies)
		return 0;
	if (!gate_enter(bodies, req->user, req->ip, &req->body_place))
		return error_busy(&req->err, 1, "too many large requests are being received at once");
	req->bodies = bodies;
	return 0;
}

int request_body(struct request *req, struct gate *bodies, int64_t limit, const char **ret, size_t *size)
{
	/* Memory is taken as the body comes, not as it is announced. */
	size_t room = req->wire.length > 0 && req->wire.length < REQUEST_SMALL_BODY ? (size_t)req->wire.length
	                                                                            : REQUEST_SMALL_BODY;
	size_t got;
	char *bytes, *bigger;

	*size = 0;
	*ret = "";
	if (request_body_begin(req, limit) < 0)
		return -1;
	bytes = arena_alloc(req->arena, room + 1);
	while (!req->body_ended) {
		if (*size == room) {
			if (enter(req, bodies) < 0)
				return -1;
			bigger = arena_alloc(req->arena, 2 * room + 1);
			memcpy(bigger, bytes, *size);
			bytes = bigger;
			room *= 2;
		}
		if (request_read(req, bytes + *size, room - *size, limit, &got) < 0)
			return -1;
		*size += got;
	}
	bytes[*size] = '\0';
	*ret = bytes;
	return 0;
}

void request_finish(struct request *req)
{
	char bytes[4096];
	int64_t until = clock_mono_ms() + DRAIN_MS;

	/* A client that asked before sending need not be drained: it was told not to send. */
	if (!req->body_ended && req->wire.wants_100)
		req->close = true;
	while (!req->body_ended && !req->wire.wants_100) {
		int n;

		guard_body(req->slot, until);
		n = mg_read(req->conn, bytes, sizeof bytes);
		req->received += n > 0 ? n : 0;
		req->body_ended = n <= 0 || req->received == req->wire.length;
		if (n < 0 || clock_mono_ms() >= until || (n == 0 && req->wire.length > 0)) {
			req->close = true;
			break;
		}
	}
	if (req->bodies)
		gate_leave(req->bodies, &req->body_place);
	if (req->close)
		mg_disable_connection_keep_alive(req->conn);
	guard_busy(req->slot);
}
