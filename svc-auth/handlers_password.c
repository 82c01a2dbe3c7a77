/* New passwords, and the end of an account: one function per method of auth.proto. */
#include <string.h>

#include "auth.methods.h"
#include "chat.client.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "svc-auth/auth.h"
#include "svc-auth/pages.h"
#include "svc-auth/proof.h"

enum { REVOKE_MS = 3000 /* for svc-chat to take what an account leaves */ };

int auth_reset_password(struct call *call, const Auth__ResetPasswordRequest *in, Rpc__Message *out)
{
	if (account_may_prove(call) < 0)
		return -1;
	if (mailer_ask_link(call, account_email(call, in->email)) < 0)
		return -1;
	out->message = (char *)"Password reset email sent";
	return 0;
}

int auth_reset_page(struct call *call, const Auth__ResetPageRequest *in, Auth__Page *out)
{
	char hash[PROOF_HASH];
	struct account who;
	int alive = 0;

	if (in->token) {
		proof_link_hash(auth_state(call)->proof_key, in->token, hash);
		alive = store_find_link(call->db, hash, &who, call->arena, call->err);
	}
	if (alive < 0)
		return -1;
	out->html = page_reset(alive, call->arena);
	return 0;
}

static int bad_link(struct call *call)
{
	return error_set(call->err, ERROR_MALFORMED,
	                 "the link is wrong, was used, or has expired: ask for a new one");
}

static int confirm(struct call *call, const char *hash, const char *phc)
{
	struct account who;
	bool removed;
	int found = store_lock_link(call->db, hash, &who, call->arena, call->err);

	if (found <= 0)
		return found == 0 ? bad_link(call) : -1;
	/* The password first: it locks the row, so that no session with the old one opens any more. */
	if (store_set_password(call->db, who.uid, phc, call->err) < 0 ||
	    account_prove(call, &who, true, &removed) < 0 ||
	    store_end_sessions(call->db, who.uid, NULL, call->err) < 0 ||
	    store_drop_links(call->db, who.uid, call->err) < 0)
		return -1;
	return audit(call, "password_reset", who.uid, NULL);
}

int auth_confirm_reset(struct call *call, const Auth__ConfirmResetRequest *in, Rpc__Message *out)
{
	char hash[PROOF_HASH], *phc;
	struct account who;
	int found;

	if (account_may_prove(call) < 0)
		return -1;
	proof_link_hash(auth_state(call)->proof_key, in->token, hash);
	found = store_find_link(call->db, hash, &who, call->arena, call->err);
	if (found <= 0)
		return found == 0 ? bad_link(call) : -1;
	if (account_new_password(call, in->password, &phc) < 0 || db_begin(call->db, call->err) < 0 ||
	    account_end(call, confirm(call, hash, phc)) < 0)
		return -1;
	out->message = (char *)"Password has been reset";
	return 0;
}

/* --- The address of a new account ---------------------------------------------------------------------------------- */

int auth_confirm_page(struct call *call, const Auth__ConfirmPageRequest *in, Auth__Page *out)
{
	char hash[PROOF_HASH];
	struct account who;
	int alive = 0;

	if (in->token) {
		proof_link_hash(auth_state(call)->proof_key, in->token, hash);
		alive = store_find_confirm(call->db, hash, &who, call->arena, call->err);
	}
	if (alive < 0)
		return -1;
	out->html = page_confirm(alive, call->arena);
	return 0;
}

/* Everything stays as it is, but for what is known of the address: whoever opens the link has been asked whether the
 * account is theirs. */
static int confirm_email(struct call *call, const char *hash)
{
	struct account who;
	int found = store_lock_confirm(call->db, hash, &who, call->arena, call->err);

	if (found < 0)
		return -1;
	if (!found || strcmp(who.email, auth_state(call)->admin_email) == 0)
		return bad_link(call);
	if (store_set_proven(call->db, who.uid, "", call->err) < 0 ||
	    store_drop_confirms(call->db, who.uid, call->err) < 0)
		return -1;
	return audit(call, "address_proven", who.uid, "by the link of the registration");
}

int auth_confirm_email(struct call *call, const Auth__ConfirmEmailRequest *in, Rpc__Message *out)
{
	char hash[PROOF_HASH];

	proof_link_hash(auth_state(call)->proof_key, in->token, hash);
	if (db_begin(call->db, call->err) < 0 || account_end(call, confirm_email(call, hash)) < 0)
		return -1;
	out->message = (char *)"Email address confirmed";
	return 0;
}

/* --- Changing, deleting ---------------------------------------------------------------------------------------------- */

/* The password that the caller says is theirs. */
static int confirm_password(struct call *call, const struct account *who, const char *password)
{
	int right = account_check_password(call, who->email, who->password, password);

	if (right != 0)
		return right < 0 ? -1 : 0;
	if (audit(call, "wrong_password", who->uid, NULL) < 0)
		return -1;
	return error_set(call->err, ERROR_UNAUTHENTICATED, "wrong password");
}

static int change_password(struct call *call, const struct account *who, const char *phc)
{
	int changed = store_change_password(call->db, who->uid, who->password, phc, call->err);

	if (changed < 0)
		return -1;
	if (!changed)
		return error_set(call->err, ERROR_CONFLICT, "the account changed meanwhile");
	if (store_end_sessions(call->db, who->uid, call->caller->session_id, call->err) < 0 ||
	    store_drop_links(call->db, who->uid, call->err) < 0)
		return -1;
	return audit(call, "password_changed", who->uid, NULL);
}

int auth_change_password(struct call *call, const Auth__ChangePasswordRequest *in, Rpc__Message *out)
{
	struct account who;
	char *phc;

	if (account_may_prove(call) < 0)
		return -1;
	if (account_needs_session(call) < 0 || account_of_caller(call, &who) < 0)
		return -1;
	if (who.password && !in->current_password)
		return error_field(call->err, call->arena, "body", "current_password", "missing",
		                   "is required");
	if ((who.password && confirm_password(call, &who, in->current_password) < 0) ||
	    account_new_password(call, in->password, &phc) < 0 || db_begin(call->db, call->err) < 0 ||
	    account_end(call, change_password(call, &who, phc)) < 0)
		return -1;
	out->message = (char *)"Password changed";
	return 0;
}

/* The code that the caller got by mail. */
static int confirm_code(struct call *call, const struct account *who, const char *code)
{
	struct account found;
	int right;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	right = account_check_code(call, who->email, code, &found);
	if (account_end(call, right < 0 ? -1 : 0) < 0)
		return -1;
	return right ? 0
	             : error_set(call->err, ERROR_MALFORMED, "the code is wrong, was used, or has expired");
}

/* Where providers alone let people in, there is neither a password nor a code: a sign-in of just now says as much. */
static int confirm_fresh(struct call *call)
{
	int fresh = store_session_is_fresh(call->db, call->owner_id, call->caller->session_id, call->err);

	if (fresh != 0)
		return fresh < 0 ? -1 : 0;
	return error_set(call->err, ERROR_FORBIDDEN,
	                 "sign in again first: an account is deleted within 10 minutes after a sign-in");
}

static int confirm_deletion(struct call *call, const struct account *who, const Auth__DeleteMeRequest *in)
{
	if (in->password)
		return confirm_password(call, who, in->password);
	if (in->otp)
		return confirm_code(call, who, in->otp);
	if (auth_state(call)->settings->oidc_only)
		return confirm_fresh(call);
	return error_field(call->err, call->arena, "body", "password", "missing",
	                   "is required, or `otp`: a code from /auth/send-otp");
}

/* What others have let us do in their name ends, too. That it cannot be said just now keeps nobody from going. */
static void revoke_elsewhere(struct call *call)
{
	int64_t until = clock_unix_ms() + REVOKE_MS;
	Rpc__Empty nothing = RPC__EMPTY__INIT, *done;
	struct error err = { 0 };
	struct call ask = *call;

	ask.err = &err;
	ask.deadline = call->deadline < until ? call->deadline : until;
	if (chat_client_revoke_all_tokens(service_peer(call->service, "chat"), &ask, &nothing, &done) < 0)
		log_line(LOG_WARN, "the tokens of a deleted account are not revoked",
		         LOG_TEXT("why", err.message), LOG_TEXT("detail", err.detail));
}

static int delete_me(struct call *call)
{
	if (store_delete_account(call->db, call->owner_id, call->err) < 0)
		return -1;
	return audit(call, "account_deleted", call->owner_id, NULL);
}

int auth_delete_me(struct call *call, const Auth__DeleteMeRequest *in, Rpc__Message *out)
{
	struct account who;

	if (account_needs_session(call) < 0 || account_of_caller(call, &who) < 0 ||
	    confirm_deletion(call, &who, in) < 0)
		return -1;
	revoke_elsewhere(call);
	if (db_begin(call->db, call->err) < 0 || account_end(call, delete_me(call)) < 0)
		return -1;
	out->message = (char *)"Account deleted";
	return 0;
}
