#include "gateway/webhook.h"

#include <civetweb.h>
#include <string.h>

#include "gateway/answer.h"

static void add_headers(const struct request *req, Rpc__RawRequest *in)
{
	const struct mg_request_info *info = req->info;

	in->headers = arena_new(req->arena, Rpc__Header *, (size_t)info->num_headers + 1);
	for (int i = 0; i < info->num_headers; i++) {
		Rpc__Header *h = arena_new(req->arena, Rpc__Header, 1);

		rpc__header__init(h);
		h->name = (char *)info->http_headers[i].name;
		h->value = (char *)info->http_headers[i].value;
		in->headers[in->n_headers++] = h;
	}
}

/* "text/plain; charset=utf-8" and the like: nothing that could end the header line. */
static bool is_type(const char *type)
{
	return type && *type &&
	       strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+-.; =") ==
	           strlen(type);
}

/* Only these, and nothing that could end the line. Cache-Control is not among them: such answers are kept by nobody. */
static void pass_headers(struct request *req, const Rpc__RawReply *reply)
{
	static const char *const known[] = { "Location", "Set-Cookie", "Content-Security-Policy",
		                             "X-Frame-Options" };

	for (size_t i = 0; i < reply->n_headers; i++) {
		const Rpc__Header *h = reply->headers[i];
		bool fine = h->name && h->value;

		for (const char *p = fine ? h->value : ""; *p; p++)
			fine = fine && *p >= ' ' && *p <= '~';
		for (size_t k = 0; fine && k < sizeof known / sizeof *known; k++)
			if (!strcmp(h->name, known[k]))
				answer_header(req, known[k], "%s", h->value);
	}
}

int webhook_pass(struct exchange *x)
{
	Rpc__RawRequest in = RPC__RAW_REQUEST__INIT;
	struct request *req = x->req;
	const Rpc__RawReply *reply;
	ProtobufCMessage *out;
	const char *body;
	size_t size;

	if (request_body(req, x->gateway->bodies, x->route->body_limit, &body, &size) < 0)
		return -1;
	in.has_body = 1;
	in.body = (ProtobufCBinaryData){ .data = (uint8_t *)body, .len = size };
	in.query = (char *)req->query;
	in.path = (char *)req->path;
	add_headers(req, &in);
	if (rpc_call(x->peer, &x->rpc, x->route->method, &in.base, &out) < 0)
		return -1;
	reply = (const Rpc__RawReply *)out;
	if (!reply->has_status || reply->status < 200 || reply->status > 599)
		return error_internal(&req->err, "%s gave no status", x->route->method->name);
	pass_headers(req, reply);
	answer_send(req, &(struct answer){ .status = reply->status,
	                                   .type = is_type(reply->content_type) ? reply->content_type
	                                                                        : "application/json",
	                                   .body = (const char *)reply->body.data,
	                                   .size = reply->body.len });
	return 0;
}
