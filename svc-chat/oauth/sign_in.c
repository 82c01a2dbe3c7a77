#include "svc-chat/oauth/sign_in.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/service/sealer.h"
#include "svc-chat/oauth/configured.h"
#include "svc-chat/oauth/secrets.h"
#include "svc-chat/state.h"
#include "svc-chat/store_oauth.h"

enum { END_MS = 20 * 1000, COOKIE_DIGITS = 16 };

#define COOKIE "parley_oauth_"

/* What is known of a sign-in before there is a URL. */
struct plan {
	struct oauth o;
	struct oauth_server server;
	struct oauth_resource resource;
	struct oauth_client client;
	const struct configured_client *configured;
	const struct oauth_token_row *had; /* NULL: none */
	const char *scope, *redirect_uri;
};

static const struct chat *chat_of(const struct call *call)
{
	return call->state;
}

/* Not cut off by a client that goes: a code works once. */
static struct oauth outside(struct call *call, int ms)
{
	return (struct oauth){ .egress = chat_of(call)->egress,
		               .arena = call->arena,
		               .deadline = clock_mono_ms() + ms };
}

/* --- Where ------------------------------------------------------------------------------------------------------------------ */

/* What this server's issuer has granted before; another's scopes are nothing to it. */
static const char *granted(const struct plan *p)
{
	const char *issuer = p->server.issuer;

	return p->had && issuer && strcmp(p->had->issuer, issuer) == 0 ? p->had->scope : NULL;
}

/* What the operator says of a provider. The server need not know of it, so no `resource` is named. */
static int plan_configured(struct call *call, struct plan *p)
{
	const struct configured_client *c = p->configured;
	int found;

	if (c->document) {
		const char *issuer = c->issuer;

		if (oauth_server_read(c->document, issuer ? issuer : "http://any", &p->server, call->arena,
		                      call->err) < 0)
			return -1;
		p->server.issuer =
		    issuer ? issuer : oauth_origin(p->server.authorization_endpoint, call->arena);
		return 0;
	}
	found = oauth_discover(&p->o, c->issuer, &p->server, call->err);
	return found > 0 ? 0
	       : found < 0
	           ? -1
	           : error_set(call->err, ERROR_UPSTREAM, "%.100s does not say how to sign in", c->issuer);
}

static int plan_server(struct call *call, const struct server_row *server, const char *provider,
                       const char *challenge, struct plan *p)
{
	const struct configured_client *list = chat_of(call)->oauth_clients;
	struct oauth_challenge wanted;

	p->configured = configured_by_name(list, provider, server->uri);
	if (p->configured) {
		if (plan_configured(call, p) < 0)
			return -1;
		p->scope = oauth_scope_join(p->configured->scope, granted(p), call->arena);
		return 0;
	}
	oauth_challenge_parse(challenge, &wanted, call->arena);
	if (oauth_find_server(&p->o, server->uri, &wanted, &p->resource, &p->server, call->err) < 0)
		return -1;
	p->scope = oauth_choose_scope(&wanted, &p->resource, &p->server, granted(p), call->arena);
	p->configured = configured_by_issuer(list, p->server.issuer, server->uri);
	if (p->configured && !p->scope)
		p->scope = p->configured->scope;
	return 0;
}

/* --- As whom ---------------------------------------------------------------------------------------------------------------- */

static const char *client_context(struct call *call, const char *issuer)
{
	return arena_printf(call->arena, "oauth.client/%s", issuer);
}

static bool is_https(const char *url)
{
	return strncmp(url, "https://", 8) == 0;
}

/* Whether a browser's way back leads to the user's own machine. */
static bool is_here(const char *url)
{
	static const char *const names[] = { "http://localhost", "http://127.0.0.1", "http://[::1]" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(url, names[i], strlen(names[i])) == 0 && strchr(":/", url[strlen(names[i])]))
			return true;
	return false;
}

/* One that we registered before, and is still good. 1, 0, -1. */
static int known_client(struct call *call, struct plan *p)
{
	struct oauth_client_row row;
	char *secret = NULL;
	int found =
	    store_oauth_client(call->db, p->server.issuer, p->redirect_uri, &row, call->arena, call->err);

	if (found <= 0 || (row.expires_at && row.expires_at < clock_unix_ms() / 1000 + STORE_FLOW_SECONDS))
		return found < 0 ? -1 : 0;
	if (row.secret && sealer_open(call, client_context(call, p->server.issuer), row.secret, &secret) < 0)
		return -1;
	p->client = (struct oauth_client){ row.id, secret, (enum oauth_method)row.method, row.expires_at };
	return 1;
}

static int new_client(struct call *call, struct plan *p)
{
	struct oauth_client_row row;
	char *sealed = NULL;

	if (oauth_register(&p->o, &p->server, "Parley", p->redirect_uri, is_here(p->redirect_uri), &p->client,
	                   call->err) < 0)
		return -1;
	if (p->client.secret &&
	    sealer_seal(call, client_context(call, p->server.issuer), p->client.secret, &sealed) < 0)
		return -1;
	row = (struct oauth_client_row){ p->client.id, sealed, (int)p->client.method,
		                         p->client.secret_expires };
	return store_keep_oauth_client(call->db, p->server.issuer, p->redirect_uri, &row, call->err);
}

static int plan_client(struct call *call, struct plan *p)
{
	const char *us = chat_of(call)->public_url;
	int known;

	if (p->configured) {
		p->client = p->configured->client;
		return 0;
	}
	if (p->server.takes_documents && is_https(us)) {
		p->client =
		    (struct oauth_client){ .id = arena_printf(call->arena, "%s/auth/oauth/client.json", us) };
		return 0;
	}
	known = known_client(call, p);
	return known < 0 ? -1 : known ? 0 : new_client(call, p);
}

/* --- Going -------------------------------------------------------------------------------------------------------------------- */

/* "<user>.<256 random bits>" */
static char *make_state(struct call *call)
{
	char random[OAUTH_RANDOM];

	oauth_random(random);
	return arena_printf(call->arena, "%s.%s", call->owner_id, random);
}

static char *hash_of(struct call *call, const char *text)
{
	char *hash = arena_alloc(call->arena, 65);

	sha256_hex(hash, text, strlen(text));
	return hash;
}

/* value "" takes it back. */
static char *cookie_line(struct call *call, const char *state_hash, const char *value)
{
	return arena_printf(call->arena, COOKIE "%.*s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
	                    COOKIE_DIGITS, state_hash, value, *value ? STORE_FLOW_SECONDS : 0,
	                    is_https(chat_of(call)->public_url) ? "; Secure" : "");
}

static int keep_flow(struct call *call, const struct server_row *server, const struct plan *p,
                     const struct oauth_request *request, struct sign_in *ret)
{
	struct oauth_secrets secrets = { .verifier = request->verifier, .client_secret = p->client.secret };
	struct oauth_flow_row row = {
		.state = hash_of(call, request->state),
		.server_id = server->id,
		.uri = server->uri,
		.provider = ret->provider,
		.issuer = p->server.issuer,
		.document = p->server.document,
		.client_id = p->client.id,
		.method = (int)p->client.method,
		.scope = request->scope,
		.resource = request->resource,
		.redirect_uri = request->redirect_uri,
	};
	char value[OAUTH_RANDOM], *sealed;

	oauth_random(value);
	row.cookie = hash_of(call, value);
	ret->cookie = cookie_line(call, row.state, value);
	if (secrets_seal(call, "flow", call->owner_id, server->id, row.issuer, &secrets, &sealed) < 0)
		return -1;
	row.secrets = sealed;
	return store_add_flow(call->db, call->owner_id, &row, call->err);
}

/* The host of a URL: what a provider is called that has no name here. */
static char *host_of(const char *url, struct arena *a)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return arena_strndup(a, host, strcspn(host, ":/?#"));
}

int sign_in_begin(struct call *call, const struct server_row *server, const char *provider,
                  const char *challenge, int ms, struct sign_in *ret)
{
	struct plan p = { .o = outside(call, ms) };
	struct oauth_token_row had;
	struct oauth_request request;
	char verifier[OAUTH_RANDOM];
	int found = store_get_token(call->db, call->owner_id, server->id, &had, call->arena, call->err);

	if (found < 0)
		return -1;
	p.redirect_uri = arena_printf(call->arena, "%s/auth/oauth/callback", chat_of(call)->public_url);
	p.had = found ? &had : NULL;
	if (plan_server(call, server, provider, challenge, &p) < 0 || plan_client(call, &p) < 0)
		return -1;
	oauth_random(verifier);
	ret->provider =
	    p.configured ? arena_strdup(call->arena, p.configured->name) : host_of(server->uri, call->arena);
	ret->state = make_state(call);
	request = (struct oauth_request){
		.client_id = p.client.id,
		.redirect_uri = p.redirect_uri,
		.state = ret->state,
		.verifier = verifier,
		.scope = p.scope,
		.resource = p.resource.resource,
		.more = p.configured ? p.configured->more : NULL,
	};
	ret->url = oauth_authorize_url(&p.server, &request, call->arena);
	return keep_flow(call, server, &p, &request, ret);
}

/* --- Coming back ---------------------------------------------------------------------------------------------------------------- */

static int not_good(struct call *call)
{
	return error_set(call->err, ERROR_MALFORMED,
	                 "this sign-in is over, was used, or did not begin here: start it again");
}

/* Whose it is, as the state says; NULL when it is none of ours. */
static const char *owner_of(const char *state, struct arena *a)
{
	char *owner;

	if (!state || strlen(state) < UUID_TEXT || state[UUID_TEXT - 1] != '.')
		return NULL;
	owner = arena_strndup(a, state, UUID_TEXT - 1);
	return uuid_valid(owner) ? owner : NULL;
}

enum shown { NONE, OURS, ANOTHERS };

/* Is the cookie of this very sign-in there, or only that of another? */
static enum shown look_for_cookie(struct call *call, const char *cookies, const struct oauth_flow_row *flow)
{
	enum shown shown = NONE;

	for (const char *at = cookies ? cookies : ""; *at;) {
		size_t length = strcspn(at, ";");
		char *one = arena_strndup(call->arena, at, length), *value = strchr(one, '=');

		at += length;
		at += strspn(at, "; ");
		if (!value || strncmp(one, COOKIE, strlen(COOKIE)) != 0)
			continue;
		*value++ = '\0';
		if (strlen(one) == strlen(COOKIE) + COOKIE_DIGITS &&
		    strncmp(one + strlen(COOKIE), flow->state, COOKIE_DIGITS) == 0 &&
		    strcmp(hash_of(call, value), flow->cookie) == 0)
			return OURS;
		shown = ANOTHERS;
	}
	return shown;
}

/* May this browser end it? 1 yes, 0 its user is to be asked, -1 no. */
static int may_end(struct call *call, const struct sign_in_answer *answer, const char *owner,
                   const struct oauth_flow_row *flow)
{
	enum shown shown;

	if (answer->confirmed)
		return 1;
	if (call->owner_id)
		return strcmp(call->owner_id, owner) == 0 ? 1 : not_good(call);
	shown = look_for_cookie(call, answer->cookies, flow);
	return shown == OURS ? 1 : shown == NONE ? 0 : not_good(call);
}

static int keep_token(struct call *call, const char *owner, const struct oauth_flow_row *flow,
                      const struct oauth_client *client, const struct oauth_tokens *tokens)
{
	struct oauth_secrets secrets = { .access = tokens->access,
		                         .refresh = tokens->refresh,
		                         .client_secret = client->secret };
	struct oauth_token_row row = {
		.server_id = flow->server_id,
		.provider = flow->provider,
		.issuer = flow->issuer,
		.document = flow->document,
		.client_id = flow->client_id,
		.method = flow->method,
		.scope = tokens->scope ? tokens->scope : flow->scope,
		.resource = flow->resource,
		.refreshes = tokens->refresh != NULL,
		.lifetime = tokens->lifetime,
	};
	char *sealed;
	int kept;

	if (secrets_seal(call, "token", owner, flow->server_id, flow->issuer, &secrets, &sealed) < 0)
		return -1;
	row.secrets = sealed;
	kept = store_put_token(call->db, owner, &row, flow->uri, call->err);
	return kept < 0 ? -1 : kept ? 0 : not_good(call); /* the server went elsewhere meanwhile */
}

static int exchange(struct call *call, const char *owner, const struct oauth_flow_row *flow,
                    const struct oauth_server *server, const char *code)
{
	struct oauth o = outside(call, END_MS);
	struct oauth_secrets secrets = { 0 };
	struct oauth_tokens tokens;
	struct oauth_client client;
	struct oauth_request request;

	if (secrets_open(call, "flow", owner, flow->server_id, flow->issuer, flow->secrets, &secrets) < 0)
		return -1;
	client = (struct oauth_client){ .id = flow->client_id,
		                        .secret = secrets.client_secret,
		                        .method = (enum oauth_method)flow->method };
	request = (struct oauth_request){ .redirect_uri = flow->redirect_uri,
		                          .verifier = secrets.verifier,
		                          .resource = flow->resource };
	if (oauth_exchange(&o, server, &client, &request, code, &tokens, call->err) < 0) {
		struct error ignored = { 0 };

		if (call->err->code == ERROR_FORBIDDEN) /* it forgot us: next time we register anew */
			(void)!store_forget_oauth_client(call->db, flow->issuer, flow->client_id, &ignored);
		if (call->err->code == ERROR_UNAUTHENTICATED || call->err->code == ERROR_FORBIDDEN)
			call->err->code = ERROR_UPSTREAM; /* it is not our caller who is refused */
		return -1;
	}
	return keep_token(call, owner, flow, &client, &tokens);
}

/* The word of an error answer, where it is one that may be shown. */
static int refused(struct call *call, const char *word)
{
	if (strspn(word, "abcdefghijklmnopqrstuvwxyz_") != strlen(word) || strlen(word) > 60)
		word = "an error";
	if (strcmp(word, "access_denied") == 0)
		return error_set(call->err, ERROR_FORBIDDEN, "access was refused there (access_denied)");
	return error_set(call->err, ERROR_FORBIDDEN, "the provider answers with %s", word);
}

int sign_in_end(struct call *call, const struct sign_in_answer *answer, struct sign_in_end *ret)
{
	const char *owner = owner_of(answer->state, call->arena);
	struct oauth_flow_row flow;
	struct oauth_server server;
	int found;

	*ret = (struct sign_in_end){ 0 };
	found = owner ? store_get_flow(call->db, owner, hash_of(call, answer->state), &flow, call->arena,
	                               call->err)
	              : 0;
	if (found <= 0)
		return found < 0 ? -1 : not_good(call);
	found = may_end(call, answer, owner, &flow);
	if (found < 0)
		return -1;
	*ret = (struct sign_in_end){ .ask = !found && !answer->error,
		                     .owner = owner,
		                     .server_id = flow.server_id,
		                     .server_name = flow.server_name };
	if (ret->ask)
		return 0;
	ret->cookie = cookie_line(call, flow.state, "");
	found = store_take_flow(call->db, owner, flow.state, call->err);
	if (found <= 0)
		return found < 0 ? -1 : not_good(call);
	if (oauth_server_read(flow.document, flow.issuer, &server, call->arena, call->err) < 0 ||
	    oauth_check_response(&server, answer->iss, call->err) < 0)
		return -1;
	if (answer->error)
		return refused(call, answer->error);
	if (!answer->code || !*answer->code)
		return error_set(call->err, ERROR_MALFORMED, "the provider sent you back without a code");
	return exchange(call, owner, &flow, &server, answer->code);
}
