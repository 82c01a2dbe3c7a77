#include <ctype.h>
#include <string.h>

#include "proto/generate/generate.h"

static bool is_text(const struct field *f)
{
	return f && !f->repeated &&
	       f->proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING;
}

static bool is_number(const struct field *f)
{
	return f && !f->repeated &&
	       f->proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT32;
}

/* A path: segments of plain characters, or one name in braces. */
static void check_path(struct model *m, const struct rpc *r)
{
	const char *p = r->path;
	bool closed = true; /* no brace is open */

	if (p[0] != '/')
		mistake(m, r->name, "the path %s does not begin with /", p);
	if (strstr(p, "//") || (p[1] && p[strlen(p) - 1] == '/'))
		mistake(m, r->name, "the path %s has an empty segment", p);
	for (; *p; p++) {
		if (*p == '{' && (!closed || p == r->path || p[-1] != '/'))
			mistake(m, r->name, "in the path %s a parameter must be a whole segment", r->path);
		if (*p == '}' && (closed || (p[1] && p[1] != '/')))
			mistake(m, r->name, "in the path %s a parameter must be a whole segment", r->path);
		if (*p == '{' || *p == '}')
			closed = *p == '}';
		else if (!isalnum((unsigned char)*p) && !strchr("/-_.", *p))
			mistake(m, r->name, "the path %s has an odd character: %c", r->path, *p);
	}
	if (!closed)
		mistake(m, r->name, "in the path %s a brace stays open", r->path);
}

static void check_parameters(struct model *m, const struct rpc *r)
{
	const char *at = r->path, *name;
	const char *seen[6];
	size_t count = 0;

	while ((name = path_parameter(&at, m->arena))) {
		const struct field *f = message_field(r->in, name);

		if (r->http->raw)
			continue; /* its handler reads the path */
		if (!f)
			mistake(m, r->name, "{%s} of the path is no field (JSON name) of %s", name,
			        r->in->name);
		else if (f->repeated || f->sub || f->rule->source != PARLEY__SOURCE__BODY)
			mistake(m, r->name, "{%s} of the path cannot be filled from there", name);
		for (size_t i = 0; i < count; i++) {
			if (same(seen[i], name))
				mistake(m, r->name, "{%s} stands twice in the path", name);
		}
		if (count == sizeof seen / sizeof *seen) {
			mistake(m, r->name, "the path has more than %zu parameters", count);
			return;
		}
		seen[count++] = name;
	}
}

/* Text and numbers can be read from a path, a query or a header; objects only from a body. */
static void check_sources(struct model *m, const struct rpc *r)
{
	bool no_body = same(r->verb, "GET") || r->http->upload;

	for (size_t i = 0; no_body && !r->http->raw && i < r->in->field_count; i++) {
		const struct field *f = &r->in->fields[i];

		if (f->sub && f->rule->source != PARLEY__SOURCE__NOWHERE)
			mistake(m, r->name, "%s is a message, and this method has no body that could hold it",
			        f->name);
	}
}

/* A field that the gateway makes an answer of by itself: a stream, a file. */
static bool has_field_of(const struct message *msg, const char *type, const char *name)
{
	for (size_t i = 0; i < msg->field_count; i++) {
		const struct field *f = &msg->fields[i];

		if (f->sub && !f->repeated && same(f->sub->name, type) && (!name || same(f->json_name, name)))
			return true;
	}
	return false;
}

static void check_file(struct model *m, const struct rpc *r)
{
	const struct field *at = message_field(r->in, "at");

	if (!r->http->file)
		return;
	if (!has_field_of(r->out, "rpc.FilePiece", r->http->file))
		mistake(m, r->name, "file: %s has no field %s of the type rpc.FilePiece", r->out->name,
		        r->http->file);
	if (!at || at->proto->type != GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT64 ||
	    at->rule->source != PARLEY__SOURCE__NOWHERE)
		mistake(m, r->name, "file: %s has no int64 `at` from NOWHERE", r->in->name);
	if (!same(r->verb, "GET") || !r->reads)
		mistake(m, r->name,
		        "a file is read piece by piece, so its method is a GET without side effects");
	if (!r->http->media)
		mistake(m, r->name, "a file needs its media type");
}

static void check_stream(struct model *m, const struct rpc *r)
{
	const Parley__Http *h = r->http;
	bool either = h->stream == PARLEY__STREAM_MODE__EITHER;
	bool streams = h->stream != PARLEY__STREAM_MODE__NONE;

	if (streams && !either && !same(r->out->name, "rpc.Started"))
		mistake(m, r->name, "a method that starts or finds a stream returns rpc.Started");
	if (!streams && same(r->out->name, "rpc.Started"))
		mistake(m, r->name, "returns rpc.Started, and does not say what it does with a stream");
	if (either != has_field_of(r->out, "rpc.Started", NULL))
		mistake(m, r->name,
		        "a method that may start a stream, and no other, has a field rpc.Started");
	if (h->framing != PARLEY__FRAMING__EVENTS && !streams)
		mistake(m, r->name, "has a framing, and no stream");
	if (h->stream == PARLEY__STREAM_MODE__RESUME && !r->reads)
		mistake(m, r->name, "finding a stream has no side effects: say so with idempotency_level");
}

static void check_answer(struct model *m, const struct rpc *r)
{
	const Parley__Http *h = r->http;
	bool streams = h->stream != PARLEY__STREAM_MODE__NONE;

	if (h->response_body && !message_field(r->out, h->response_body))
		mistake(m, r->name, "response_body: %s has no field %s", r->out->name, h->response_body);
	if (h->page && !is_text(message_field(r->out, h->page)))
		mistake(m, r->name, "page: %s has no string field %s", r->out->name, h->page);
	if (h->redirect && !is_text(message_field(r->out, h->redirect)))
		mistake(m, r->name, "redirect: %s has no string field %s", r->out->name, h->redirect);
	if (h->set_cookie && !is_text(message_field(r->out, h->set_cookie)))
		mistake(m, r->name, "set_cookie: %s has no string field %s", r->out->name, h->set_cookie);
	if (h->page_status && !is_number(message_field(r->out, h->page_status)))
		mistake(m, r->name, "page_status: %s has no int32 field %s", r->out->name, h->page_status);
	if (h->status < 200 || h->status > 299)
		mistake(m, r->name, "status %d is none of success", h->status);
	if (h->status == 204 && (h->response_body || h->page || streams || h->raw))
		mistake(m, r->name, "an answer 204 has no body");
	if (h->raw && !(same(r->in->name, "rpc.RawRequest") && same(r->out->name, "rpc.RawReply")))
		mistake(m, r->name, "a raw method takes rpc.RawRequest and returns rpc.RawReply");
}

/* The whole body is one field: a free object. */
static void check_body(struct model *m, const struct rpc *r)
{
	const struct field *f = r->http->request_body ? message_field(r->in, r->http->request_body) : NULL;

	if (!r->http->request_body)
		return;
	if (!is_text(f) || f->rule->format != PARLEY__FORMAT__OBJECT)
		mistake(m, r->name, "request_body: %s has no OBJECT field %s", r->in->name,
		        r->http->request_body);
	if (same(r->verb, "GET") || r->http->upload || r->http->raw)
		mistake(m, r->name, "this method has no body for request_body");
}

/* What is no cursor of ours must be refused before it gets into a statement. */
static void check_cursor(struct model *m, const struct rpc *r)
{
	const struct field *f = message_field(r->in, "cursor");

	if (is_text(f) && f->rule->source != PARLEY__SOURCE__NOWHERE &&
	    f->rule->format == PARLEY__FORMAT__ANY)
		mistake(m, f->name, "is a cursor, and needs a format");
}

static void check_http(struct model *m, const struct rpc *r)
{
	const Parley__Http *h = r->http;

	if (h->access == PARLEY__ACCESS__INTERNAL)
		mistake(m, r->name, "an internal method has no (parley.http)");
	if (h->upload && !same(r->verb, "POST") && !same(r->verb, "PUT"))
		mistake(m, r->name, "an upload is a POST or a PUT");
	if (h->body_limit < 0 || h->rate_per_minute < 0 || h->caller_per_minute < 0 ||
	    h->timeout_seconds <= 0)
		mistake(m, r->name, "a limit below zero, or a deadline that has passed already");
	check_path(m, r);
	check_parameters(m, r);
	check_sources(m, r);
	check_body(m, r);
	check_cursor(m, r);
	check_answer(m, r);
	check_stream(m, r);
	check_file(m, r);
}

/* The same route: names of parameters do not tell two paths apart. */
static bool same_path(const char *a, const char *b)
{
	while (*a && *b) {
		if (*a == '{' && *b == '{') {
			a = strchrnul(a, '}');
			b = strchrnul(b, '}');
		}
		if (*a != *b)
			return false;
		a += *a != '\0';
		b += *b != '\0';
	}
	return *a == *b;
}

/* openapi.json has a path for each word that a parameter may be, so its name does not matter there. */
static bool spelled_out(struct model *m, const struct rpc *r)
{
	const char *at = r->path, *name;

	while ((name = path_parameter(&at, m->arena))) {
		const struct field *f = message_field(r->in, name);

		if (f && f->rule->one_of)
			return true;
	}
	return false;
}

/* /things/{id} and /things/{name} are one path, which needs one spelling. */
static bool named_otherwise(struct model *m, const struct rpc *a, const struct rpc *b)
{
	return same_path(a->path, b->path) && !same(a->path, b->path) && !spelled_out(m, a) &&
	       !spelled_out(m, b);
}

static void check_pair(struct model *m, const struct rpc *a, const struct rpc *b)
{
	if (same(a->wire, b->wire))
		mistake(m, a->name, "is called %s in C, as another one", a->wire);
	else if (a->id == b->id)
		mistake(m, a->name, "has the same id (%08x) as %s; rename one", a->id, b->name);
	if (a->http && b->http && same(a->verb, b->verb) && same_path(a->path, b->path))
		mistake(m, a->name, "has the route of %s: %s %s", b->name, a->verb, a->path);
	else if (a->http && b->http && named_otherwise(m, a, b))
		mistake(m, a->name, "names the parameters of %s otherwise than %s does", a->path, b->name);
}

static void check_rpc(struct model *m, size_t contract, size_t index)
{
	const struct rpc *r = &m->contracts[contract].rpcs[index];

	if (r->http)
		check_http(m, r);
	if (r->behaviour->waits == PARLEY__WAITS__BRIEF && !r->reads)
		mistake(m, r->name, "waits for a few rows only, so it must have NO_SIDE_EFFECTS");
	if (r->behaviour->idempotency_key && r->reads)
		mistake(m, r->name, "reads, so it needs no idempotency key");
	for (size_t i = 0; i <= contract; i++) {
		const struct contract *c = &m->contracts[i];

		for (size_t j = 0; j < (i < contract ? c->rpc_count : index); j++)
			check_pair(m, r, &c->rpcs[j]);
	}
}

/* Whoever is asked is found by its port, unless the operator says otherwise; Rpc is answered by every service. */
static void check_service(struct model *m, size_t index)
{
	const struct contract *c = &m->contracts[index];

	if (same(c->name, "rpc"))
		return;
	if (c->service->port < 1024 || c->service->port > 65525)
		mistake(m, c->name, "needs a port: option (parley.service) = { port: 8006 };");
	for (size_t i = 0; i < index; i++)
		if (m->contracts[i].service->port == c->service->port)
			mistake(m, c->name, "has the port of %s", m->contracts[i].name);
}

void check_model(struct model *m)
{
	for (size_t i = 0; i < m->message_count; i++) {
		const struct message *msg = &m->messages[i];

		for (size_t j = 0; j < msg->field_count; j++)
			check_rule(m, msg, &msg->fields[j]);
	}
	for (size_t i = 0; i < m->contract_count; i++) {
		check_service(m, i);
		for (size_t j = 0; j < m->contracts[i].rpc_count; j++)
			check_rpc(m, i, j);
	}
}
