/* Letting programs in: one function per method of auth.proto. */
#include <string.h>

#include "auth.methods.h"
#include "chatbots.client.h"
#include "svc-auth/browser.h"
#include "svc-auth/grants.h"
#include "svc-auth/sign_pages.h"

/* What a program asks for, and whom. */
struct ask {
	struct web *w;
	const char *redirect_uri, *state, *challenge, *resource;
	struct client client;
	struct account who;
	const char *cookie;
	const char *chatbot; /* its name */
};

static struct auth *auth_of(const struct web *w)
{
	return auth_state(w->call);
}

/* --- Back to the program ----------------------------------------------------------------------------------------- */

/* With code or error: to an address that was checked, and never without saying who we are (RFC 9207). */
static int send_back(struct ask *k, const char *name, const char *value, const char *why)
{
	struct text url;

	text_init(&url, k->w->call->arena);
	text_adds(&url, k->redirect_uri);
	if (!strchr(k->redirect_uri, '?'))
		text_addc(&url, '?');
	web_add(&url, name, value);
	web_add(&url, "error_description", why);
	web_add(&url, "state", k->state);
	web_add(&url, "iss", auth_of(k->w)->settings->url);
	return web_redirect(k->w, url.at);
}

/* Where nobody may be sent: it stays here. */
static int refuse(struct ask *k, const char *why)
{
	return web_page(k->w, 400, page_message("This cannot go on", why, k->w->call->arena), NULL);
}

/* --- What is asked ------------------------------------------------------------------------------------------------ */

static int find_chatbot(struct ask *k, const char *id)
{
	struct call ask = *k->w->call;
	struct error err = { 0 };
	Rpc__Caller caller = *ask.caller;
	Chatbots__ChatbotRequest in = CHATBOTS__CHATBOT_REQUEST__INIT;
	Chatbots__Chatbot *bot;

	caller.has_kind = 1;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	caller.owner_id = (char *)k->who.uid;
	ask.caller = &caller;
	ask.owner_id = k->who.uid;
	ask.err = &err;
	in.chatbot_id = (char *)id;
	if (chatbots_client_get_chatbot(service_peer(ask.service, "chatbots"), &ask, &in, &bot) < 0) {
		if (err.code == ERROR_NOT_FOUND)
			return 0;
		*k->w->call->err = err;
		return -1;
	}
	k->chatbot = bot->name;
	return 1;
}

/* Who wants to be answered where: 1; 0 answered, -1. Until here nobody is sent anywhere. */
static int check_client(struct ask *k)
{
	const char *why;
	int found;

	if (web_doubled(k->w))
		return refuse(k, "The program that sent you here asked for something twice.");
	found = client_find(k->w->call, web_get(k->w, "client_id"), &k->client, &why);
	if (found <= 0)
		return found < 0 ? -1 : refuse(k, why);
	k->redirect_uri = web_get(k->w, "redirect_uri");
	if (!k->redirect_uri || !client_may_be_answered_at(&k->client, k->redirect_uri))
		return refuse(
		    k,
		    "The program that sent you here wants to be answered at an address that is not its own.");
	return 1;
}

static bool says(const struct ask *k, const char *name, const char *value)
{
	const char *given = web_get(k->w, name);

	return given && strcmp(given, value) == 0;
}

/* What it wants: 1; 0 answered, -1. */
static int check_wish(struct ask *k)
{
	const char *chatbot;
	int found;

	k->state = web_get(k->w, "state");
	k->challenge = web_get(k->w, "code_challenge");
	k->resource = web_get(k->w, "resource");
	if (!says(k, "response_type", "code"))
		return send_back(k, "error", "unsupported_response_type", "response_type must be code");
	if (!k->challenge || !grants_challenge_fits(k->challenge) ||
	    !says(k, "code_challenge_method", "S256"))
		return send_back(k, "error", "invalid_request",
		                 "PKCE is needed: a code_challenge, and S256 as its code_challenge_method");
	chatbot = grants_chatbot(k->w->call, k->resource);
	found = chatbot ? find_chatbot(k, chatbot) : 0;
	if (found < 0)
		return -1;
	return found ? 1
	             : send_back(k, "error", "invalid_target",
	                         "resource must be the address of a chatbot of yours: /mcp/chatbots/{id}");
}

static const char signed_out[] = "You are not signed in any more. Start again in the program.";

static int sign_in_first(struct ask *k)
{
	struct text url;

	if (!k->w->in->query)
		return refuse(k, signed_out);
	text_init(&url, k->w->call->arena);
	text_adds(&url, "/sign-in?");
	web_add(&url, "next", arena_printf(k->w->call->arena, "/oauth/authorize?%s", k->w->in->query));
	return web_redirect(k->w, url.at);
}

/* Who is there, and what is asked of them: 1; 0 answered, -1. */
static int check(struct ask *k)
{
	int found = browser_account(k->w, &k->who, &k->cookie);

	if (found <= 0)
		return found < 0 ? -1 : sign_in_first(k);
	found = check_client(k);
	return found <= 0 ? found : check_wish(k);
}

/* The form is good for exactly this. */
static const char *agreed(const struct ask *k)
{
	return arena_printf(k->w->call->arena, "consent\n%s\n%s\n%s\n%s\n%s", k->client.id, k->redirect_uri,
	                    k->challenge, k->resource, k->state ? k->state : "");
}

static const char *fields(const struct ask *k)
{
	static const char *const names[] = { "client_id", "redirect_uri",          "response_type", "state",
		                             "resource",  "code_challenge_method", "code_challenge" };
	struct arena *a = k->w->call->arena;
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		text_adds(&t, page_field(names[i], web_get(k->w, names[i]), a));
	text_adds(&t, page_field("seal", browser_seal(k->w, k->cookie, agreed(k)), a));
	return t.at;
}

int auth_authorize_page(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct web w;
	struct ask k = { .w = &w };
	struct page_consent page;
	struct text other;
	int going;

	web_open(&w, call, in, out, false);
	going = check(&k);
	if (going <= 0)
		return going;
	text_init(&other, call->arena);
	text_adds(&other, "/sign-in?");
	web_add(&other, "next", arena_printf(call->arena, "/oauth/authorize?%s", in->query));
	page = (struct page_consent){ .client = k.client.name,
		                      .client_host = k.client.host,
		                      .place = client_uri_place(k.redirect_uri, call->arena),
		                      .chatbot = k.chatbot,
		                      .email = k.who.email,
		                      .fields = fields(&k),
		                      .other = other.at };
	return web_page(&w, 200, page_consent(&page, call->arena),
	                client_uri_source(k.redirect_uri, call->arena));
}

int auth_authorize_form(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	Rpc__RawRequest form = *in;
	struct web w;
	struct ask k = { .w = &w };
	char *code;
	int going;

	form.query = NULL; /* all that counts is in the form */
	web_open(&w, call, &form, out, true);
	going = check(&k);
	if (going <= 0)
		return going;
	if (!browser_sealed(&w, k.cookie, agreed(&k), web_get(&w, "seal")) || web_from_elsewhere(&w))
		return refuse(
		    &k,
		    "This page was open for too long, or came from somewhere else. Start again in the program.");
	if (!says(&k, "decision", "allow"))
		return send_back(&k, "error", "access_denied", NULL);
	going = grants_code(&w, &k.who, &k.client, k.redirect_uri, k.challenge, k.resource, &code);
	if (going <= 0)
		return going < 0 ? -1 : refuse(&k, signed_out);
	return send_back(&k, "code", code, NULL);
}

/* --- Tokens ------------------------------------------------------------------------------------------------------ */

static int show_tokens(struct web *w, const struct grants_tokens *t)
{
	return web_json(w, 200,
	                arena_printf(w->call->arena,
	                             "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%d,"
	                             "\"refresh_token\":\"%s\",\"scope\":\"" GRANTS_SCOPE "\"}",
	                             t->access, GRANTS_ACCESS_SECONDS, t->refresh));
}

int auth_program_token(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	static const struct {
		const char *name;
		int (*take)(struct web *w, struct grants_tokens *ret, const char **why);
	} grants[] = { { "authorization_code", grants_exchange }, { "refresh_token", grants_refresh } };
	struct grants_tokens tokens;
	const char *type, *why;
	struct web w;

	web_open(&w, call, in, out, true);
	type = web_get(&w, "grant_type");
	if (web_doubled(&w) || !type)
		return web_refuse(&w, 400, "invalid_request",
		                  "a form with each parameter once, grant_type among them");
	if (!web_get(&w, "client_id"))
		return web_refuse(&w, 400, "invalid_client", "client_id is missing");
	for (size_t i = 0; i < sizeof grants / sizeof *grants; i++) {
		int given;

		if (strcmp(type, grants[i].name) != 0)
			continue;
		given = grants[i].take(&w, &tokens, &why);
		if (given <= 0)
			return given < 0 ? -1 : web_refuse(&w, 400, "invalid_grant", why);
		return show_tokens(&w, &tokens);
	}
	return web_refuse(&w, 400, "unsupported_grant_type", "authorization_code or refresh_token");
}

int auth_program_revoke(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *token;
	struct web w;

	web_open(&w, call, in, out, true);
	token = web_get(&w, "token");
	if (web_doubled(&w) || !token)
		return web_refuse(&w, 400, "invalid_request",
		                  "a form with each parameter once, token among them");
	if (grants_revoke(call, token, web_get(&w, "client_id")) < 0)
		return -1;
	return web_json(&w, 200, "");
}

/* --- Programs ---------------------------------------------------------------------------------------------------- */

static const char *registered(const struct client *c, int64_t now, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"client_id\":");
	text_add_json(&t, c->id, strlen(c->id));
	text_addf(&t, ",\"client_id_issued_at\":%lld,\"client_name\":", (long long)now);
	text_add_json(&t, c->name, strlen(c->name));
	text_adds(&t, ",\"redirect_uris\":[");
	for (int i = 0; i < c->uri_count; i++) {
		text_adds(&t, i ? "," : "");
		text_add_json(&t, c->uris[i], strlen(c->uris[i]));
	}
	text_adds(
	    &t,
	    "],\"token_endpoint_auth_method\":\"none\",\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
	    "\"response_types\":[\"code\"],\"scope\":\"" GRANTS_SCOPE "\"}");
	return t.at;
}

int auth_program_register(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct client c;
	const char *wrong;
	struct web w;

	web_open(&w, call, in, out, false);
	wrong = client_read((const char *)in->body.data, in->body.len, NULL, &c, call->arena);
	if (!wrong && !(c.id = client_make_id(auth_of(&w)->ticket_key, &c, call->arena)))
		wrong = "invalid_client_metadata";
	if (wrong)
		return web_refuse(
		    &w, 400, wrong,
		    "JSON with redirect_uris: 1 to 10 of https, of http to this machine, or of an app");
	return web_json(&w, 201, registered(&c, call->now / 1000, call->arena));
}

/* --- Metadata ---------------------------------------------------------------------------------------------------- */

static char **words(struct call *call, size_t *count, const char *one, const char *two)
{
	char **list = arena_new(call->arena, char *, 2);

	list[0] = (char *)one;
	list[1] = (char *)two;
	*count = two ? 2 : 1;
	return list;
}

int auth_get_server_metadata(struct call *call, const Rpc__Empty *in, Auth__ServerMetadata *out)
{
	const char *site = auth_state(call)->settings->url;
	struct arena *a = call->arena;

	(void)in;
	out->issuer = arena_strdup(a, site);
	out->authorization_endpoint = arena_printf(a, "%s/oauth/authorize", site);
	out->token_endpoint = arena_printf(a, "%s/oauth/token", site);
	out->registration_endpoint = arena_printf(a, "%s/oauth/register", site);
	out->revocation_endpoint = arena_printf(a, "%s/oauth/revoke", site);
	out->scopes_supported = words(call, &out->n_scopes_supported, GRANTS_SCOPE, NULL);
	out->response_types_supported = words(call, &out->n_response_types_supported, "code", NULL);
	out->response_modes_supported = words(call, &out->n_response_modes_supported, "query", NULL);
	out->grant_types_supported =
	    words(call, &out->n_grant_types_supported, "authorization_code", "refresh_token");
	out->code_challenge_methods_supported =
	    words(call, &out->n_code_challenge_methods_supported, "S256", NULL);
	out->token_endpoint_auth_methods_supported =
	    words(call, &out->n_token_endpoint_auth_methods_supported, "none", NULL);
	out->revocation_endpoint_auth_methods_supported =
	    words(call, &out->n_revocation_endpoint_auth_methods_supported, "none", NULL);
	out->has_authorization_response_iss_parameter_supported = 1;
	out->authorization_response_iss_parameter_supported = 1;
	out->has_client_id_metadata_document_supported = 1;
	out->client_id_metadata_document_supported = 1;
	return 0;
}

int auth_get_openid_metadata(struct call *call, const Rpc__Empty *in, Auth__ServerMetadata *out)
{
	return auth_get_server_metadata(call, in, out);
}

/* Of any id: that there is such a chatbot is not told. */
int auth_get_resource_metadata(struct call *call, const Auth__ResourceRequest *in,
                               Auth__ResourceMetadata *out)
{
	const char *site = auth_state(call)->settings->url;

	out->resource = arena_printf(call->arena, "%s/mcp/chatbots/%s", site, in->chatbot_id);
	out->authorization_servers = words(call, &out->n_authorization_servers, site, NULL);
	out->scopes_supported = words(call, &out->n_scopes_supported, GRANTS_SCOPE, NULL);
	out->bearer_methods_supported = words(call, &out->n_bearer_methods_supported, "header", NULL);
	out->resource_name = (char *)"A chatbot of Parley";
	return 0;
}
