#include <string.h>

#include "proto/generate/generate.h"

static void add_text(struct text *t, const char *member, const char *value)
{
	if (!value)
		return;
	text_addf(t, ", .%s = ", member);
	text_add_json(t, value, strlen(value)); /* what contracts say needs no escape that C lacks */
}

static void add_route(struct text *t, const struct rpc *r)
{
	const char *service = r->contract->name, *scope = r->contract->service->scope;
	const Parley__Http *h = r->http;

	text_addf(t, "\t{ \"%s\", \"%s\", \"%s\", &%s_client_methods[%s_METHOD_%s],\n", r->verb, r->path,
	          service, service, upper(service, t->arena), r->upp);
	text_addf(t, "\t  &shape_%s, &shape_%s,\n", r->in->c_low, r->out->c_low);
	text_addf(
	    t,
	    "\t  .stream = %s, .raw = %s, .hidden = %s, .ends_session = %s, .status = %d, .rate_per_minute = %d,",
	    word("STREAM", &parley__stream_mode__descriptor, (int)h->stream, t->arena),
	    h->raw ? "true" : "false", h->hidden ? "true" : "false", h->ends_session ? "true" : "false",
	    h->status, h->rate_per_minute);
	text_addf(t, " .framing = %s, .errors = %s,",
	          word("FRAMING", &parley__framing__descriptor, (int)h->framing, t->arena),
	          word("ERRORS", &parley__error_form__descriptor, (int)h->errors, t->arena));
	text_addf(t, " .caller_per_minute = %d, .timeout_seconds = %d, .body_limit = %lld",
	          h->caller_per_minute, h->timeout_seconds, (long long)h->body_limit);
	add_text(t, "request_body", h->request_body);
	add_text(t, "response_body", h->response_body);
	add_text(t, "upload", h->upload);
	add_text(t, "scope", h->scope ? h->scope : scope ? scope : service);
	add_text(t, "page", h->page);
	add_text(t, "redirect", h->redirect);
	add_text(t, "set_cookie", h->set_cookie);
	add_text(t, "page_status", h->page_status);
	add_text(t, "file", h->file);
	text_adds(t, " },\n");
}

void emit_routes(const struct model *m, const char *dir)
{
	struct text t;
	unsigned count = 0;

	text_init(&t, m->arena);
	text_adds(&t, "/* Made by proto/generate from the contracts. */\n"
	              "#include \"common/rpc/route.h\"\n\n#include \"shapes.h\"\n");
	for (size_t i = 0; i < m->contract_count; i++)
		text_addf(&t, "#include \"%s.client.h\"\n", m->contracts[i].name);
	text_adds(&t, "\nconst struct route routes[] = {\n");
	for (size_t i = 0; i < m->contract_count; i++) {
		for (size_t j = 0; j < m->contracts[i].rpc_count; j++) {
			if (!m->contracts[i].rpcs[j].http)
				continue;
			add_route(&t, &m->contracts[i].rpcs[j]);
			count++;
		}
	}
	text_addf(&t, "\t{ 0 },\n};\nconst unsigned route_count = %u;\n", count);
	write_file(dir, "routes.c", &t);
}
