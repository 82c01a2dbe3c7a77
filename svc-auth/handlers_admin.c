/* What an administrator does: one function per method of auth.proto. */
#include <strings.h>

#include "auth.methods.h"
#include "svc-auth/auth.h"

int auth_admin_list_users(struct call *call, const Auth__ListRequest *in, Auth__AdminUserList *out)
{
	if (account_number_cursor(call, in->cursor) < 0)
		return -1;
	return store_list_users(call->db, in->cursor, in->limit, out, call->arena, call->err);
}

/* Sessions end; keys are asked about anew, and not known while the user is disabled. */
static int set_disabled(struct call *call, const char *uid, bool disabled, Auth__AdminUser *out)
{
	if (db_must_find(store_set_disabled(call->db, uid, disabled, call->err), "user", call->err) < 0 ||
	    (disabled && store_end_sessions(call->db, uid, NULL, call->err) < 0) ||
	    store_revoke_keys(call->db, uid, call->err) < 0 ||
	    store_get_user(call->db, uid, out, call->arena, call->err) < 0)
		return -1;
	return audit(call, disabled ? "user_disabled" : "user_enabled", uid, NULL);
}

int auth_admin_disable_user(struct call *call, const Auth__AdminUserRequest *in, Auth__AdminUser *out)
{
	if (strcasecmp(in->uid, call->owner_id) == 0)
		return error_set(call->err, ERROR_CONFLICT, "you cannot disable yourself");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, set_disabled(call, in->uid, true, out));
}

int auth_admin_enable_user(struct call *call, const Auth__AdminUserRequest *in, Auth__AdminUser *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, set_disabled(call, in->uid, false, out));
}
