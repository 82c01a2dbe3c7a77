#include "svc-auth/store.h"

#include "common/db/quota.h"

/* A platform key shows its prefix, a provider's key its masked value. */
#define API_KEY                                                                               \
	"id, name, prefix, scopes, created_at, last_used_at, expires_at, provider, base_url," \
	" CASE WHEN provider IS NOT NULL THEN masked END AS value"

const struct db_stmt store_keys_statements[] = {
	{ "add_key",
	  "INSERT INTO api_key (owner_id, name, masked, expires_at, hash, prefix, scopes, provider, sealed,"
	  " base_url) SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10"
	  " WHERE ($4::timestamptz IS NULL OR $4 > now())"
	  " AND (SELECT count(*) FROM api_key WHERE owner_id = $1::uuid) < $11 RETURNING " API_KEY },
	{ "key_outlives",
	  "SELECT FROM api_key WHERE owner_id = $1 AND id = $2::bigint AND expires_at IS NOT NULL"
	  " AND ($3::timestamptz IS NULL OR $3 > expires_at)" },
	{ "count_keys", "SELECT count(*) AS count FROM api_key WHERE owner_id = $1" },
	{ "list_keys",
	  "SELECT " API_KEY " FROM api_key WHERE owner_id = $1 AND ($2::bigint IS NULL OR id < $2)"
	  " ORDER BY id DESC LIMIT $3" },
	{ "delete_key", "DELETE FROM api_key WHERE owner_id = $1 AND id = $2" },
	{ "delete_keys", "DELETE FROM api_key WHERE owner_id = $1" },
	{ "delete_keys_named", "DELETE FROM api_key WHERE owner_id = $1 AND name = $2 AND hash IS NOT NULL" },
	{ "masked_key", "SELECT masked FROM api_key WHERE owner_id = $1 AND name = $2 AND hash IS NOT NULL"
	                " AND (expires_at IS NULL OR expires_at > now()) ORDER BY id DESC LIMIT 1" },
	{ "revoke_keys", "INSERT INTO revocation (api_key_id, until) SELECT id, now() + interval '1 hour'"
	                 " FROM api_key WHERE owner_id = $1 AND hash IS NOT NULL" },
	/* the use is noted once a minute */
	{ "resolve_key",
	  "WITH found AS (SELECT k.owner_id, k.id, k.scopes, k.expires_at, k.last_used_at, u.id AS user_number, u.admin"
	  "  FROM api_key k JOIN users u ON u.uid = k.owner_id WHERE k.hash = $1 AND u.disabled_at IS NULL"
	  "  AND (k.expires_at IS NULL OR k.expires_at > now())),"
	  " used AS (UPDATE api_key k SET last_used_at = now() FROM found WHERE k.owner_id = found.owner_id"
	  "  AND k.id = found.id AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'))"
	  " SELECT id, owner_id AS user_id, user_number, scopes, admin,"
	  " floor(extract(epoch FROM expires_at))::bigint AS expires FROM found" },
	{ "provider_key",
	  "WITH found AS (SELECT owner_id, id, provider, sealed, base_url FROM api_key WHERE owner_id = $1"
	  "  AND provider IS NOT NULL AND ($2::text IS NULL OR provider = $2)"
	  "  AND (expires_at IS NULL OR expires_at > now()) ORDER BY id DESC LIMIT 1),"
	  " used AS (UPDATE api_key k SET last_used_at = now() FROM found WHERE k.owner_id = found.owner_id"
	  "  AND k.id = found.id AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'))"
	  " SELECT provider, sealed AS key, base_url FROM found" },

	{ "list_keyring",
	  "SELECT id, sealed, floor(extract(epoch FROM signs_from))::bigint AS signs_from FROM keyring"
	  " WHERE purpose = $1 ORDER BY keyring.signs_from DESC" },
	{ "add_keyring", "INSERT INTO keyring (purpose, id, sealed, signs_from)"
	                 " VALUES ($1, $2, $3, now() + $4 * interval '1 second')" },
	{ "tell_keyring", "SELECT pg_notify('auth_keys', '')" },
	{ "retire_keyring", "DELETE FROM keyring k WHERE purpose = $1 AND EXISTS (SELECT FROM keyring n"
	                    " WHERE n.purpose = k.purpose AND n.signs_from > k.signs_from"
	                    " AND n.signs_from < now() - $2 * interval '1 second')" },
	{ "lock_keyring", "SELECT pg_advisory_xact_lock(3107, 2)" },
	{ NULL, NULL },
};

/* --- API keys ---------------------------------------------------------------------------------------------------- */

int store_add_key(struct db *db, const char *owner, const struct new_key *key, int64_t most,
                  Auth__ApiKey *out, struct arena *a, struct error *err)
{
	char *scopes = db_text_array(key->scopes, key->scope_count, a);
	OWN(pgresult) PGresult *res = NULL;
	int added = quota_add(db, owner, "add_key",
	                      DB_ARGS(owner, key->name, key->masked, key->expires_at, key->hash, key->prefix,
	                              scopes, key->provider, key->sealed, key->base_url, most),
	                      &res, err);

	return added <= 0 ? added : db_row(res, 0, &out->base, a, err) < 0 ? -1 : 1;
}

int store_key_outlives(struct db *db, const char *owner, const char *by, const char *expires_at,
                       struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	return db_find(db, "key_outlives", DB_ARGS(owner, by, expires_at), &res, err);
}

int store_count_keys(struct db *db, const char *owner, int64_t *ret, struct error *err)
{
	return db_number(db, "count_keys", DB_ARGS(owner), ret, err);
}

int store_list_keys(struct db *db, const char *owner, const char *cursor, int limit, Auth__ApiKeyList *out,
                    struct arena *a, struct error *err)
{
	return db_page(db, "list_keys", DB_ARGS(owner, cursor), limit, STORE_PAGE, &out->base, a, err);
}

int store_delete_key(struct db *db, const char *owner, int64_t id, struct error *err)
{
	return db_changed(db, "delete_key", DB_ARGS(owner, id), err);
}

int store_delete_keys(struct db *db, const char *owner, struct error *err)
{
	return db_exec(db, "delete_keys", DB_ARGS(owner), NULL, err);
}

int store_delete_keys_named(struct db *db, const char *owner, const char *name, struct error *err)
{
	return db_exec(db, "delete_keys_named", DB_ARGS(owner, name), NULL, err);
}

int store_masked_key(struct db *db, const char *owner, const char *name, const char **ret, struct arena *a,
                     struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "masked_key", DB_ARGS(owner, name), &res, err);

	if (found > 0)
		*ret = arena_strdup(a, db_text(res, 0, "masked"));
	return found;
}

int store_revoke_keys(struct db *db, const char *owner, struct error *err)
{
	return db_exec(db, "revoke_keys", DB_ARGS(owner), NULL, err);
}

int store_resolve_key(struct db *db, const char *hash, Auth__ResolvedKey *out, struct arena *a,
                      struct error *err)
{
	return db_one(db, "resolve_key", DB_ARGS(hash), &out->base, a, err);
}

int store_provider_key(struct db *db, const char *owner, const char *provider, Auth__ProviderKey *out,
                       struct arena *a, struct error *err)
{
	return db_one(db, "provider_key", DB_ARGS(owner, provider), &out->base, a, err);
}

/* --- The keyring ------------------------------------------------------------------------------------------------- */

int store_list_keyring(struct db *db, const char *purpose, struct stored_key **ret, size_t *count,
                       struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "list_keyring", DB_ARGS(purpose), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct stored_key, *count);
	for (size_t i = 0; i < *count; i++) {
		(*ret)[i] = (struct stored_key){
			.purpose = purpose,
			.id = arena_strdup(a, db_text(res, (int)i, "id")),
			.sealed = arena_strdup(a, db_text(res, (int)i, "sealed")),
			.signs_from = db_int(res, (int)i, "signs_from"),
		};
	}
	return 0;
}

int store_add_keyring(struct db *db, const char *purpose, const char *id, const char *sealed, int seconds,
                      struct error *err)
{
	if (db_exec(db, "add_keyring", DB_ARGS(purpose, id, sealed, seconds), NULL, err) < 0)
		return -1;
	return db_exec(db, "tell_keyring", DB_ARGS(), NULL, err);
}

int store_retire_keyring(struct db *db, const char *purpose, int64_t seconds, struct error *err)
{
	return db_exec(db, "retire_keyring", DB_ARGS(purpose, seconds), NULL, err);
}

int store_lock_keyring(struct db *db, struct error *err)
{
	return db_exec(db, "lock_keyring", DB_ARGS(), NULL, err);
}
