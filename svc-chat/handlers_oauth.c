/* Signing in at MCP servers: there, back, what there is, and out. */
#include <string.h>

#include "auth.client.h"
#include "chat.methods.h"
#include "common/base/query.h"
#include "common/base/text.h"
#include "common/oauth/oauth.h"
#include "svc-chat/oauth/bearer.h"
#include "svc-chat/oauth/pages.h"
#include "svc-chat/oauth/sign_in.h"
#include "svc-chat/state.h"
#include "svc-chat/store_oauth.h"
#include "svc-chat/tools/servers.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/turn/turn.h"

enum { PROBE_MS = 10 * 1000, BEGIN_MS = 20 * 1000 };

static const struct chat *chat_of(const struct call *call)
{
	return call->state;
}

/* --- There ---------------------------------------------------------------------------------------------------------------- */

int chat_authorize_server(struct call *call, const Chat__AuthorizeRequest *in, Chat__AuthorizeReply *out)
{
	struct server_row row;
	struct sign_in begun;
	const char *challenge;

	if (servers_load(call, in->server_id, &row) < 0 ||
	    servers_challenge(call, &row, PROBE_MS, &challenge) < 0 ||
	    sign_in_begin(call, &row, in->provider, challenge, BEGIN_MS, &begun) < 0)
		return -1;
	out->flow = arena_new(call->arena, Chat__OauthFlow, 1);
	chat__oauth_flow__init(out->flow);
	out->flow->oauth_url = begun.url;
	out->flow->state = begun.state;
	out->flow->provider = begun.provider;
	out->flow->server_name = (char *)row.name;
	out->cookie = begun.cookie;
	return 0;
}

/* --- Back ----------------------------------------------------------------------------------------------------------------- */

/* Where the browser goes on; NULL: a page says how it went. */
static char *way_on(struct call *call, const struct sign_in_end *end, const char *wrong)
{
	const char *base = chat_of(call)->oauth_return_url;
	struct text url;

	if (!*base)
		return NULL;
	text_init(&url, call->arena);
	text_addf(&url, "%s%c", base, strchr(base, '?') ? '&' : '?');
	if (end->server_id)
		text_addf(&url, "server_id=%lld&", (long long)end->server_id);
	text_adds(&url, wrong ? "error=" : "status=connected");
	query_encode(&url, wrong ? wrong : "");
	return url.at;
}

/* Whose account it is to be, as far as a stranger may know. */
static int masked_address(struct call *call, const char *owner, char **ret)
{
	struct call acting = retrieve_call_for(call, owner);
	Rpc__Empty nothing = RPC__EMPTY__INIT;
	Auth__Account *account;

	if (auth_client_get_account(chat_of(call)->auth, &acting, &nothing, &account) < 0)
		return -1;
	*ret = page_mask(account->email, call->arena);
	return 0;
}

/* What did not go well, and is no fault of ours, is said in a page. */
static int show_failure(struct call *call, const struct sign_in_end *end, Chat__SignInPage *out)
{
	const char *wrong = arena_strdup(call->arena, call->err->message);

	if (call->err->code != ERROR_MALFORMED && call->err->code != ERROR_FORBIDDEN &&
	    call->err->code != ERROR_UPSTREAM)
		return -1;
	out->has_status = true;
	out->status = call->err->code == ERROR_UPSTREAM ? 502 : 400;
	out->html = page_end(end->server_name, end->server_id, wrong, call->arena);
	out->location = way_on(call, end, wrong);
	error_clear(call->err);
	return 0;
}

int chat_end_sign_in(struct call *call, const Chat__SignInAnswer *in, Chat__SignInPage *out)
{
	struct sign_in_answer answer = { .state = in->state,
		                         .code = in->code,
		                         .iss = in->iss,
		                         .error = in->error,
		                         .cookies = in->cookie };
	struct sign_in_end end;
	char *address;
	int done = sign_in_end(call, &answer, &end);

	out->cookie = (char *)end.cookie;
	if (done < 0)
		return show_failure(call, &end, out);
	if (end.ask) {
		if (masked_address(call, end.owner, &address) < 0)
			return -1;
		out->html = page_ask(end.server_name, address, call->arena);
		return 0;
	}
	turn_signed_in(call, end.owner, end.server_id);
	out->html = page_end(end.server_name, end.server_id, NULL, call->arena);
	out->location = way_on(call, &end, NULL);
	return 0;
}

int chat_confirm_sign_in(struct call *call, const Chat__ConfirmSignInRequest *in, Chat__SignInReply *out)
{
	struct sign_in_answer answer = {
		.state = in->state, .code = in->code, .iss = in->iss, .confirmed = true
	};
	struct sign_in_end end;

	if (sign_in_end(call, &answer, &end) < 0)
		return -1;
	turn_signed_in(call, end.owner, end.server_id);
	out->message = arena_printf(call->arena, "%s is connected", end.server_name);
	out->has_server_id = true;
	out->server_id = end.server_id;
	out->location = way_on(call, &end, NULL);
	return 0;
}

/* --- What there is, and out ------------------------------------------------------------------------------------------------ */

int chat_get_oauth_status(struct call *call, const Rpc__Empty *in, Chat__OauthStatusList *out)
{
	(void)in;
	return store_oauth_status(call->db, call->owner_id, out, call->arena, call->err);
}

int chat_revoke_tokens(struct call *call, const Chat__ServerRequest *in, Rpc__Message *out)
{
	struct server_row row;
	int had;

	if (servers_load(call, in->server_id, &row) < 0)
		return -1;
	had = bearer_revoke(call, row.id);
	if (had < 0)
		return -1;
	out->message = (char *)(had ? "OAuth tokens revoked" : "There were no OAuth tokens");
	return had ? store_ask_server_anew(call->db, call->owner_id, row.id, call->err) : 0;
}

int chat_revoke_all_tokens(struct call *call, const Rpc__Empty *in, Rpc__Empty *out)
{
	(void)in, (void)out;
	return call->owner_id ? bearer_revoke_all(call)
	                      : error_set(call->err, ERROR_INVALID, "whose tokens?");
}

int chat_get_client_document(struct call *call, const Rpc__Empty *in, Chat__ClientDocument *out)
{
	const char *us = chat_of(call)->public_url;

	(void)in;
	out->document =
	    oauth_client_document(arena_printf(call->arena, "%s/auth/oauth/client.json", us), "Parley", us,
	                          arena_printf(call->arena, "%s/auth/oauth/callback", us), call->arena);
	return 0;
}
