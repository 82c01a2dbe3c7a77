#include "svc-auth/store_programs.h"

#include "svc-auth/store_account.h"

const struct db_stmt store_programs_statements[] = {
	{ "find_session", "SELECT " STORE_ACCOUNT " FROM users u JOIN session s ON s.owner_id = u.uid"
	                  " WHERE s.owner_id = $1 AND s.id = $2 AND s.kind = $3 AND s.expires_at > now()"
	                  " AND u.disabled_at IS NULL" },
	{ "session_issuer", "SELECT issuer FROM session WHERE owner_id = $1 AND id = $2" },
	{ "put_sign_in_code",
	  "INSERT INTO sign_in_code (owner_id, id, kind, client_id, client_name, redirect_uri, challenge, resource,"
	  " issuer, issuer_session, expires_at)"
	  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + $11 * interval '1 second')" },
	{ "take_sign_in_code",
	  "UPDATE sign_in_code SET used = true WHERE owner_id = $1 AND id = $2 AND NOT used AND expires_at > now()"
	  " RETURNING id, kind, client_id, client_name, redirect_uri, challenge, resource, issuer, issuer_session" },
	{ "renew_program",
	  "UPDATE session SET refresh_number = refresh_number + 1, last_seen_at = now(),"
	  " expires_at = now() + $6 * interval '1 day'"
	  " WHERE owner_id = $1 AND id = $2 AND kind = 'program' AND client_id = $3 AND refresh_number = $4"
	  " AND ($5::text IS NULL OR resource = $5) AND expires_at > now() RETURNING resource" },
	{ "end_reused",
	  "DELETE FROM session WHERE owner_id = $1 AND id = $2 AND kind = 'program' AND client_id = $3"
	  " AND refresh_number > $4" },
	{ "end_program", "DELETE FROM session WHERE owner_id = $1 AND id = $2 AND kind = 'program'"
	                 " AND ($3::text IS NULL OR client_id = $3)" },
	/* A used one is kept as long as what came of it may live: to know it when it comes again. */
	{ "sweep_sign_in_codes", "DELETE FROM sign_in_code WHERE expires_at < now() - interval '1 day'" },
	{ NULL, NULL },
};

int store_find_session(struct db *db, const char *owner, const char *id, const char *kind,
                       struct account *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "find_session", DB_ARGS(owner, id, kind), &res, err);

	if (found > 0)
		store_read_account(res, out, a);
	return found;
}

int store_session_issuer(struct db *db, const char *owner, const char *id, const char **issuer,
                         struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "session_issuer", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		*issuer = arena_strdup(a, db_text(res, 0, "issuer"));
	return found;
}

int store_put_sign_in_code(struct db *db, const char *owner, const struct sign_in_code *c, int seconds,
                           struct error *err)
{
	return db_exec(db, "put_sign_in_code",
	               DB_ARGS(owner, c->id, c->kind, c->client_id, c->client_name, c->redirect_uri,
	                       c->challenge, c->resource, c->issuer, c->issuer_session, seconds),
	               NULL, err);
}

int store_take_sign_in_code(struct db *db, const char *owner, const char *id, struct sign_in_code *out,
                            struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "take_sign_in_code", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		*out = (struct sign_in_code){
			.id = arena_strdup(a, db_text(res, 0, "id")),
			.kind = arena_strdup(a, db_text(res, 0, "kind")),
			.client_id = arena_strdup(a, db_text(res, 0, "client_id")),
			.client_name = arena_strdup(a, db_text(res, 0, "client_name")),
			.redirect_uri = arena_strdup(a, db_text(res, 0, "redirect_uri")),
			.challenge = arena_strdup(a, db_text(res, 0, "challenge")),
			.resource = arena_strdup(a, db_text(res, 0, "resource")),
			.issuer = arena_strdup(a, db_text(res, 0, "issuer")),
			.issuer_session = arena_strdup(a, db_text(res, 0, "issuer_session")),
		};
	return found;
}

int store_end_reused(struct db *db, const char *owner, const char *id, const char *client_id, int64_t number,
                     struct error *err)
{
	return db_changed(db, "end_reused", DB_ARGS(owner, id, client_id, number), err);
}

int store_renew_program(struct db *db, const char *owner, const char *id, const char *client_id,
                        int64_t number, const char *asked, int days, const char **resource, struct arena *a,
                        struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found =
	    db_find(db, "renew_program", DB_ARGS(owner, id, client_id, number, asked, days), &res, err);

	if (found > 0)
		*resource = arena_strdup(a, db_text(res, 0, "resource"));
	return found;
}

int store_end_program(struct db *db, const char *owner, const char *id, const char *client_id,
                      struct error *err)
{
	return db_changed(db, "end_program", DB_ARGS(owner, id, client_id), err);
}

int store_sweep_programs(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_sign_in_codes", DB_ARGS(), NULL, err);
}
