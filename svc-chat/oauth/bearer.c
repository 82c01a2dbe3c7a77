#include "svc-chat/oauth/bearer.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/db/db.h"
#include "svc-chat/oauth/farewell.h"
#include "svc-chat/oauth/secrets.h"
#include "svc-chat/oauth/sign_in.h"
#include "svc-chat/state.h"
#include "svc-chat/store_oauth.h"

enum {
	LOOK_MS = 40, /* at whether somebody else is done */
	REFRESH_MS =
	    8000, /* for the one who does it: an answer that is not waited for may be the only one that there is */
	LEASE_SECONDS = 30,
};

/* Not cut off by a client that goes: what its answer brings must not be lost. */
static struct oauth outside(struct call *call, int ms)
{
	const struct chat *chat = call->state;

	return (
	    struct oauth){ .egress = chat->egress, .arena = call->arena, .deadline = clock_mono_ms() + ms };
}

static int open_row(struct call *call, const struct oauth_token_row *row, struct oauth_secrets *ret)
{
	*ret = (struct oauth_secrets){ 0 };
	return secrets_open(call, "token", call->owner_id, row->server_id, row->issuer, row->secrets, ret);
}

static struct oauth_client client_of(const struct oauth_token_row *row, const struct oauth_secrets *secrets)
{
	return (struct oauth_client){ .id = row->client_id,
		                      .secret = secrets->client_secret,
		                      .method = (enum oauth_method)row->method };
}

/* --- Refreshing --------------------------------------------------------------------------------------------------------------- */

/* The new one is kept before anybody uses it: the old one may be dead from now on. */
static int keep(struct call *call, const struct oauth_token_row *row, const struct oauth_secrets *had,
                const struct oauth_tokens *tokens)
{
	struct oauth_secrets secrets = { .access = tokens->access,
		                         .refresh = tokens->refresh,
		                         .client_secret = had->client_secret };
	struct oauth_token_row next = *row;
	char *sealed;

	if (secrets_seal(call, "token", call->owner_id, row->server_id, row->issuer, &secrets, &sealed) < 0)
		return -1;
	next.secrets = sealed;
	next.scope = tokens->scope ? tokens->scope : row->scope;
	next.lifetime = tokens->lifetime;
	return store_refresh_token(call->db, call->owner_id, &next, call->err) < 0 ? -1 : 0;
}

/* The one worker that has the lock. 1 with the new one, 0 its provider refuses for good, -1. */
static int refresh(struct call *call, const struct oauth_token_row *row, const char **ret)
{
	struct oauth o = outside(call, REFRESH_MS);
	struct oauth_secrets secrets;
	struct oauth_server server;
	struct oauth_client client;
	struct oauth_tokens tokens;
	struct error unsaid = { 0 };
	bool gone, refreshed;

	if (open_row(call, row, &secrets) < 0 ||
	    oauth_server_read(row->document, row->issuer, &server, call->arena, call->err) < 0)
		return -1;
	client = client_of(row, &secrets);
	call_goes_away(call);
	refreshed = secrets.refresh && oauth_refresh(&o, &server, &client, secrets.refresh, row->resource,
	                                             &tokens, call->err) == 0;
	call_is_back(call);
	if (refreshed) {
		*ret = tokens.access;
		return keep(call, row, &secrets, &tokens) < 0 ? -1 : 1;
	}
	if (call->err->code == ERROR_FORBIDDEN && /* it forgot us: at the next sign-in we register anew */
	    store_forget_oauth_client(call->db, row->issuer, row->client_id, &unsaid) < 0)
		error_clear(&unsaid);
	gone = !secrets.refresh || call->err->code == ERROR_UNAUTHENTICATED ||
	       call->err->code == ERROR_FORBIDDEN;
	if (gone)
		error_clear(call->err);
	if (store_unlock_token(call->db, call->owner_id, row->server_id, row->version, !gone, &unsaid) < 0 &&
	    gone)
		return error_set(call->err, unsaid.code, "%s", unsaid.message);
	return gone ? 0 : -1;
}

static int wait_a_little(struct call *call, int64_t deadline)
{
	if (clock_mono_ms() + LOOK_MS >= deadline || (call->cancelled && atomic_load(call->cancelled)))
		return error_busy(call->err, 2, "the sign-in is being renewed: try again");
	call_goes_away(call);
	nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
	call_is_back(call);
	return 0;
}

static bool is_good(const struct oauth_token_row *row)
{
	return row->valid && !row->over;
}

/* The token as it is, where it does well enough. 1, -1. */
static int give(struct call *call, const struct oauth_token_row *row, const char **ret)
{
	struct oauth_secrets secrets;

	if (open_row(call, row, &secrets) < 0)
		return -1;
	*ret = secrets.access;
	return 1;
}

struct behind {
	int64_t server, refused;
};

static void find_behind(struct call *call, void *arg);

/* Somebody who can wait for it does it; whether there is anybody is seen by its not coming. */
static void refresh_behind(struct call *call, int64_t server, int64_t refused)
{
	struct error unsaid = { 0 };
	struct behind *arg;
	struct task *task;

	if (service_task_new(call, 2 * REFRESH_MS, &task, &unsaid) < 0)
		return;
	arg = arena_new(service_task_arena(task), struct behind, 1);
	*arg = (struct behind){ server, refused };
	if (service_task_start(task, find_behind, arg) < 0)
		return;
}

/* One look at the token. 1 with the one to use, 0 there is none, -1, 2: somebody is at it. */
static int look(struct call *call, int64_t server, int64_t refused, bool patient, struct oauth_token_row *row,
                const char **ret)
{
	int found = store_get_token(call->db, call->owner_id, server, row, call->arena, call->err), locked;

	if (found <= 0 || !row->valid)
		return found < 0 ? -1 : 0;
	if (row->version != refused && (!row->due || (!row->refreshes && is_good(row))))
		return give(call, row, ret);
	if (!row->refreshes)
		return store_unlock_token(call->db, call->owner_id, server, row->version, false, call->err) <
		               0
		           ? -1
		           : 0;
	if (!patient)
		return 2;
	locked = store_lock_token(call->db, call->owner_id, server, row->version, LEASE_SECONDS, call->err);
	return locked < 0 ? -1 : locked ? refresh(call, row, ret) : 2;
}

/* Refreshed by us, or by somebody else while we wait. refused: a version that does not do, whatever its time; 0: none. */
static int find(struct call *call, int64_t server, int64_t refused, int ms, const char **ret)
{
	int64_t deadline = clock_mono_ms() + ms;
	bool patient = ms >= REFRESH_MS, asked = patient;

	for (;;) {
		struct oauth_token_row row = { 0 };
		int found = look(call, server, refused, patient, &row, ret);
		struct error failed = *call->err;

		if (found == 0 || found == 1)
			return found;
		if (is_good(&row) && row.version != refused &&
		    (asked || found < 0)) { /* it does a little longer */
			error_clear(call->err);
			return give(call, &row, ret) < 0
			           ? error_set(call->err, failed.code, "%s", failed.message)
			           : 1;
		}
		if (found < 0)
			return -1;
		if (!asked)
			refresh_behind(call, server, refused);
		asked = true;
		if (wait_a_little(call, deadline) < 0)
			return -1;
	}
}

static void find_behind(struct call *call, void *arg)
{
	const struct behind *behind = arg;
	const char *ignored;

	if (find(call, behind->server, behind->refused, REFRESH_MS, &ignored) < 0)
		log_line(LOG_INFO, "a token was not refreshed", LOG_TEXT("why", call->err->message),
		         LOG_TEXT("detail", call->err->detail));
}

int bearer_find(struct call *call, const struct server_row *server, int ms, const char **ret)
{
	*ret = NULL;
	return find(call, server->id, 0, ms, ret);
}

/* --- Refused -------------------------------------------------------------------------------------------------------------------- */

bool bearer_is_wanted(enum error_code code, const char *challenge, struct arena *a)
{
	struct oauth_challenge wanted;

	if (code == ERROR_UNAUTHENTICATED)
		return true;
	oauth_challenge_parse(challenge, &wanted, a);
	return code == ERROR_FORBIDDEN && (wanted.error || wanted.scope || wanted.resource_metadata);
}

/* Another one than what was refused. 1, 0, -1. */
static int renew(struct call *call, int64_t server, const char *bearer, int ms, const char **ret)
{
	struct oauth_token_row row;
	struct oauth_secrets secrets;
	int found = store_get_token(call->db, call->owner_id, server, &row, call->arena, call->err);

	if (found <= 0 || !row.valid)
		return found < 0 ? -1 : 0;
	if (open_row(call, &row, &secrets) < 0)
		return -1;
	return find(call, server, secrets.access && strcmp(secrets.access, bearer) == 0 ? row.version : 0, ms,
	            ret);
}

int bearer_after(struct call *call, const struct server_row *server, const char *bearer, enum error_code code,
                 const char *challenge, int ms, const char **ret, const char **url)
{
	struct sign_in begun;
	int another = bearer && code == ERROR_UNAUTHENTICATED ? renew(call, server->id, bearer, ms, ret) : 0;
	int began;

	if (another)
		return another;
	if (!url)
		return 0;
	*url = NULL;
	call_goes_away(call);
	began = sign_in_begin(call, server, NULL, challenge, ms, &begun);
	call_is_back(call);
	if (began == 0)
		*url = begun.url;
	return 0;
}

/* --- Out ---------------------------------------------------------------------------------------------------------------------------- */

enum { SOON_SECONDS = 60 /* the job that revokes it, should we die before that is done here */ };

/* Dropped, and word of it left: both or none. */
static int drop(struct call *call, int64_t server_id, const char *key, struct oauth_token_row *ret)
{
	int had;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	had = store_drop_token(call->db, call->owner_id, server_id, ret, call->arena, call->err);
	if (had < 0 || (had && farewell_leave(call, ret, key, SOON_SECONDS) < 0) ||
	    db_commit(call->db, call->err) < 0) {
		db_rollback(call->db);
		return -1;
	}
	return had;
}

int bearer_revoke(struct call *call, int64_t server_id)
{
	struct oauth_token_row row;
	char key[UUID_TEXT];
	int had;

	uuid_make(key);
	had = drop(call, server_id, key, &row);
	if (had <= 0)
		return had;
	farewell_say(call, &row, key);
	return 1;
}

static int leave_all(struct call *call)
{
	struct oauth_token_row *rows;
	size_t count;

	if (store_drop_tokens(call->db, call->owner_id, &rows, &count, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (farewell_leave(call, &rows[i], NULL, 0) < 0)
			return -1;
	return 0;
}

int bearer_revoke_all(struct call *call)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (leave_all(call) == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}
