#include "svc-auth/store.h"

#include "common/db/throttle.h"
#include "svc-auth/proof.h"
#include "svc-auth/store_account.h"

const struct db_stmt store_proofs_statements[] = {
	{ "lock_code", "SELECT " STORE_ACCOUNT ", c.hash FROM users u JOIN code c ON c.owner_id = u.uid"
	               " WHERE u.email = $1 AND c.expires_at > now() AND c.tries < $2 FOR NO KEY UPDATE" },
	{ "put_code",
	  "INSERT INTO code (owner_id, job_id, hash, expires_at) VALUES ($1, $2, $3, to_timestamp($4))"
	  " ON CONFLICT (owner_id) DO UPDATE SET job_id = $2, hash = $3, tries = 0,"
	  " expires_at = to_timestamp($4) WHERE code.job_id <> $2 AND code.expires_at <= to_timestamp($4)" },
	{ "live_code",
	  "SELECT FROM code WHERE owner_id = $1 AND job_id = $2 AND tries < $3 AND expires_at > now()" },
	{ "miss_code",
	  "UPDATE code SET tries = tries + 1 FROM users u WHERE u.email = $1 AND owner_id = u.uid" },
	{ "drop_code", "UPDATE code SET tries = $2 WHERE owner_id = $1" },

	{ "put_link", "INSERT INTO reset_link (hash, owner_id, expires_at) VALUES ($1, $2, to_timestamp($3))"
	              " ON CONFLICT DO NOTHING" },
	{ "find_link", "SELECT " STORE_ACCOUNT " FROM users u JOIN reset_link l ON l.owner_id = u.uid"
	               " WHERE l.hash = $1 AND l.expires_at > now()" },
	{ "lock_link", "SELECT " STORE_ACCOUNT " FROM users u JOIN reset_link l ON l.owner_id = u.uid"
	               " WHERE l.hash = $1 AND l.expires_at > now() FOR NO KEY UPDATE" },
	{ "drop_links", "DELETE FROM reset_link WHERE owner_id = $1" },

	{ "put_confirm",
	  "INSERT INTO confirm_link (hash, owner_id, expires_at) VALUES ($1, $2, to_timestamp($3))"
	  " ON CONFLICT DO NOTHING" },
	{ "find_confirm", "SELECT " STORE_ACCOUNT " FROM users u JOIN confirm_link l ON l.owner_id = u.uid"
	                  " WHERE l.hash = $1 AND l.expires_at > now()" },
	{ "lock_confirm", "SELECT " STORE_ACCOUNT " FROM users u JOIN confirm_link l ON l.owner_id = u.uid"
	                  " WHERE l.hash = $1 AND l.expires_at > now() FOR NO KEY UPDATE" },
	{ "drop_confirms", "DELETE FROM confirm_link WHERE owner_id = $1" },

	{ "audit", "INSERT INTO audit (event, owner_id, actor_id, ip, user_agent, request_id, detail)"
	           " VALUES ($1, $2, $3, $4, $5, $6, $7)" },

	/* what is swept away */
	{ "sweep_sessions", "DELETE FROM session WHERE expires_at < now()" },
	{ "sweep_revocations", "DELETE FROM revocation WHERE until < now()" },
	{ "sweep_codes", "DELETE FROM code WHERE expires_at < now()" },
	{ "sweep_links", "DELETE FROM reset_link WHERE expires_at < now()" },
	{ "sweep_keys", "DELETE FROM api_key WHERE expires_at < now() - interval '30 days'" },
	{ "sweep_confirms", "DELETE FROM confirm_link WHERE expires_at < now()" },
	{ "sweep_audit", "DELETE FROM audit WHERE at < now() - interval '1 year'" },
	{ NULL, NULL },
};

/* --- Codes and links --------------------------------------------------------------------------------------------- */

int store_lock_code(struct db *db, const char *email, struct stored_code *out, struct arena *a,
                    struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "lock_code", DB_ARGS(email, PROOF_TRIES), &res, err);

	if (found <= 0)
		return found;
	store_read_account(res, &out->account, a);
	out->hash = arena_strdup(a, db_text(res, 0, "hash"));
	return 1;
}

int store_put_code(struct db *db, const char *owner, const char *job_id, const char *hash, int64_t expires,
                   struct error *err)
{
	if (db_exec(db, "put_code", DB_ARGS(owner, job_id, hash, expires), NULL, err) < 0)
		return -1;
	return db_changed(db, "live_code", DB_ARGS(owner, job_id, PROOF_TRIES), err);
}

int store_miss_code(struct db *db, const char *email, struct error *err)
{
	return db_exec(db, "miss_code", DB_ARGS(email), NULL, err);
}

int store_drop_code(struct db *db, const char *owner, struct error *err)
{
	return db_exec(db, "drop_code", DB_ARGS(owner, PROOF_TRIES), NULL, err);
}

int store_put_link(struct db *db, const char *owner, const char *hash, int64_t expires, struct error *err)
{
	return db_exec(db, "put_link", DB_ARGS(hash, owner, expires), NULL, err);
}

int store_find_link(struct db *db, const char *hash, struct account *out, struct arena *a, struct error *err)
{
	return store_account(db, "find_link", hash, out, a, err);
}

int store_lock_link(struct db *db, const char *hash, struct account *out, struct arena *a, struct error *err)
{
	return store_account(db, "lock_link", hash, out, a, err);
}

int store_drop_links(struct db *db, const char *owner, struct error *err)
{
	return db_exec(db, "drop_links", DB_ARGS(owner), NULL, err);
}

int store_put_confirm(struct db *db, const char *owner, const char *hash, int64_t expires, struct error *err)
{
	return db_exec(db, "put_confirm", DB_ARGS(hash, owner, expires), NULL, err);
}

int store_find_confirm(struct db *db, const char *hash, struct account *out, struct arena *a,
                       struct error *err)
{
	return store_account(db, "find_confirm", hash, out, a, err);
}

int store_lock_confirm(struct db *db, const char *hash, struct account *out, struct arena *a,
                       struct error *err)
{
	return store_account(db, "lock_confirm", hash, out, a, err);
}

int store_drop_confirms(struct db *db, const char *owner, struct error *err)
{
	return db_exec(db, "drop_confirms", DB_ARGS(owner), NULL, err);
}

/* --- Audit, and the broom ---------------------------------------------------------------------------------------- */

int store_audit(struct db *db, const struct audit_row *row, struct error *err)
{
	return db_exec(db, "audit",
	               DB_ARGS(row->event, row->owner, row->actor, row->ip, row->user_agent, row->request_id,
	                       row->detail),
	               NULL, err);
}

int store_sweep(struct db *db, struct error *err)
{
	static const char *const sweeps[] = { "sweep_sessions", "sweep_revocations", "sweep_codes",
		                              "sweep_links",    "sweep_keys",        "sweep_confirms",
		                              "sweep_audit" };

	for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
		if (db_exec(db, sweeps[i], DB_ARGS(), NULL, err) < 0)
			return -1;
	return throttle_sweep(db, err);
}
