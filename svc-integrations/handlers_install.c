/* The operator's own app, installed: there, and back with a page that says how it went. */
#include <string.h>
#include <strings.h>

#include "auth.client.h"
#include "common/base/query.h"
#include "common/base/text.h"
#include "integrations.methods.h"
#include "svc-integrations/slack/install.h"

int integrations_install_slack(struct call *call, const Integrations__InstallSlackRequest *in,
                               Integrations__SlackInstall *out)
{
	struct install_begun begun;

	if (slack_install_begin(call, in->chatbot_id, &begun) < 0)
		return -1;
	out->install = arena_new(call->arena, Integrations__SlackInstallUrl, 1);
	integrations__slack_install_url__init(out->install);
	out->install->url = begun.url;
	out->cookie = begun.cookie;
	return 0;
}

/* --- Pages ---------------------------------------------------------------------------------------------------------- */

static void add_escaped(struct text *t, const char *text)
{
	for (; *text; text++)
		if (strchr("<>&\"'", *text))
			text_addf(t, "&#%d;", *text);
		else
			text_addc(t, *text);
}

static void add_header(Rpc__RawReply *out, size_t i, const char *name, const char *value, struct arena *a)
{
	out->headers[i] = arena_new(a, Rpc__Header, 1);
	rpc__header__init(out->headers[i]);
	out->headers[i]->name = (char *)name;
	out->headers[i]->value = (char *)value;
	out->n_headers = i + 1;
}

/* form: HTML, or NULL. */
static int page(struct call *call, Rpc__RawReply *out, int status, const char *said, const char *form)
{
	struct text t;

	text_init(&t, call->arena);
	text_adds(
	    &t,
	    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Slack – Parley</title>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<link rel=\"stylesheet\" href=\"/page.css\"></head>\n<body><main><h1>Slack</h1>\n<p role=\"status\">");
	add_escaped(&t, said);
	text_addf(&t, "</p>\n%s</main></body></html>\n", form ? form : "");
	out->has_status = true;
	out->status = status;
	out->content_type = (char *)"text/html; charset=utf-8";
	out->has_body = true;
	out->body = (ProtobufCBinaryData){ .data = (uint8_t *)t.at, .len = t.length };
	out->headers = arena_new(call->arena, Rpc__Header *, 3);
	add_header(out, 0, "Content-Security-Policy",
	           "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
	           call->arena);
	add_header(out, 1, "X-Frame-Options", "DENY", call->arena);
	add_header(out, 2, "Set-Cookie",
	           "parley_slack=; Path=/api/integrations/slack/oauth; Max-Age=0; HttpOnly; SameSite=Lax",
	           call->arena);
	return 0;
}

/* "a…@example.com": as much as a stranger may know. */
static char *masked(const char *address, struct arena *a)
{
	const char *at = strchr(address, '@');

	return arena_printf(a, "%.1s…%s", address, at ? at : "");
}

static int ask(struct call *call, const struct install_answer *in, const char *owner, Rpc__RawReply *out)
{
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct call acting = *call;
	Rpc__Empty nothing = RPC__EMPTY__INIT;
	Auth__Account *account;
	struct text form;

	caller.has_kind = true;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	caller.owner_id = (char *)owner;
	acting.caller = &caller;
	acting.owner_id = owner;
	if (auth_client_get_account(service_peer(call->service, "auth"), &acting, &nothing, &account) < 0)
		return -1;
	text_init(&form, call->arena);
	text_adds(&form, "<form method=\"post\" action=\"/api/integrations/slack/oauth\">"
	                 "<input type=\"hidden\" name=\"state\" value=\"");
	add_escaped(&form, in->state);
	text_adds(&form, "\"><input type=\"hidden\" name=\"code\" value=\"");
	add_escaped(&form, in->code);
	text_adds(&form, "\"><button>Connect</button></form>\n");
	return page(call, out, 200,
	            arena_printf(call->arena, "Connect this Slack workspace to the Parley account %s?",
	                         masked(account->email, call->arena)),
	            form.at);
}

/* --- Back ----------------------------------------------------------------------------------------------------------- */

static const char *cookies_of(const Rpc__RawRequest *in)
{
	for (size_t i = 0; i < in->n_headers; i++)
		if (in->headers[i]->name && strcasecmp(in->headers[i]->name, "Cookie") == 0)
			return in->headers[i]->value;
	return NULL;
}

static void read_answer(const char *raw, struct install_answer *ret, struct arena *a)
{
	struct query q = query_start(raw, a);
	const char *name, *value;

	ret->state = ret->code = ret->error = "";
	while (query_next(&q, &name, &value)) {
		if (value && strcmp(name, "state") == 0)
			ret->state = value;
		if (value && strcmp(name, "code") == 0)
			ret->code = value;
		if (value && strcmp(name, "error") == 0)
			ret->error = value;
	}
}

static int end(struct call *call, const struct install_answer *in, Rpc__RawReply *out)
{
	const char *owner, *said;
	enum install_end how;
	int status;

	if (slack_install_end(call, in, &how, &owner) == 0)
		return how == INSTALL_ASK
		           ? ask(call, in, owner, out)
		           : page(call, out, 200, "The workspace is connected. You can close this window.",
		                  NULL);
	status = call->err->code == ERROR_MALFORMED   ? 400
	         : call->err->code == ERROR_FORBIDDEN ? 403
	         : call->err->code == ERROR_NOT_FOUND ? 404
	         : call->err->code == ERROR_UPSTREAM  ? 502
	                                              : 0;
	if (!status)
		return -1;
	said = arena_strdup(call->arena, call->err->message);
	error_clear(call->err);
	return page(call, out, status, said, NULL);
}

int integrations_end_slack_install(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct install_answer answer = { .cookies = cookies_of(in) };

	read_answer(in->query ? in->query : "", &answer, call->arena);
	return end(call, &answer, out);
}

int integrations_confirm_slack_install(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct install_answer answer = { .confirmed = true };

	read_answer(arena_strndup(call->arena, (const char *)in->body.data, in->body.len), &answer,
	            call->arena);
	return end(call, &answer, out);
}
