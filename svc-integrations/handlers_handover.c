/* Where the mailed links lead: a page that says how things stand, asks, and takes the answer. */
#include <string.h>

#include "common/base/query.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/page.h"

static const char *value_of(struct call *call, const char *form, const char *wanted)
{
	struct query q = query_start(form, call->arena);
	const char *name, *value, *found = "";

	while (query_next(&q, &name, &value))
		if (value && strcmp(name, wanted) == 0)
			found = value;
	return found;
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

/* What the page says of each wish, and which answers it takes. */
static const struct {
	const char *before, *behind; /* the address */
	const char *yes, *no;        /* NULL: not asked */
} views[] = {
	[ADDRESS_SAYS_NOTHING] = { "Shall conversations in which a chatbot could not help be sent to",
	                           "? Nothing is sent before you say so.", "Yes, send them to me",
	                           "No, and ask me no more" },
	[ADDRESS_AGREES] = { "Conversations in which a chatbot could not help are sent to", ".", NULL,
	                     "Send me no more of them" },
	[ADDRESS_REFUSES] = { "Conversations in which a chatbot could not help are not sent to", ".",
	                      "Send them to me", NULL },
};

static void add_button(struct text *form, const char *want, const char *label)
{
	if (label)
		text_addf(form, "<button name=\"want\" value=\"%s\">%s</button>\n", want, label);
}

/* Clicks, since mail programs open links by themselves. */
static const char *form_of(const char *token, enum address_wish wish, bool below, struct arena *a)
{
	struct text form;

	text_init(&form, a);
	text_adds(&form, "<form method=\"post\" action=\"/api/integrations/handover/confirm\">"
	                 "<input type=\"hidden\" name=\"token\" value=\"");
	page_add_text(&form, token);
	text_adds(&form, "\">\n");
	add_button(&form, "link", below ? "Mail me a link to change that" : NULL);
	add_button(&form, "yes", below ? NULL : views[wish].yes);
	add_button(&form, "no", below ? NULL : views[wish].no);
	text_adds(&form, "</form>\n");
	return form.at;
}

/* Whose link it is, and how things stand, as its owner would be told. 1, 0: it is dead; -1. */
static int find(struct call *call, const char *token, struct consent_link *link, enum address_wish *wish)
{
	int alive = consent_read(call, token, link);
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct call acting = *call;

	if (alive <= 0)
		return alive;
	caller.has_kind = true;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	caller.owner_id = (char *)link->owner;
	acting.caller = &caller;
	acting.owner_id = link->owner;
	if (consent_wish(&acting, link->address, wish) == 0)
		return 1;
	if (call->err->code != ERROR_NOT_FOUND && call->err->code != ERROR_UNAUTHENTICATED)
		return -1;
	error_clear(call->err); /* the account is gone */
	return 0;
}

int integrations_ask_handover(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *token = value_of(call, in->query ? in->query : "", "token");
	struct consent_link link;
	enum address_wish wish;
	int alive = find(call, token, &link, &wish);

	if (alive <= 0)
		return alive < 0 ? -1 : say_dead(call, out);
	return say(call, 200,
	           arena_printf(call->arena, "%s %s%s", views[wish].before, link.address, views[wish].behind),
	           form_of(token, wish, link.below, call->arena), out);
}

int integrations_confirm_handover(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *form = arena_strndup(call->arena, (const char *)in->body.data, in->body.len);
	bool no = strcmp(value_of(call, form, "want"), "no") == 0;
	struct consent_link link;
	enum address_wish wish;
	int alive = find(call, value_of(call, form, "token"), &link, &wish);

	if (alive > 0 && link.below)
		return consent_send_letter(call, &link) < 0
		           ? -1
		           : say(call, 200, "A mail with a link goes there, once a day.", NULL, out);
	if (alive > 0)
		alive = no ? consent_refuse(call, link.owner, link.address)
		           : consent_take(call, link.owner, link.address);
	if (alive <= 0)
		return alive < 0 ? -1 : say_dead(call, out);
	return say(call, 200,
	           no ? "Nothing more is sent to you. You can close this window."
	              : "They will be sent to you from now on. You can close this window.",
	           NULL, out);
}
