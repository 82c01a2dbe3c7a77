/* The user's own account: one function per method of auth.proto. */
#include "auth.methods.h"
#include "chat.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "documents.client.h"
#include "svc-auth/auth.h"
#include "svc-auth/preferences.h"

/* The session of the token presented was used. Nothing hangs on it, so that it may fail. */
static void touch(struct call *call)
{
	struct error ignored = { 0 };

	if (call->caller->session_id &&
	    store_touch_session(call->db, call->owner_id, call->caller->session_id, &ignored) < 0)
		error_detail(call->err, "session not touched: %s", ignored.message);
}

int auth_get_me(struct call *call, const Rpc__Empty *in, Auth__User *out)
{
	struct account who;

	(void)in;
	if (account_of_caller(call, &who) < 0)
		return -1;
	account_show(call, &who, call->caller->token, out);
	return 0;
}

int auth_get_account(struct call *call, const Rpc__Empty *in, Auth__Account *out)
{
	struct account who;

	(void)in;
	if (account_of_caller(call, &who) < 0)
		return -1;
	out->id = who.id;
	out->has_id = 1;
	out->uid = arena_strdup(call->arena, who.uid);
	out->name = arena_strdup(call->arena, who.display_name);
	out->email = arena_strdup(call->arena, who.email);
	out->created_at = arena_strdup(call->arena, who.created_at);
	out->has_email_verified = 1;
	out->email_verified = who.proven;
	return 0;
}

/* --- Sessions ---------------------------------------------------------------------------------------------------- */

int auth_list_sessions(struct call *call, const Auth__ListRequest *in, Auth__SessionList *out)
{
	touch(call);
	if (in->cursor && !uuid_valid(in->cursor))
		return error_field(call->err, call->arena, "query", "cursor", "value_error",
		                   "is not one of ours");
	return store_list_sessions(call->db, call->owner_id, call->caller->session_id, in->cursor, in->limit,
	                           out, call->arena, call->err);
}

static int end_session(struct call *call, const char *id)
{
	if (db_must_find(store_end_session(call->db, call->owner_id, id, call->err), "session", call->err) <
	    0)
		return -1;
	return audit(call, "session_ended", call->owner_id, id);
}

int auth_end_session(struct call *call, const Auth__EndSessionRequest *in, Rpc__Message *out)
{
	if (db_begin(call->db, call->err) < 0 || account_end(call, end_session(call, in->id)) < 0)
		return -1;
	out->message = (char *)"Session ended";
	return 0;
}

/* --- Settings ---------------------------------------------------------------------------------------------------- */

enum { USAGE_MS = 2000 };

/* What the other services count. One that cannot be asked just now leaves its figures unknown: the settings are still
 * to be seen and changed. */
static struct usage ask_usage(struct call *call)
{
	int64_t until = clock_unix_ms() + USAGE_MS;
	Rpc__Empty nothing = RPC__EMPTY__INIT;
	Documents__Usage *documents;
	Chat__Usage *chat;
	struct error err = { 0 };
	struct call ask = *call;
	struct usage usage = { 0 };

	ask.err = &err;
	ask.deadline = call->deadline < until ? call->deadline : until;
	if (documents_client_get_usage(service_peer(call->service, "documents"), &ask, &nothing,
	                               &documents) == 0)
		usage = (struct usage){ .has_documents = true,
			                .documents = documents->documents,
			                .bytes = documents->bytes };
	error_clear(&err);
	if (chat_client_get_usage(service_peer(call->service, "chat"), &ask, &nothing, &chat) == 0) {
		usage.has_messages = true;
		usage.messages = chat->messages;
	}
	return usage;
}

static int show(struct call *call, Auth__Settings *out)
{
	struct usage usage = ask_usage(call);
	const char *api_key = NULL, *settings;
	struct account who;

	if (account_of_caller(call, &who) < 0 ||
	    store_masked_key(call->db, call->owner_id, "settings", &api_key, call->arena, call->err) < 0 ||
	    preferences_view(&who, api_key, &usage, &auth_state(call)->settings->limits, &settings,
	                     call->arena, call->err) < 0)
		return -1;
	out->settings = (char *)settings;
	return 0;
}

int auth_get_settings(struct call *call, const Rpc__Empty *in, Auth__Settings *out)
{
	(void)in;
	return show(call, out);
}

static int put(struct call *call, const char *patch)
{
	const char *preferences, *display_name;
	struct account who;
	int found = store_lock_account(call->db, call->owner_id, &who, call->arena, call->err);

	if (found < 0)
		return -1;
	if (!found)
		return error_set(call->err, ERROR_UNAUTHENTICATED, "this account does not exist any more");
	if (preferences_merge(who.preferences, patch, &preferences, &display_name, call->arena, call->err) <
	    0)
		return -1;
	return store_set_preferences(call->db, call->owner_id, preferences, display_name, call->err);
}

int auth_put_settings(struct call *call, const Auth__Settings *in, Auth__Settings *out)
{
	if (db_begin(call->db, call->err) < 0 || account_end(call, put(call, in->settings)) < 0)
		return -1;
	return show(call, out);
}
