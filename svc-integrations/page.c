#include "svc-integrations/page.h"

#include <string.h>

void page_add_text(struct text *html, const char *text)
{
	for (; *text; text++)
		if (strchr("<>&\"'", *text))
			text_addf(html, "&#%d;", *text);
		else
			text_addc(html, *text);
}

char *page_masked(const char *address, struct arena *a)
{
	const char *at = strchr(address, '@');

	return arena_printf(a, "%.1s…%s", address, at ? at : "");
}

static void add_header(Rpc__RawReply *out, const char *name, const char *value, struct arena *a)
{
	Rpc__Header *header = arena_new(a, Rpc__Header, 1);

	rpc__header__init(header);
	header->name = (char *)name;
	header->value = (char *)value;
	out->headers[out->n_headers++] = header;
}

int page_reply(struct call *call, const struct page *page, Rpc__RawReply *out)
{
	struct arena *a = call->arena;
	struct text t;

	text_init(&t, a);
	text_adds(&t, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
	page_add_text(&t, page->title);
	text_adds(&t, " – Parley</title>\n"
	              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	              "<link rel=\"stylesheet\" href=\"/page.css\"></head>\n<body><main><h1>");
	page_add_text(&t, page->title);
	text_adds(&t, "</h1>\n<p role=\"status\">");
	page_add_text(&t, page->said);
	text_addf(&t, "</p>\n%s</main></body></html>\n", page->below ? page->below : "");
	out->has_status = true;
	out->status = page->status;
	out->content_type = (char *)"text/html; charset=utf-8";
	out->has_body = true;
	out->body = (ProtobufCBinaryData){ .data = (uint8_t *)t.at, .len = t.length };
	out->headers = arena_new(a, Rpc__Header *, 3);
	add_header(out, "Content-Security-Policy",
	           "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'", a);
	add_header(out, "X-Frame-Options", "DENY", a);
	if (page->set_cookie)
		add_header(out, "Set-Cookie", page->set_cookie, a);
	return 0;
}
