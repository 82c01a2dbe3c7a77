/* Where the mailed link leads: a page that asks, and takes the answer. */
#include <string.h>

#include "common/base/query.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/page.h"

static const char *token_of(struct call *call, const char *form)
{
	struct query q = query_start(form, call->arena);
	const char *name, *value, *token = "";

	while (query_next(&q, &name, &value))
		if (value && strcmp(name, "token") == 0)
			token = value;
	return token;
}

static int say(struct call *call, int status, const char *said, const char *form, Rpc__RawReply *out)
{
	return page_reply(
	    call,
	    &(struct page){ .status = status, .title = "Conversations by mail", .said = said, .below = form },
	    out);
}

static int say_dead(struct call *call, Rpc__RawReply *out)
{
	return say(
	    call, 404,
	    "This link does not work any more. Whoever has set up the chatbot can have another one sent.",
	    NULL, out);
}

int integrations_ask_handover(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *token = token_of(call, in->query ? in->query : ""), *owner, *address;
	int alive = consent_read(call, token, &owner, &address);
	struct text form;

	if (alive <= 0)
		return alive < 0 ? -1 : say_dead(call, out);
	text_init(&form, call->arena);
	/* A click, since mail programs open links by themselves. */
	text_adds(&form, "<form method=\"post\" action=\"/api/integrations/handover/confirm\">"
	                 "<input type=\"hidden\" name=\"token\" value=\"");
	page_add_text(&form, token);
	text_adds(&form, "\"><button>Yes, send them to me</button></form>\n");
	return say(
	    call, 200,
	    arena_printf(call->arena,
	                 "Shall conversations in which a chatbot could not help be sent to %s? If you do not "
	                 "want that, close this page.",
	                 address),
	    form.at, out);
}

int integrations_confirm_handover(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *body = arena_strndup(call->arena, (const char *)in->body.data, in->body.len);
	const char *owner, *address;
	int alive = consent_read(call, token_of(call, body), &owner, &address);

	if (alive > 0)
		alive = consent_take(call, owner, address);
	if (alive <= 0)
		return alive < 0 ? -1 : say_dead(call, out);
	return say(call, 200, "They will be sent to you from now on. You can close this window.", NULL, out);
}
