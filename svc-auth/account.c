#include <string.h>

#include "auth.methods.h"
#include "common/base/client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/secret/token.h"
#include "svc-auth/auth.h"
#include "svc-auth/proof.h"

/* Failures only. That of codes is generous: a code dies of five wrong tries by itself. */
static const struct throttle by_network = { "sign-in", 5, 900, 0 }; /* for an address, from one network */
static const struct throttle by_address = { "sign-in-to", 50, 900, 0 };
static const struct throttle by_client = { "sign-in-from", 20, 900, 0 };
static const struct throttle code_by_client = { "code-from", 100, 900, 0 };

static char *client(struct call *call)
{
	return client_name(call->caller ? call->caller->ip : NULL, call->arena);
}

/* --- What is given ----------------------------------------------------------------------------------------------- */

const char *account_email(struct call *call, const char *given)
{
	char *email = arena_strdup(call->arena, given);

	for (char *c = email; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return email;
}

int account_new_password(struct call *call, const char *given, char **phc)
{
	if (password_common(given))
		return error_field(call->err, call->arena, "body", "password", "value_error",
		                   "is one of the most common passwords; choose another one");
	return password_hash(auth_state(call)->hasher, given, call->deadline, phc, call->arena, call->err);
}

int account_number_cursor(struct call *call, const char *cursor)
{
	if (!cursor || (*cursor && strlen(cursor) <= 18 && strspn(cursor, "0123456789") == strlen(cursor)))
		return 0;
	return error_field(call->err, call->arena, "query", "cursor", "value_error", "is not one of ours");
}

int account_of_caller(struct call *call, struct account *ret)
{
	int found = store_get_account(call->db, call->owner_id, ret, call->arena, call->err);

	if (found < 0)
		return -1;
	if (!found || ret->disabled)
		return error_set(call->err, ERROR_UNAUTHENTICATED, "this account does not exist any more");
	return 0;
}

int account_needs_session(struct call *call)
{
	if (call->caller->session_id)
		return 0;
	return error_set(call->err, ERROR_FORBIDDEN, "sign in for this; an API key does not do");
}

void account_show(struct call *call, const struct account *who, char *token, Auth__User *out)
{
	out->uid = arena_strdup(call->arena, who->uid);
	out->email = arena_strdup(call->arena, who->email);
	out->display_name = arena_strdup(call->arena, who->display_name);
	out->token = token;
	out->id = who->id;
	out->has_id = out->has_email_verified = 1;
	out->email_verified = who->proven;
}

/* --- Signing in -------------------------------------------------------------------------------------------------- */

int account_may_prove(struct call *call)
{
	if (!auth_state(call)->settings->oidc_only)
		return 0;
	return error_set(
	    call->err, ERROR_FORBIDDEN,
	    "passwords and codes are switched off here: sign in with a provider (/auth/oidc/providers)");
}

int account_token(struct call *call, const struct account *who, const char *session, const char *audience,
                  int64_t seconds, char **token)
{
	int64_t now = clock_unix_ms() / 1000;
	struct token_claims claims = {
		.user_number = who->id,
		.issued = now,
		.expires = now + seconds,
		.admin = who->admin && !audience,
		.audience = audience,
	};
	struct keyring ring;
	int result;

	memcpy(claims.user_id, who->uid, sizeof claims.user_id);
	memcpy(claims.session_id, session, sizeof claims.session_id);
	keystore_ring(auth_state(call)->keys, KEYSTORE_TOKEN, now, &ring);
	result = token_sign(&ring, &claims, call->arena, token, call->err);
	explicit_bzero(&ring, sizeof ring);
	return result;
}

int account_open(struct call *call, const struct account *who, struct new_session *how)
{
	char *made = arena_alloc(call->arena, UUID_TEXT);
	int opened;

	if (who->disabled)
		return error_set(call->err, ERROR_FORBIDDEN, "this account is disabled");
	uuid_make(made);
	how->id = how->id ? how->id : made;
	how->ip = call->caller->ip;
	how->user_agent = audit_agent(call);
	how->password = who->password;
	how->admin = who->admin;
	opened = store_open_session(call->db, who->uid, how, call->err);
	if (opened < 0)
		return -1;
	return opened ? 0
	              : error_set(call->err, ERROR_UNAUTHENTICATED,
	                          "the account changed meanwhile; sign in again");
}

int account_sign_in(struct call *call, const struct account *who, char **token)
{
	int64_t hours = auth_state(call)->settings->token_hours;
	struct new_session how = { .kind = "token", .hours = hours };

	if (account_open(call, who, &how) < 0)
		return -1;
	return account_token(call, who, how.id, NULL, hours * 3600, token);
}

int account_prove(struct call *call, struct account *who, bool keep_password, bool *removed)
{
	const char *admin_email = auth_state(call)->admin_email;

	*removed = !who->proven && !keep_password && who->password;
	if (who->proven)
		return 0;
	if (store_end_sessions(call->db, who->uid, NULL, call->err) < 0 ||
	    store_delete_keys(call->db, who->uid, call->err) < 0 ||
	    (*removed && (store_set_password(call->db, who->uid, NULL, call->err) < 0 ||
	                  mailer_tell_removed(call, who->email) < 0)) ||
	    store_set_proven(call->db, who->uid, admin_email, call->err) < 0)
		return -1;
	if (!keep_password)
		who->password = NULL;
	who->proven = true;
	who->admin = who->admin || strcmp(who->email, admin_email) == 0;
	return audit(call, "address_proven", who->uid, who->admin ? "is an administrator now" : NULL);
}

/* --- Checking what proves somebody ------------------------------------------------------------------------------- */

int account_check_code(struct call *call, const char *email, const char *code, struct account *ret)
{
	struct stored_code stored = { .account.uid = "" };
	char hash[PROOF_HASH];
	int found, right;

	if (throttle_check(call->db, &code_by_client, client(call), call->arena, call->err) < 0)
		return -1;
	found = store_lock_code(call->db, email, &stored, call->arena, call->err);
	if (found < 0)
		return -1;
	proof_code_hash(auth_state(call)->proof_key, stored.account.uid, code, hash);
	right = found && mac_equal(hash, stored.hash, PROOF_HASH - 1);
	if (right) {
		*ret = stored.account;
		return store_drop_code(call->db, stored.account.uid, call->err) < 0 ? -1 : 1;
	}
	if (store_miss_code(call->db, email, call->err) < 0 ||
	    throttle_note(call->db, &code_by_client, client(call), call->arena, call->err) < 0 ||
	    (found && audit(call, "wrong_code", stored.account.uid, NULL) < 0))
		return -1;
	return 0;
}

/* The address as it is guessed at from one network: who guesses elsewhere does not lock its owner out. */
static const char *from_here(struct call *call, const char *email)
{
	const char *network = client_network(call->caller ? call->caller->ip : NULL, call->arena);

	return arena_printf(call->arena, "%s/%s", email, network ? network : "");
}

static int check_throttles(struct call *call, const char *email)
{
	if (throttle_check(call->db, &by_client, client(call), call->arena, call->err) < 0 ||
	    throttle_check(call->db, &by_network, from_here(call, email), call->arena, call->err) < 0)
		return -1;
	return throttle_check(call->db, &by_address, email, call->arena, call->err);
}

int account_check_password(struct call *call, const char *email, const char *phc, const char *password)
{
	int right;

	if (check_throttles(call, email) < 0)
		return -1;
	right = password_check(auth_state(call)->hasher, phc, password, call->deadline, call->err);
	if (right < 0)
		return -1;
	if (!right) {
		if (throttle_note(call->db, &by_client, client(call), call->arena, call->err) < 0 ||
		    throttle_note(call->db, &by_network, from_here(call, email), call->arena, call->err) <
		        0 ||
		    throttle_note(call->db, &by_address, email, call->arena, call->err) < 0)
			return -1;
		return 0;
	}
	/* Many guesses at once all passed the first check: one that is right comes too late when enough others failed. */
	if (check_throttles(call, email) < 0 ||
	    throttle_forget(call->db, &by_network, from_here(call, email), call->arena, call->err) < 0)
		return -1;
	return 1;
}

int account_end(struct call *call, int result)
{
	if (result == 0)
		result = db_commit(call->db, call->err);
	if (result < 0)
		db_rollback(call->db);
	return result;
}
