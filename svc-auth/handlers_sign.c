/* Registering and signing in: one function per method of auth.proto. */
#include "auth.methods.h"
#include "common/base/id.h"
#include "svc-auth/auth.h"
#include "svc-auth/proof.h"

static int taken(struct call *call)
{
	return error_set(call->err, ERROR_CONFLICT, "there is an account with this e-mail address already");
}

/* --- With a password --------------------------------------------------------------------------------------------- */

static int sign_up(struct call *call, struct account *who, Auth__User *out)
{
	int made = store_add_account(call->db, who->uid, who->email, who->display_name, who->password,
	                             &who->id, call->err);
	char *token;

	if (made <= 0)
		return made == 0 ? taken(call) : -1;
	if (account_sign_in(call, who, &token) < 0 || mailer_ask_confirm(call, who->email) < 0 ||
	    audit(call, "registered", who->uid, "with a password") < 0)
		return -1;
	account_show(call, who, token, out);
	return 0;
}

int auth_sign_up(struct call *call, const Auth__SignUpRequest *in, Auth__User *out)
{
	struct account who = { .display_name = in->display_name, .email = account_email(call, in->email) };
	char uid[UUID_TEXT], *phc;

	if (account_may_prove(call) < 0)
		return -1;
	if (account_new_password(call, in->password, &phc) < 0)
		return -1;
	uuid_make(uid);
	who.uid = uid;
	who.password = phc;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, sign_up(call, &who, out));
}

static int wrong_password(struct call *call, const struct account *who)
{
	if (who->uid && audit(call, "wrong_password", who->uid, NULL) < 0)
		return -1;
	return error_set(call->err, ERROR_UNAUTHENTICATED, "wrong e-mail address or password");
}

static int sign_in(struct call *call, const struct account *who, Auth__User *out)
{
	char *token;

	if (account_sign_in(call, who, &token) < 0 ||
	    audit(call, "signed_in", who->uid, "with a password") < 0)
		return -1;
	account_show(call, who, token, out);
	return 0;
}

int auth_sign_in(struct call *call, const Auth__SignInRequest *in, Auth__User *out)
{
	const char *email = account_email(call, in->email);
	struct account who = { 0 };
	int right;

	if (account_may_prove(call) < 0)
		return -1;
	if (store_find_account(call->db, email, &who, call->arena, call->err) < 0)
		return -1;
	right = account_check_password(call, email, who.password, in->password);
	if (right <= 0)
		return right == 0 ? wrong_password(call, &who) : -1;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, sign_in(call, &who, out));
}

static int sign_out(struct call *call)
{
	if (store_end_session(call->db, call->owner_id, call->caller->session_id, call->err) < 0)
		return -1;
	return audit(call, "signed_out", call->owner_id, NULL);
}

int auth_sign_out(struct call *call, const Rpc__Empty *in, Rpc__Message *out)
{
	(void)in;
	if (account_needs_session(call) < 0 || db_begin(call->db, call->err) < 0 ||
	    account_end(call, sign_out(call)) < 0)
		return -1;
	out->message = (char *)"Logout successful";
	return 0;
}

/* --- With a code ------------------------------------------------------------------------------------------------- */

static int register_by_name(struct call *call, struct account *who)
{
	int made =
	    store_add_account(call->db, who->uid, who->email, who->display_name, NULL, &who->id, call->err);

	if (made <= 0)
		return made == 0 ? taken(call) : -1;
	return audit(call, "registered", who->uid, "without a password");
}

int auth_register_by_name(struct call *call, const Auth__RegisterRequest *in, Auth__RegisterReply *out)
{
	struct account who = { .display_name = in->name, .email = account_email(call, in->email) };
	Auth__RegisteredUser *user = arena_new(call->arena, Auth__RegisteredUser, 1);
	char uid[UUID_TEXT];

	if (account_may_prove(call) < 0)
		return -1;
	uuid_make(uid);
	who.uid = uid;
	if (db_begin(call->db, call->err) < 0 || account_end(call, register_by_name(call, &who)) < 0)
		return -1;
	auth__registered_user__init(user);
	user->id = who.id;
	user->has_id = 1;
	user->name = in->name;
	user->email = arena_strdup(call->arena, who.email);
	out->message = (char *)"Registration successful";
	out->user = user;
	return 0;
}

int auth_send_otp(struct call *call, const Auth__SendOtpRequest *in, Auth__SendOtpReply *out)
{
	if (account_may_prove(call) < 0)
		return -1;
	if (mailer_ask_code(call, account_email(call, in->email)) < 0)
		return -1;
	out->message = (char *)"OTP sent";
	out->expires_in = PROOF_CODE_SECONDS;
	out->has_expires_in = 1;
	return 0;
}

/* 1 signed in, 0 the code is wrong: which is to be committed, too. */
static int verify(struct call *call, const char *email, const char *code, char **token, bool *removed)
{
	struct account who;
	int right = account_check_code(call, email, code, &who);

	if (right <= 0)
		return right;
	if (account_prove(call, &who, false, removed) < 0 || account_sign_in(call, &who, token) < 0 ||
	    audit(call, "signed_in", who.uid, "with a code") < 0)
		return -1;
	return 1;
}

int auth_verify_otp(struct call *call, const Auth__VerifyOtpRequest *in, Auth__TokenReply *out)
{
	bool removed = false;
	int right;

	if (account_may_prove(call) < 0)
		return -1;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	right = verify(call, account_email(call, in->email), in->otp, &out->access_token, &removed);
	if (account_end(call, right < 0 ? -1 : 0) < 0)
		return -1;
	if (!right)
		return error_set(call->err, ERROR_MALFORMED, "the code is wrong, was used, or has expired");
	out->token_type = (char *)"bearer";
	out->has_password_removed = removed;
	out->password_removed = removed;
	return 0;
}
