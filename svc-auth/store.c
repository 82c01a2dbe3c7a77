#include "svc-auth/store.h"

#include "svc-auth/store_account.h"

enum { DELETE_MS = 10 * 60 * 1000 }; /* of all that a user has */

#define ADMIN_USER \
	"SELECT uid, id, email, display_name, admin, disabled_at IS NOT NULL AS disabled, created_at FROM users"

const struct db_stmt store_statements[] = {
	/* users */
	{ "find_account", "SELECT " STORE_ACCOUNT " FROM users u WHERE u.email = $1" },
	{ "get_account", "SELECT " STORE_ACCOUNT " FROM users u WHERE u.uid = $1" },
	{ "lock_account", "SELECT " STORE_ACCOUNT " FROM users u WHERE u.uid = $1 FOR NO KEY UPDATE" },
	{ "add_account", "INSERT INTO users (uid, email, display_name, password) VALUES ($1, $2, $3, $4)"
	                 " ON CONFLICT (email) DO NOTHING RETURNING id" },
	{ "set_password", "UPDATE users SET password = $2, updated_at = now() WHERE uid = $1" },
	{ "change_password", "UPDATE users SET password = $3, updated_at = now()"
	                     " WHERE uid = $1 AND disabled_at IS NULL AND password IS NOT DISTINCT FROM $2" },
	{ "set_proven",
	  "UPDATE users SET proven_at = least(proven_at, now()), admin = (email = $2 OR admin_by_claim)"
	  " WHERE uid = $1" },
	{ "disable", "UPDATE users SET disabled_at = least(disabled_at, now()) WHERE uid = $1" },
	{ "enable", "UPDATE users SET disabled_at = NULL WHERE uid = $1" },
	{ "set_preferences", "UPDATE users SET preferences = $2, display_name = coalesce($3, display_name),"
	                     " updated_at = now() WHERE uid = $1" },
	{ "no_timeout", "SELECT set_config('statement_timeout', '0', true)" },
	{ "delete_account", "DELETE FROM users WHERE uid = $1" },
	{ "list_users", ADMIN_USER " WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2" },
	{ "get_user", ADMIN_USER " WHERE uid = $1" },
	{ "settle_admin",
	  "WITH changed AS (UPDATE users SET admin = NOT admin, admin_by_claim = admin_by_claim AND $2"
	  "  WHERE admin <> (email = $1 AND proven_at IS NOT NULL OR admin_by_claim AND $2) RETURNING uid),"
	  " keys AS (INSERT INTO revocation (api_key_id, until) SELECT k.id, now() + interval '1 hour'"
	  "  FROM api_key k JOIN changed ON k.owner_id = changed.uid WHERE k.hash IS NOT NULL)"
	  " DELETE FROM session USING changed WHERE session.owner_id = changed.uid" },

	/* sessions */
	{ "open_session",
	  "INSERT INTO session (owner_id, id, expires_at, ip, user_agent, kind, client_id, client_name, resource,"
	  " issuer, issuer_session)"
	  " SELECT uid, $2, now() + $3 * interval '1 hour', $4, $5, $7, $8, $9, $10, $11, $12 FROM users"
	  " WHERE uid = $1 AND disabled_at IS NULL AND password IS NOT DISTINCT FROM $6 AND admin = $13 FOR SHARE" },
	{ "end_session", "DELETE FROM session WHERE owner_id = $1 AND id = $2" },
	/* With the codes that would still become one. Whoever exchanges one has the row of the user, as our callers have: one
	 * that is locked is being deleted (end_provider_codes). */
	{ "end_sessions",
	  "WITH codes AS (DELETE FROM sign_in_code WHERE owner_id = $1 AND id IN"
	  " (SELECT id FROM sign_in_code WHERE owner_id = $1 AND NOT used FOR UPDATE SKIP LOCKED))"
	  " DELETE FROM session WHERE owner_id = $1 AND id IS DISTINCT FROM $2" },
	{ "fresh_session",
	  "SELECT id FROM session WHERE owner_id = $1 AND id = $2 AND created_at > now() - interval '10 minutes'" },
	{ "touch_session",
	  "UPDATE session SET last_seen_at = now()"
	  " WHERE owner_id = $1 AND id = $2 AND last_seen_at < now() - interval '5 minutes'" },
	{ "list_sessions",
	  "SELECT id, created_at, last_seen_at, expires_at, ip, user_agent, kind, client_name AS program, resource,"
	  " coalesce(id = $2, false) AS current FROM session WHERE owner_id = $1"
	  " AND expires_at > now() AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4" },

	/* what the gateways hear */
	{ "list_revocations",
	  "SELECT id, session_id, api_key_id, ceil(extract(epoch FROM until))::bigint AS until"
	  " FROM revocation WHERE id > $1 AND until > now() ORDER BY id LIMIT $2" },
	{ "beat", "SELECT set_config('synchronous_commit', 'off', true), pg_notify('auth_beat', '')" },
	{ NULL, NULL },
};

/* --- Users ------------------------------------------------------------------------------------------------------- */

void store_read_account(const PGresult *res, struct account *out, struct arena *a)
{
	*out = (struct account){
		.uid = arena_strdup(a, db_text(res, 0, "uid")),
		.email = arena_strdup(a, db_text(res, 0, "email")),
		.display_name = arena_strdup(a, db_text(res, 0, "display_name")),
		.password = arena_strdup(a, db_text(res, 0, "password")),
		.id = db_int(res, 0, "id"),
		.admin = db_int(res, 0, "admin"),
		.disabled = db_int(res, 0, "disabled"),
		.proven = db_int(res, 0, "proven"),
		.preferences = arena_strdup(a, db_text(res, 0, "preferences")),
		.created_at = arena_strdup(a, db_text(res, 0, "created_at")),
		.updated_at = arena_strdup(a, db_text(res, 0, "updated_at")),
	};
}

int store_account(struct db *db, const char *stmt, const char *which, struct account *out, struct arena *a,
                  struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, stmt, DB_ARGS(which), &res, err);

	if (found > 0)
		store_read_account(res, out, a);
	return found;
}

int store_find_account(struct db *db, const char *email, struct account *out, struct arena *a,
                       struct error *err)
{
	return store_account(db, "find_account", email, out, a, err);
}

int store_get_account(struct db *db, const char *owner, struct account *out, struct arena *a,
                      struct error *err)
{
	return store_account(db, "get_account", owner, out, a, err);
}

int store_lock_account(struct db *db, const char *owner, struct account *out, struct arena *a,
                       struct error *err)
{
	return store_account(db, "lock_account", owner, out, a, err);
}

int store_add_account(struct db *db, const char *owner, const char *email, const char *display_name,
                      const char *password, int64_t *id, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "add_account", DB_ARGS(owner, email, display_name, password), &res, err);

	if (found > 0)
		*id = db_int(res, 0, "id");
	return found;
}

int store_set_password(struct db *db, const char *owner, const char *password, struct error *err)
{
	return db_exec(db, "set_password", DB_ARGS(owner, password), NULL, err);
}

int store_change_password(struct db *db, const char *owner, const char *before, const char *password,
                          struct error *err)
{
	return db_changed(db, "change_password", DB_ARGS(owner, before, password), err);
}

int store_set_proven(struct db *db, const char *owner, const char *admin_email, struct error *err)
{
	return db_exec(db, "set_proven", DB_ARGS(owner, admin_email), NULL, err);
}

int store_set_disabled(struct db *db, const char *owner, bool disabled, struct error *err)
{
	return db_changed(db, disabled ? "disable" : "enable", DB_ARGS(owner), err);
}

int store_set_preferences(struct db *db, const char *owner, const char *json, const char *display_name,
                          struct error *err)
{
	return db_exec(db, "set_preferences", DB_ARGS(owner, json, display_name), NULL, err);
}

int store_delete_account(struct db *db, const char *owner, struct error *err)
{
	db->until = 0; /* whether or not somebody waits for it */
	db->patience = DELETE_MS;
	if (db_exec(db, "no_timeout", DB_ARGS(), NULL, err) < 0)
		return -1;
	return db_changed(db, "delete_account", DB_ARGS(owner), err);
}

int store_list_users(struct db *db, const char *cursor, int limit, Auth__AdminUserList *out, struct arena *a,
                     struct error *err)
{
	return db_page(db, "list_users", DB_ARGS(cursor), limit, STORE_PAGE, &out->base, a, err);
}

int store_get_user(struct db *db, const char *owner, Auth__AdminUser *out, struct arena *a, struct error *err)
{
	return db_one(db, "get_user", DB_ARGS(owner), &out->base, a, err);
}

int store_settle_admin(struct db *db, const char *admin_email, bool by_claim, struct error *err)
{
	return db_exec(db, "settle_admin", DB_ARGS(admin_email, by_claim), NULL, err);
}

/* --- Sessions ---------------------------------------------------------------------------------------------------- */

int store_open_session(struct db *db, const char *owner, const struct new_session *s, struct error *err)
{
	return db_changed(db, "open_session",
	                  DB_ARGS(owner, s->id, s->hours, s->ip, s->user_agent, s->password, s->kind,
	                          s->client_id, s->client_name, s->resource, s->issuer, s->issuer_session,
	                          s->admin),
	                  err);
}

int store_end_session(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_changed(db, "end_session", DB_ARGS(owner, id), err);
}

int store_end_sessions(struct db *db, const char *owner, const char *but, struct error *err)
{
	return db_exec(db, "end_sessions", DB_ARGS(owner, but), NULL, err);
}

int store_session_is_fresh(struct db *db, const char *owner, const char *id, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	return db_find(db, "fresh_session", DB_ARGS(owner, id), &res, err);
}

int store_touch_session(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_exec(db, "touch_session", DB_ARGS(owner, id), NULL, err);
}

int store_list_sessions(struct db *db, const char *owner, const char *current, const char *cursor, int limit,
                        Auth__SessionList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list_sessions", DB_ARGS(owner, current, cursor), limit, STORE_PAGE, &out->base, a,
	               err);
}

int store_list_revocations(struct db *db, int64_t after, int limit, Auth__Revocations *out, struct arena *a,
                           struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int count;

	if (db_exec(db, "list_revocations", DB_ARGS(after, limit), &res, err) < 0)
		return -1;
	count = PQntuples(res);
	out->n_revoked = (size_t)count;
	out->revoked = arena_new(a, Auth__Revocation *, (size_t)count);
	for (int i = 0; i < count; i++) {
		Auth__Revocation *one = out->revoked[i] = arena_new(a, Auth__Revocation, 1);

		auth__revocation__init(one);
		one->session_id = arena_strdup(a, db_text(res, i, "session_id"));
		one->api_key_id = db_int(res, i, "api_key_id");
		one->has_api_key_id = one->api_key_id != 0;
		one->until = db_int(res, i, "until");
		one->has_until = 1;
	}
	out->has_next = count == limit;
	out->next = count ? db_int(res, count - 1, "id") : 0;
	return 0;
}

int store_beat(struct db *db, struct error *err)
{
	return db_exec(db, "beat", DB_ARGS(), NULL, err);
}
