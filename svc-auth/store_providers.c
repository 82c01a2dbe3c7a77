#include "svc-auth/store_providers.h"

#include "svc-auth/store_account.h"

const struct db_stmt store_providers_statements[] = {
	{ "put_flow",
	  "INSERT INTO oidc_flow (state, browser, provider, next, app_state, challenge, expires_at)"
	  " VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')" },
	{ "take_flow",
	  "DELETE FROM oidc_flow WHERE state = $1 AND browser = $2 AND provider = $3 AND expires_at > now()"
	  " RETURNING next, app_state, challenge" },
	{ "find_identity", "SELECT " STORE_ACCOUNT " FROM users u JOIN identity i ON i.owner_id = u.uid"
	                   " WHERE i.issuer = $1 AND i.subject = $2 FOR NO KEY UPDATE OF u" },
	{ "seen_identity", "UPDATE identity SET last_seen_at = now() WHERE issuer = $1 AND subject = $2" },
	{ "add_identity",
	  "INSERT INTO identity (owner_id, issuer, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING" },
	{ "list_identities", "SELECT issuer, subject FROM identity WHERE owner_id = $1 ORDER BY issuer" },
	{ "drop_identity", "DELETE FROM identity WHERE owner_id = $1 AND issuer = $2" },
	{ "set_admin_by_claim",
	  "UPDATE users SET admin_by_claim = $2, admin = $2 OR (email = $3 AND proven_at IS NOT NULL)"
	  " WHERE uid = $1 AND (admin_by_claim <> $2 OR admin <> ($2 OR (email = $3 AND proven_at IS NOT NULL)))" },
	{ "end_provider_codes",
	  "DELETE FROM sign_in_code WHERE issuer = $2 AND ($1::uuid IS NULL OR owner_id = $1)"
	  " AND ($3::text IS NULL OR issuer_session = $3) AND NOT used" },
	{ "end_provider_sessions",
	  "DELETE FROM session WHERE issuer = $2 AND ($1::uuid IS NULL OR owner_id = $1)"
	  " AND ($3::text IS NULL OR issuer_session = $3)" },
	{ "sweep_flows", "DELETE FROM oidc_flow WHERE expires_at < now()" },
	{ NULL, NULL },
};

int store_put_flow(struct db *db, const struct oidc_flow *f, int seconds, struct error *err)
{
	return db_exec(
	    db, "put_flow",
	    DB_ARGS(f->state, f->browser, f->provider, f->next, f->app_state, f->challenge, seconds), NULL,
	    err);
}

int store_take_flow(struct db *db, const char *state, const char *browser, const char *provider,
                    struct oidc_flow *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "take_flow", DB_ARGS(state, browser, provider), &res, err);

	if (found > 0)
		*out = (struct oidc_flow){ .state = state,
			                   .browser = browser,
			                   .provider = provider,
			                   .next = arena_strdup(a, db_text(res, 0, "next")),
			                   .app_state = arena_strdup(a, db_text(res, 0, "app_state")),
			                   .challenge = arena_strdup(a, db_text(res, 0, "challenge")) };
	return found;
}

int store_find_identity(struct db *db, const char *issuer, const char *subject, struct account *out,
                        struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "find_identity", DB_ARGS(issuer, subject), &res, err);

	if (found <= 0)
		return found;
	store_read_account(res, out, a);
	return db_exec(db, "seen_identity", DB_ARGS(issuer, subject), NULL, err) < 0 ? -1 : 1;
}

int store_add_identity(struct db *db, const char *owner, const char *issuer, const char *subject,
                       struct error *err)
{
	return db_changed(db, "add_identity", DB_ARGS(owner, issuer, subject), err);
}

int store_print_identities(struct db *db, const char *owner, FILE *to, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "list_identities", DB_ARGS(owner), &res, err) < 0)
		return -1;
	for (int i = 0; i < PQntuples(res); i++)
		fprintf(to, "%s\t%s\n", db_text(res, i, "issuer"), db_text(res, i, "subject"));
	return 0;
}

int store_drop_identity(struct db *db, const char *owner, const char *issuer, struct error *err)
{
	return db_changed(db, "drop_identity", DB_ARGS(owner, issuer), err);
}

int store_set_admin_by_claim(struct db *db, const char *owner, bool admin, const char *admin_email,
                             struct error *err)
{
	return db_changed(db, "set_admin_by_claim", DB_ARGS(owner, admin, admin_email), err);
}

int store_end_provider_sessions(struct db *db, const char *owner, const char *issuer, const char *session,
                                int64_t *ended, struct error *err)
{
	/* The codes first: one that is exchanged just now is waited for, and its session seen then. */
	if (db_exec(db, "end_provider_codes", DB_ARGS(owner, issuer, session), NULL, err) < 0)
		return -1;
	return db_change(db, "end_provider_sessions", DB_ARGS(owner, issuer, session), ended, err);
}

int store_sweep_flows(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_flows", DB_ARGS(), NULL, err);
}
