/* The operator's own app, installed: there, and back with a page that says how it went. */
#include <string.h>
#include <strings.h>

#include "auth.client.h"
#include "common/base/query.h"
#include "common/base/text.h"
#include "integrations.methods.h"
#include "svc-integrations/page.h"
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

/* form: HTML, or NULL. */
static int page(struct call *call, Rpc__RawReply *out, int status, const char *said, const char *form)
{
	return page_reply(
	    call,
	    &(struct page){
	        .status = status,
	        .title = "Slack",
	        .said = said,
	        .below = form,
	        .set_cookie =
	            "parley_slack=; Path=/api/integrations/slack/oauth; Max-Age=0; HttpOnly; SameSite=Lax" },
	    out);
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
	page_add_text(&form, in->state);
	text_adds(&form, "\"><input type=\"hidden\" name=\"code\" value=\"");
	page_add_text(&form, in->code);
	text_adds(&form, "\"><button>Connect</button></form>\n");
	return page(call, out, 200,
	            arena_printf(call->arena, "Connect this Slack workspace to the Parley account %s?",
	                         page_masked(account->email, call->arena)),
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
