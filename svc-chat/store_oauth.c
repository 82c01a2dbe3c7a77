#include "svc-chat/store_oauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN                                                                                                    \
	"server_id, provider, issuer, document, client_id, method, scope, resource, secrets, refreshes, valid, " \
	"version"

const struct db_stmt store_oauth_statements[] = {
	{ "get_oauth_client", "SELECT client_id, secret, method, expires_at FROM oauth_client"
	                      " WHERE issuer = $1 AND redirect_uri = $2" },
	{ "keep_oauth_client",
	  "INSERT INTO oauth_client (issuer, redirect_uri, client_id, secret, method, expires_at)"
	  " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, redirect_uri) DO UPDATE SET"
	  " client_id = EXCLUDED.client_id, secret = EXCLUDED.secret, method = EXCLUDED.method,"
	  " expires_at = EXCLUDED.expires_at, registered_at = now()" },
	{ "forget_oauth_client", "DELETE FROM oauth_client WHERE issuer = $1 AND client_id = $2" },

	{ "clean_flows",
	  "DELETE FROM oauth_flow WHERE owner_id = $1 AND (expires_at < now() OR state IN"
	  " (SELECT state FROM oauth_flow WHERE owner_id = $1 ORDER BY expires_at DESC OFFSET $2))" },
	{ "add_flow",
	  "INSERT INTO oauth_flow (owner_id, state, server_id, uri, provider, issuer, document, client_id, method,"
	  " scope, resource, redirect_uri, secrets, cookie, expires_at)"
	  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now() + $15::bigint * interval '1 s')" },
	{ "get_flow",
	  "SELECT f.server_id, s.name AS server_name, f.uri, f.provider, f.issuer, f.document, f.client_id,"
	  " f.method, f.scope, f.resource, f.redirect_uri, f.secrets, f.cookie"
	  " FROM oauth_flow f JOIN mcp_server s ON s.owner_id = $1 AND s.id = f.server_id"
	  " WHERE f.owner_id = $1 AND f.state = $2 AND f.expires_at > now()" },
	{ "take_flow", "DELETE FROM oauth_flow WHERE owner_id = $1 AND state = $2 AND expires_at > now()" },
	{ "drop_flows", "DELETE FROM oauth_flow WHERE owner_id = $1 AND server_id = $2" },

	{ "get_token", "SELECT " TOKEN ", coalesce(expires_at <= now(), false) AS over,"
	               " coalesce(expires_at - least(interval '60 s', (expires_at - issued_at) / 4) <= now(),"
	               " false) AS due FROM oauth_token WHERE owner_id = $1 AND server_id = $2" },
	{ "put_token",
	  "INSERT INTO oauth_token (owner_id, server_id, provider, issuer, document, client_id, method, scope,"
	  " resource, secrets, refreshes, issued_at, expires_at)"
	  " SELECT $1::uuid, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(),"
	  " now() + $12::bigint * interval '1 s'"
	  " FROM mcp_server WHERE owner_id = $1 AND id = $2 AND uri = $13"
	  " ON CONFLICT (owner_id, server_id) DO UPDATE SET provider = EXCLUDED.provider,"
	  " issuer = EXCLUDED.issuer, document = EXCLUDED.document, client_id = EXCLUDED.client_id,"
	  " method = EXCLUDED.method, scope = EXCLUDED.scope, resource = EXCLUDED.resource,"
	  " secrets = EXCLUDED.secrets, refreshes = EXCLUDED.refreshes, issued_at = EXCLUDED.issued_at,"
	  " expires_at = EXCLUDED.expires_at, valid = true, version = oauth_token.version + 1, refreshing_until = NULL" },
	{ "ask_anew", "UPDATE mcp_server SET status = 'new', status_detail = NULL, asked_at = NULL"
	              " WHERE owner_id = $1 AND id = $2" },
	{ "lock_token",
	  "UPDATE oauth_token SET refreshing_until = now() + $4::bigint * interval '1 s' WHERE owner_id = $1"
	  " AND server_id = $2 AND version = $3 AND valid"
	  " AND (refreshing_until IS NULL OR refreshing_until < now())" },
	{ "refresh_token", "UPDATE oauth_token SET secrets = $4, scope = $5, issued_at = now(),"
	                   " expires_at = now() + $6::bigint * interval '1 s', valid = true,"
	                   " version = version + 1, refreshing_until = NULL"
	                   " WHERE owner_id = $1 AND server_id = $2 AND version = $3" },
	{ "unlock_token", "UPDATE oauth_token SET refreshing_until = NULL, valid = $4"
	                  " WHERE owner_id = $1 AND server_id = $2 AND version = $3" },
	{ "drop_token", "DELETE FROM oauth_token WHERE owner_id = $1 AND server_id = $2 RETURNING " TOKEN
	                ", false AS over, false AS due" },
	{ "drop_all_flows", "DELETE FROM oauth_flow WHERE owner_id = $1" },
	{ "drop_all_tokens",
	  "DELETE FROM oauth_token WHERE owner_id = $1 RETURNING " TOKEN ", false AS over, false AS due" },
	{ "oauth_status",
	  "SELECT s.id AS server_id, s.name AS server_name,"
	  " coalesce(t.provider, substring(s.uri FROM '^[^:]+://([^/:?#]+)'), '') AS provider,"
	  " coalesce(t.valid AND (t.refreshes OR t.expires_at IS NULL OR t.expires_at > now()), false) AS is_valid,"
	  " t.expires_at, t.scope FROM mcp_server s LEFT JOIN oauth_token t ON t.owner_id = $1"
	  " AND t.server_id = s.id WHERE s.owner_id = $1 AND (t.server_id IS NOT NULL OR s.status = 'needs_auth')"
	  " ORDER BY s.id DESC LIMIT 1000" },
	{ NULL, NULL },
};

static const char *cell(const PGresult *res, const char *column, struct arena *a)
{
	return arena_strdup(a, db_text(res, 0, column));
}

/* --- Clients ----------------------------------------------------------------------------------------------------------- */

int store_oauth_client(struct db *db, const char *issuer, const char *redirect_uri,
                       struct oauth_client_row *ret, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_oauth_client", DB_ARGS(issuer, redirect_uri), &res, err);

	if (found > 0)
		*ret = (struct oauth_client_row){ .id = cell(res, "client_id", a),
			                          .secret = cell(res, "secret", a),
			                          .method = (int)db_int(res, 0, "method"),
			                          .expires_at = db_int(res, 0, "expires_at") };
	return found;
}

int store_keep_oauth_client(struct db *db, const char *issuer, const char *redirect_uri,
                            const struct oauth_client_row *row, struct error *err)
{
	return db_exec(db, "keep_oauth_client",
	               DB_ARGS(issuer, redirect_uri, row->id, row->secret, row->method, row->expires_at),
	               NULL, err);
}

int store_forget_oauth_client(struct db *db, const char *issuer, const char *id, struct error *err)
{
	return db_exec(db, "forget_oauth_client", DB_ARGS(issuer, id), NULL, err);
}

/* --- Sign-ins ------------------------------------------------------------------------------------------------------------ */

int store_add_flow(struct db *db, const char *owner, const struct oauth_flow_row *row, struct error *err)
{
	struct db_step steps[] = {
		{ "clean_flows", DB_ARGS(owner, STORE_FLOWS - 1) },
		{ "add_flow", DB_ARGS(owner, row->state, row->server_id, row->uri, row->provider, row->issuer,
		                      row->document, row->client_id, row->method, row->scope, row->resource,
		                      row->redirect_uri, row->secrets, row->cookie, STORE_FLOW_SECONDS) },
	};
	int done = db_together(db, steps, 2, err);

	db_steps_done(steps, 2);
	return done;
}

int store_get_flow(struct db *db, const char *owner, const char *state, struct oauth_flow_row *ret,
                   struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_flow", DB_ARGS(owner, state), &res, err);

	if (found > 0)
		*ret = (struct oauth_flow_row){ .state = state,
			                        .server_id = db_int(res, 0, "server_id"),
			                        .server_name = cell(res, "server_name", a),
			                        .uri = cell(res, "uri", a),
			                        .provider = cell(res, "provider", a),
			                        .issuer = cell(res, "issuer", a),
			                        .document = cell(res, "document", a),
			                        .client_id = cell(res, "client_id", a),
			                        .method = (int)db_int(res, 0, "method"),
			                        .scope = cell(res, "scope", a),
			                        .resource = cell(res, "resource", a),
			                        .redirect_uri = cell(res, "redirect_uri", a),
			                        .secrets = cell(res, "secrets", a),
			                        .cookie = cell(res, "cookie", a) };
	return found;
}

int store_take_flow(struct db *db, const char *owner, const char *state, struct error *err)
{
	return db_changed(db, "take_flow", DB_ARGS(owner, state), err);
}

/* --- Tokens ---------------------------------------------------------------------------------------------------------------- */

enum { SECONDS = 24 };

/* NULL where it is not known. */
static const char *seconds(const struct oauth_token_row *row, char text[SECONDS])
{
	snprintf(text, SECONDS, "%lld", (long long)row->lifetime);
	return row->lifetime > 0 ? text : NULL;
}

static const char *text_of(const PGresult *res, int row, const char *column, struct arena *a)
{
	return arena_strdup(a, db_text(res, row, column));
}

static bool is_true(const PGresult *res, int row, const char *column)
{
	return db_text(res, row, column)[0] == 't';
}

static void read_token(const PGresult *res, int row, struct oauth_token_row *ret, struct arena *a)
{
	*ret = (struct oauth_token_row){
		.server_id = db_int(res, row, "server_id"),
		.provider = text_of(res, row, "provider", a),
		.issuer = text_of(res, row, "issuer", a),
		.document = text_of(res, row, "document", a),
		.client_id = text_of(res, row, "client_id", a),
		.method = (int)db_int(res, row, "method"),
		.scope = text_of(res, row, "scope", a),
		.resource = text_of(res, row, "resource", a),
		.secrets = text_of(res, row, "secrets", a),
		.refreshes = is_true(res, row, "refreshes"),
		.valid = is_true(res, row, "valid"),
		.version = db_int(res, row, "version"),
		.due = is_true(res, row, "due"),
		.over = is_true(res, row, "over"),
	};
}

int store_get_token(struct db *db, const char *owner, int64_t server, struct oauth_token_row *ret,
                    struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_token", DB_ARGS(owner, server), &res, err);

	if (found > 0)
		read_token(res, 0, ret, a);
	return found;
}

int store_put_token(struct db *db, const char *owner, const struct oauth_token_row *row, const char *uri,
                    struct error *err)
{
	char lifetime[SECONDS];
	struct db_step steps[] = {
		{ "put_token", DB_ARGS(owner, row->server_id, row->provider, row->issuer, row->document,
		                       row->client_id, row->method, row->scope, row->resource, row->secrets,
		                       row->refreshes, seconds(row, lifetime), uri) },
		{ "ask_anew", DB_ARGS(owner, row->server_id) },
	};
	int done = db_together(db, steps, 2, err);

	if (done == 0)
		done = db_affected(steps[0].res) > 0;
	db_steps_done(steps, 2);
	return done;
}

int store_lock_token(struct db *db, const char *owner, int64_t server, int64_t version, int seconds,
                     struct error *err)
{
	return db_changed(db, "lock_token", DB_ARGS(owner, server, version, seconds), err);
}

int store_refresh_token(struct db *db, const char *owner, const struct oauth_token_row *row,
                        struct error *err)
{
	char lifetime[SECONDS];

	return db_changed(
	    db, "refresh_token",
	    DB_ARGS(owner, row->server_id, row->version, row->secrets, row->scope, seconds(row, lifetime)),
	    err);
}

int store_unlock_token(struct db *db, const char *owner, int64_t server, int64_t version, bool valid,
                       struct error *err)
{
	return db_changed(db, "unlock_token", DB_ARGS(owner, server, version, valid), err);
}

int store_drop_token(struct db *db, const char *owner, int64_t server, struct oauth_token_row *ret,
                     struct arena *a, struct error *err)
{
	struct db_step steps[] = {
		{ "drop_flows", DB_ARGS(owner, server) },
		{ "drop_token", DB_ARGS(owner, server) },
	};
	int done = db_together(db, steps, 2, err), found = 0;

	if (done == 0 && PQntuples(steps[1].res) > 0) {
		read_token(steps[1].res, 0, ret, a);
		found = 1;
	}
	db_steps_done(steps, 2);
	return done < 0 ? -1 : found;
}

int store_drop_tokens(struct db *db, const char *owner, struct oauth_token_row **ret, size_t *count,
                      struct arena *a, struct error *err)
{
	struct db_step steps[] = { { "drop_all_flows", DB_ARGS(owner) },
		                   { "drop_all_tokens", DB_ARGS(owner) } };
	int done = db_together(db, steps, 2, err);

	*count = done == 0 ? (size_t)PQntuples(steps[1].res) : 0;
	*ret = arena_new(a, struct oauth_token_row, *count);
	for (size_t i = 0; i < *count; i++)
		read_token(steps[1].res, (int)i, &(*ret)[i], a);
	db_steps_done(steps, 2);
	return done;
}

int store_ask_server_anew(struct db *db, const char *owner, int64_t server, struct error *err)
{
	return db_exec(db, "ask_anew", DB_ARGS(owner, server), NULL, err);
}

int store_oauth_status(struct db *db, const char *owner, Chat__OauthStatusList *ret, struct arena *a,
                       struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "oauth_status", DB_ARGS(owner), &res, err) < 0)
		return -1;
	return db_rows(res, &chat__oauth_status__descriptor, &ret->n_servers, &ret->servers, a, err);
}
