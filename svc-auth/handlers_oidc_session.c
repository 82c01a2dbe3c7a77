/* The session after that way: the frontend takes it, the provider may end it. No browser is between. */
#include <string.h>

#include "auth.methods.h"
#include "svc-auth/grants.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/store_providers.h"
#include "svc-auth/ticket.h"

enum { LOGOUT_SECONDS = 300 };

/* --- The frontend's part ----------------------------------------------------------------------------------------- */

static int refused(struct call *call)
{
	return error_set(call->err, ERROR_MALFORMED, "the code is wrong, was used, or has expired");
}

static int open_session(struct call *call, const struct sign_in_code *code, const struct account *who,
                        Auth__TokenReply *out)
{
	int64_t hours = auth_state(call)->settings->token_hours;
	struct new_session how = { .kind = "token",
		                   .id = code->id,
		                   .hours = hours,
		                   .issuer = code->issuer,
		                   .issuer_session = code->issuer_session };

	if (account_open(call, who, &how) < 0 ||
	    audit(call, "signed_in", who->uid, arena_printf(call->arena, "with %.50s", code->client_name)) <
	        0)
		return -1;
	return account_token(call, who, how.id, NULL, hours * 3600, &out->access_token);
}

/* 1 in, 0 refused, which is to be committed, too: the code is used up. The account comes first, as for whatever ends
 * sessions: either that finds this code, or this finds none. */
static int exchange(struct call *call, const struct ticket *t, const char *verifier, Auth__TokenReply *out)
{
	struct sign_in_code code;
	struct account who;
	int found = store_lock_account(call->db, t->owner, &who, call->arena, call->err);

	if (found <= 0)
		return found;
	found = store_take_sign_in_code(call->db, t->owner, t->id, &code, call->arena, call->err);
	if (found <= 0) /* one that comes again ends what it became */
		return found < 0 || store_end_session(call->db, t->owner, t->id, call->err) < 0 ? -1 : 0;
	if (strcmp(code.kind, "token") != 0 || (code.challenge && !grants_proves(verifier, code.challenge)))
		return 0;
	return open_session(call, &code, &who, out) < 0 ? -1 : 1;
}

int auth_oidc_token(struct call *call, const Auth__HandoverRequest *in, Auth__TokenReply *out)
{
	struct ticket t;
	int got;

	if (!ticket_read(auth_state(call)->ticket_key, TICKET_HANDOVER, in->code, &t))
		return refused(call);
	if (db_begin(call->db, call->err) < 0)
		return -1;
	got = exchange(call, &t, in->code_verifier, out);
	if (account_end(call, got < 0 ? -1 : 0) < 0)
		return -1;
	out->token_type = (char *)"bearer";
	return got ? 0 : refused(call);
}

/* --- The provider ends it ---------------------------------------------------------------------------------------- */

static bool is_logout(json_object *claims)
{
	json_object *event =
	    json_get(json_get(claims, "events"), "http://schemas.openid.net/event/backchannel-logout");

	return event && json_object_is_type(event, json_type_object) &&
	       (json_string(claims, "sub") || json_string(claims, "sid"));
}

static int end_sessions(struct call *call, const char *issuer, json_object *claims)
{
	const char *subject = json_string(claims, "sub");
	struct account who = { 0 };
	int64_t ended;

	if (subject && store_find_identity(call->db, issuer, subject, &who, call->arena, call->err) < 0)
		return -1;
	if (subject && !who.uid)
		return 0; /* nobody of ours */
	if (store_end_provider_sessions(call->db, who.uid, issuer, json_string(claims, "sid"), &ended,
	                                call->err) < 0)
		return -1;
	return ended && who.uid ? audit(call, "signed_out", who.uid, "by the provider") : 0;
}

int auth_oidc_logout(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	OWN(json) json_object *claims = NULL;
	const struct provider *who;
	struct oauth_server server;
	const char *token;
	struct web w;

	web_open(&w, call, in, out, true);
	token = web_get(&w, "logout_token");
	who = providers_find(auth_state(call)->providers, web_segment(&w, 2));
	if (!who || !token)
		return web_refuse(&w, who ? 400 : 404, "invalid_request", "a form with a logout_token");
	if (providers_server(auth_state(call)->providers, call, who, &server) < 0 ||
	    providers_claims(auth_state(call)->providers, call, who, &server, token, NULL, LOGOUT_SECONDS,
	                     &claims) < 0) {
		if (call->err->code != ERROR_UNAUTHENTICATED)
			return -1;
		error_clear(call->err);
	}
	if (!claims || !is_logout(claims))
		return web_refuse(&w, 400, "invalid_request", "this logout_token cannot be believed");
	if (db_begin(call->db, call->err) < 0 ||
	    account_end(call, end_sessions(call, who->set->issuer, claims)) < 0)
		return -1;
	return web_json(&w, 200, "");
}
