#include "svc-auth/web.h"

#include <string.h>
#include <strings.h>

#include "auth.methods.h"
#include "common/base/query.h"
#include "common/base/utf8.h"
#include "svc-auth/auth.h"

/* --- What came --------------------------------------------------------------------------------------------------- */

static const char *find(const struct web *w, const char *name)
{
	for (int i = 0; i < w->count; i++)
		if (strcmp(w->parameters[i].name, name) == 0)
			return w->parameters[i].value;
	return NULL;
}

static void read_parameters(struct web *w, const char *raw)
{
	struct query query = query_start(raw, w->call->arena);
	const char *name, *value;

	while (query_next(&query, &name, &value)) {
		if (w->count == WEB_PARAMETERS || !value || !utf8_valid(value, strlen(value)) ||
		    !utf8_valid(name, strlen(name)) || find(w, name)) {
			w->doubled = name;
			return;
		}
		w->parameters[w->count++] = (struct web_parameter){ name, value };
	}
}

static bool is_form(const char *type)
{
	static const char form[] = "application/x-www-form-urlencoded";

	return type && strncasecmp(type, form, sizeof form - 1) == 0 && strchr("; \t", type[sizeof form - 1]);
}

/* NULL: none. */
static const char *header_of(const struct web *w, const char *name)
{
	for (size_t i = 0; i < w->in->n_headers; i++)
		if (strcasecmp(w->in->headers[i]->name, name) == 0)
			return w->in->headers[i]->value;
	return NULL;
}

void web_open(struct web *w, struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out, bool form)
{
	*w = (struct web){ .call = call,
		           .in = in,
		           .out = out,
		           .secure = strncmp(auth_state(call)->settings->url, "https:", 6) == 0 };
	if (!form)
		read_parameters(w, in->query ? in->query : "");
	else if (is_form(header_of(w, "Content-Type")))
		read_parameters(w, arena_strndup(call->arena, (const char *)in->body.data, in->body.len));
}

const char *web_get(const struct web *w, const char *name)
{
	const char *value = find(w, name);

	return value && *value ? value : NULL;
}

const char *web_doubled(const struct web *w)
{
	return w->doubled;
}

const char *web_cookie(const struct web *w, const char *name)
{
	const char *at = header_of(w, "Cookie");
	size_t length = strlen(name);

	while (at && *at) {
		size_t pair = strcspn(at, ";");

		if (pair > length && strncmp(at, name, length) == 0 && at[length] == '=')
			return arena_strndup(w->call->arena, at + length + 1, pair - length - 1);
		at += pair;
		at += strspn(at, "; ");
	}
	return NULL;
}

const char *web_segment(const struct web *w, int n)
{
	const char *at = w->in->path ? w->in->path : "";

	for (at += *at == '/'; n > 0 && *at; n--) {
		at += strcspn(at, "/");
		at += *at == '/';
	}
	return arena_strndup(w->call->arena, at, strcspn(at, "/"));
}

bool web_from_elsewhere(const struct web *w)
{
	const char *site = header_of(w, "Sec-Fetch-Site");

	return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* --- What goes --------------------------------------------------------------------------------------------------- */

enum { HEADERS = 6 };

static void add_header(struct web *w, const char *name, const char *value)
{
	Rpc__Header *h = arena_new(w->call->arena, Rpc__Header, 1);

	rpc__header__init(h);
	h->name = (char *)name;
	h->value = (char *)value;
	if (!w->out->headers)
		w->out->headers = arena_new(w->call->arena, Rpc__Header *, HEADERS);
	if (w->out->n_headers < HEADERS)
		w->out->headers[w->out->n_headers++] = h;
}

static int answer(struct web *w, int status, const char *type, const char *body)
{
	w->out->has_status = w->out->has_body = 1;
	w->out->status = status;
	w->out->content_type = (char *)type;
	w->out->body = (ProtobufCBinaryData){ .data = (uint8_t *)body, .len = strlen(body) };
	return 0;
}

void web_set_cookie(struct web *w, const char *name, const char *value, const char *path, int seconds)
{
	add_header(w, "Set-Cookie",
	           arena_printf(w->call->arena, "%s=%s; Path=%s; Max-Age=%d; HttpOnly; SameSite=Lax%s", name,
	                        value, path, seconds, w->secure ? "; Secure" : ""));
}

static int page(struct web *w, int status, const char *html, const char *scripts, const char *form_to)
{
	add_header(w, "Content-Security-Policy",
	           arena_printf(w->call->arena,
	                        "default-src 'none'; %sstyle-src 'self'; img-src 'self' data:; "
	                        "form-action 'self'%s%s; base-uri 'none'; frame-ancestors 'none'",
	                        scripts, form_to ? " " : "", form_to ? form_to : ""));
	add_header(w, "X-Frame-Options", "DENY");
	return answer(w, status, "text/html; charset=utf-8", html);
}

int web_page(struct web *w, int status, const char *html, const char *form_to)
{
	return page(w, status, html, "", form_to);
}

int web_scripted_page(struct web *w, const char *html)
{
	return page(w, 200, html, "script-src 'self'; ", NULL);
}

int web_redirect(struct web *w, const char *url)
{
	add_header(w, "Location", url);
	return answer(w, 303, "text/plain", "");
}

int web_json(struct web *w, int status, const char *json)
{
	return answer(w, status, "application/json", json);
}

int web_refuse(struct web *w, int status, const char *error, const char *why)
{
	return web_json(
	    w, status,
	    arena_printf(w->call->arena, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, why));
}

void web_add(struct text *url, const char *name, const char *value)
{
	if (!value)
		return;
	if (url->length && !strchr("?&", url->at[url->length - 1]))
		text_addc(url, '&');
	query_encode(url, name);
	text_addc(url, '=');
	query_encode(url, value);
}
