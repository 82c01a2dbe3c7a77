#include "gateway/transcode.h"

#include <string.h>
#include <strings.h>

#include "common/base/query.h"
#include "common/json/json_message.h"
#include "common/json/json_write.h"
#include "gateway/answer.h"

/* Pages that services make (setting a password, the end of a sign-in elsewhere): script and style are files of ours. */
static const char page_security[] =
    "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static bool has_body(const struct route *route)
{
	return strcmp(route->verb, "GET") != 0;
}

/* --- Path, query, headers ------------------------------------------------------------------------------------------- */

static void fill_from_query(struct exchange *x, ProtobufCMessage *msg)
{
	struct query query = query_start(x->req->query, x->req->arena);
	const struct shape *shape = x->route->in;
	const char *name, *value;
	unsigned index;

	while (query_next(&query, &name, &value)) {
		const struct shape_field *f = shape_find(shape, name, &index);

		/* what belongs into the body comes from the query only where there is no body */
		if (!f || (f->source != SOURCE_QUERY && has_body(x->route)))
			continue;
		if (!value)
			(void)!error_field(&x->req->err, x->req->arena, "query", name, "value_error",
			                   "must not hold U+0000");
		else
			(void)!json_field_from_text(shape, name, value, strlen(value), "query", msg,
			                            x->req->arena, &x->req->err);
	}
}

static void fill_from_headers(struct exchange *x, ProtobufCMessage *msg)
{
	const struct shape *shape = x->route->in;

	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		const struct shape_field *f = &shape->fields[i];
		char *name;
		const char *value;

		if (f->source != SOURCE_HEADER)
			continue;
		name = arena_strdup(x->req->arena, shape->message->fields[i].name); /* last_event_id */
		for (char *p = name; *p; p++)
			*p = *p == '_' ? '-' : *p;
		value = request_header(x->req, name);
		if (value)
			(void)!json_field_from_text(shape, f->json_name, value, strlen(value), "header", msg,
			                            x->req->arena, &x->req->err);
	}
}

int transcode_begin(struct exchange *x, ProtobufCMessage **ret)
{
	const struct route_match *m = x->match;
	struct request *req = x->req;

	*ret = message_new(x->route->in->message, req->arena);
	for (int i = 0; i < m->param_count; i++) {
		const char *value = m->params[i].value;

		if (json_field_from_text(x->route->in, m->params[i].name, value, strlen(value), "path", *ret,
		                         req->arena, &req->err) < 0 &&
		    req->err.code == ERROR_NOT_FOUND)
			return -1;
	}
	fill_from_query(x, *ret);
	fill_from_headers(x, *ret);
	return 0;
}

int transcode_check(struct exchange *x, const ProtobufCMessage *msg)
{
	struct request *req = x->req;

	if (req->err.code && req->err.code != ERROR_INVALID)
		return -1;
	(void)!json_message_check(x->route->in, msg, req->arena, &req->err);
	return req->err.code ? -1 : 0;
}

/* --- The body ------------------------------------------------------------------------------------------------------- */

/* application/json, application/something+json, or not said; with any parameters. */
static bool is_json_type(const char *type)
{
	size_t length = type ? strcspn(type, "; \t") : 0;

	if (!type || !length)
		return true;
	return (length == 16 && !strncasecmp(type, "application/json", 16)) ||
	       (length > 17 && !strncasecmp(type, "application/", 12) &&
	        !strncasecmp(type + length - 5, "+json", 5));
}

/* The body's bytes. What is wrong with it as a whole counts more than bad fields elsewhere: those are set aside. */
static int read_body(struct exchange *x, json_object **ret)
{
	struct request *req = x->req;
	const char *bytes, *coding = request_header(req, "Content-Encoding");
	const char *type = request_header(req, "Content-Type");
	struct error bad_fields = req->err;
	size_t size;

	error_clear(&req->err);
	if (!req->body_ended && !is_json_type(type))
		return error_set(&req->err, ERROR_UNSUPPORTED_TYPE,
		                 "the body must be application/json, not %.*s", (int)strcspn(type, ";"),
		                 type);
	if (!req->body_ended && coding && strcasecmp(coding, "identity") != 0)
		return error_set(&req->err, ERROR_UNSUPPORTED_TYPE, "the body must not be compressed (%.40s)",
		                 coding);
	if (request_body(req, x->gateway->bodies, x->route->body_limit, &bytes, &size) < 0 ||
	    (size && json_parse(bytes, size, ret, &req->err) < 0))
		return -1;
	req->err = bad_fields;
	return size > 0;
}

static int fill_from_body(struct exchange *x, ProtobufCMessage *msg)
{
	struct request *req = x->req;
	OWN(json) json_object *value = NULL;
	int there = read_body(x, &value);

	if (there <= 0)
		return there;
	if (x->route->request_body)
		(void)!json_to_field(value, x->route->in, x->route->request_body, msg, req->arena, &req->err);
	else
		(void)!json_to_message(value, x->route->in, msg, req->arena, &req->err);
	return 0;
}

int transcode_request(struct exchange *x, ProtobufCMessage **ret)
{
	if (transcode_begin(x, ret) < 0)
		return -1;
	if (has_body(x->route) && fill_from_body(x, *ret) < 0)
		return -1;
	return transcode_check(x, *ret);
}

/* --- The answer ----------------------------------------------------------------------------------------------------- */

/* A field of the reply that is one value of that type; NULL when it has none of that name. */
static const ProtobufCFieldDescriptor *find_field(const struct exchange *x, const char *name,
                                                  ProtobufCType type)
{
	const ProtobufCFieldDescriptor *d;
	unsigned index;

	if (!name || !shape_find(x->route->out, name, &index))
		return NULL;
	d = &x->route->out->message->fields[index];
	return d->type == type && d->label != PROTOBUF_C_LABEL_REPEATED ? d : NULL;
}

/* A string field of the reply; NULL when it has none of that name, or it is absent. */
static const char *string_field(const struct exchange *x, const ProtobufCMessage *reply, const char *name)
{
	const ProtobufCFieldDescriptor *d = find_field(x, name, PROTOBUF_C_TYPE_STRING);

	return d ? *(char *const *)((const char *)reply + d->offset) : NULL;
}

static int page_status(const struct exchange *x, const ProtobufCMessage *reply)
{
	const ProtobufCFieldDescriptor *d = find_field(x, x->route->page_status, PROTOBUF_C_TYPE_INT32);
	int32_t status = d ? *(const int32_t *)((const char *)reply + d->offset) : 0;

	return status ? status : x->route->status;
}

void transcode_link(const struct exchange *x, const char *cursor)
{
	struct query query = query_start(x->req->query, x->req->arena);
	const char *name, *value;
	struct text url;

	text_init(&url, x->req->arena);
	text_addf(&url, "%s?", x->req->path); /* relative: right behind every proxy */
	while (query_next(&query, &name, &value)) {
		if (!value || !strcmp(name, "cursor"))
			continue;
		query_encode(&url, name);
		text_addc(&url, '=');
		query_encode(&url, value);
		text_addc(&url, '&');
	}
	text_adds(&url, "cursor=");
	query_encode(&url, cursor);
	answer_header(x->req, "Link", "<%s>; rel=\"next\"", url.at);
}

/* Where a service may send a browser: http, https or a path of ours, in visible characters. */
static bool is_location(const char *url)
{
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("<>\"\\", *p))
			return false;
	return !strncmp(url, "https://", 8) || !strncmp(url, "http://", 7) ||
	       (url[0] == '/' && url[1] != '/');
}

static int set_cookie(struct exchange *x, const char *cookie)
{
	for (const char *p = cookie; p && *p; p++)
		if (*p < ' ' || *p > '~')
			return error_internal(&x->req->err, "%s sets what is no cookie",
			                      x->route->method->name);
	if (cookie && *cookie)
		answer_header(x->req, "Set-Cookie", "%s", cookie);
	return 0;
}

static void answer_page(struct exchange *x, const char *html, int status)
{
	answer_header(x->req, "Content-Security-Policy", "%s", page_security);
	answer_send(x->req, &(struct answer){ .status = status,
	                                      .type = "text/html; charset=utf-8",
	                                      .body = html,
	                                      .size = strlen(html) });
}

const Rpc__Started *transcode_started(const struct route *route, const ProtobufCMessage *reply)
{
	const ProtobufCMessageDescriptor *out = route->out->message;

	if (out == &rpc__started__descriptor)
		return (const Rpc__Started *)reply;
	for (unsigned i = 0; i < out->n_fields && route->stream == STREAM_EITHER; i++)
		if (out->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
		    out->fields[i].descriptor == &rpc__started__descriptor)
			return *(Rpc__Started *const *)((const char *)reply + out->fields[i].offset);
	return NULL;
}

int transcode_answer(struct exchange *x, const ProtobufCMessage *reply)
{
	const struct route *route = x->route;
	const char *location = string_field(x, reply, route->redirect);
	const char *html = string_field(x, reply, route->page);
	struct text out;

	if (set_cookie(x, string_field(x, reply, route->set_cookie)) < 0)
		return -1;
	if (location && *location) {
		if (!is_location(location))
			return error_internal(&x->req->err, "%s redirects to what is no address",
			                      route->method->name);
		answer_header(x->req, "Location", "%s", location);
		answer_send(x->req, &(struct answer){ .status = 303 });
		return 0;
	}
	if (html) {
		answer_page(x, html, page_status(x, reply));
		return 0;
	}
	if (route->status == 204) {
		answer_send(x->req, &(struct answer){ .status = 204 });
		return 0;
	}
	if (route->page_status && page_status(x, reply) == 202) { /* taken, and nothing to say */
		answer_send(x->req, &(struct answer){ .status = 202 });
		return 0;
	}
	text_init(&out, x->req->arena);
	if (route->response_body)
		json_from_field(&out, route->out, reply, route->response_body);
	else
		json_from_message(&out, route->out, reply);
	answer_json(x->req, page_status(x, reply), out.at, out.length);
	return 0;
}
