#include "svc-chat/store_servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/db/quota.h"
#include "svc-chat/store_sql.h"

#define SERVER_WITH(tools)                                                                                         \
	"SELECT id, name, description, type, uri, transport, headers, status, status_detail, sessions, " tools     \
	" AS tools, tools_count, coalesce(extract(epoch FROM now() - asked_at)::bigint, -1) AS age,"               \
	" fresh_seconds, EXISTS (SELECT FROM oauth_token t WHERE t.owner_id = $1 AND t.server_id = mcp_server.id)" \
	" AS signed_in, " STORE_TIME("created_at") " AS created_at FROM mcp_server"
#define SERVER SERVER_WITH("tools")
#define PAGE " WHERE owner_id = $1 AND ($2::bigint = 0 OR id < $2) ORDER BY id DESC LIMIT $3"

const struct db_stmt store_servers_statements[] = {
	{ "list_servers", SERVER_WITH("'[]'") PAGE },
	{ "list_servers_with_tools", SERVER PAGE },
	{ "get_server", SERVER " WHERE owner_id = $1 AND id = $2" },
	{ "add_server", "INSERT INTO mcp_server (owner_id, name, description, type, uri, transport, headers)"
	                " SELECT $1::uuid, $2, $3, $4, $5, $6, $7"
	                " WHERE (SELECT count(*) FROM mcp_server WHERE owner_id = $1) < $8 RETURNING id" },
	{ "change_server",
	  "UPDATE mcp_server SET name = $3, description = $4, type = $5, uri = $6, transport = $7, headers = $8,"
	  " status = CASE WHEN $9 THEN 'new' ELSE status END,"
	  " status_detail = CASE WHEN $9 THEN NULL ELSE status_detail END,"
	  " sessions = sessions AND NOT $9, tools = CASE WHEN $9 THEN '[]' ELSE tools END,"
	  " tools_count = CASE WHEN $9 THEN 0 ELSE tools_count END,"
	  " asked_at = CASE WHEN $9 THEN NULL ELSE asked_at END WHERE owner_id = $1 AND id = $2" },
	{ "delete_server", "DELETE FROM mcp_server WHERE owner_id = $1 AND id = $2" },
	{ "note_server",
	  "UPDATE mcp_server SET status = $3, status_detail = $4, sessions = $5, tools = coalesce($6, tools),"
	  " tools_count = $7, fresh_seconds = $9, asked_at = now() WHERE owner_id = $1 AND id = $2 AND uri = $8" },
	{ "forget_tools", "UPDATE mcp_server SET asked_at = NULL WHERE owner_id = $1 AND id = $2" },
	{ "policies", "SELECT server_id, tool, policy, digest FROM mcp_policy WHERE owner_id = $1" },
	{ "set_policy", "INSERT INTO mcp_policy (owner_id, server_id, tool, policy, digest)"
	                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner_id, server_id, tool)"
	                " DO UPDATE SET policy = EXCLUDED.policy, digest = EXCLUDED.digest" },
	{ "drop_policy", "DELETE FROM mcp_policy WHERE owner_id = $1 AND server_id = $2 AND tool = $3" },
	{ NULL, NULL },
};

static void read_row(const PGresult *res, int row, struct server_row *ret, struct arena *a)
{
#define TEXT(column) arena_strdup(a, db_text(res, row, column))
	*ret = (struct server_row){
		.id = db_int(res, row, "id"),
		.name = TEXT("name"),
		.description = TEXT("description"),
		.type = TEXT("type"),
		.uri = TEXT("uri"),
		.transport = TEXT("transport"),
		.headers = TEXT("headers"),
		.status = TEXT("status"),
		.status_detail = TEXT("status_detail"),
		.sessions = db_text(res, row, "sessions")[0] == 't',
		.signed_in = db_text(res, row, "signed_in")[0] == 't',
		.tools = TEXT("tools"),
		.tools_count = (int)db_int(res, row, "tools_count"),
		.age = db_int(res, row, "age"),
		.fresh_seconds = (int)db_int(res, row, "fresh_seconds"),
		.created_at = TEXT("created_at"),
	};
#undef TEXT
}

int store_list_servers(struct db *db, const char *owner, int64_t cursor, int limit, bool tools,
                       struct server_row **ret, size_t *count, int64_t *next, struct arena *a,
                       struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	limit = limit > 0 && limit < STORE_SERVERS ? limit : STORE_SERVERS;
	if (db_exec(db, tools ? "list_servers_with_tools" : "list_servers", DB_ARGS(owner, cursor, limit + 1),
	            &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct server_row, *count);
	for (size_t i = 0; i < *count; i++)
		read_row(res, (int)i, &(*ret)[i], a);
	*next = 0;
	if (*count > (size_t)limit) {
		*count = (size_t)limit;
		*next = (*ret)[limit - 1].id;
	}
	return 0;
}

int store_get_server(struct db *db, const char *owner, int64_t id, struct server_row *ret, struct arena *a,
                     struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "get_server", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		read_row(res, 0, ret, a);
	return found;
}

int store_add_server(struct db *db, const char *owner, struct server_row *row, int64_t most,
                     struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int made = quota_add(db, owner, "add_server",
	                     DB_ARGS(owner, row->name, row->description, row->type, row->uri, row->transport,
	                             row->headers, most),
	                     &res, err);

	if (made < 0)
		return -1;
	if (!made)
		return error_set(
		    err, ERROR_FORBIDDEN,
		    "you have %lld MCP servers, as many as one user may have here: delete one first",
		    (long long)most);
	row->id = db_int(res, 0, "id");
	return 0;
}

int store_change_server(struct db *db, const char *owner, const struct server_row *row, bool anew,
                        struct error *err)
{
	return db_changed(db, "change_server",
	                  DB_ARGS(owner, row->id, row->name, row->description, row->type, row->uri,
	                          row->transport, row->headers, anew),
	                  err);
}

int store_delete_server(struct db *db, const char *owner, int64_t id, struct error *err)
{
	return db_changed(db, "delete_server", DB_ARGS(owner, id), err);
}

int store_note_server(struct db *db, const char *owner, const struct server_row *row, const char *tools,
                      struct error *err)
{
	return db_exec(db, "note_server",
	               DB_ARGS(owner, row->id, row->status, row->status_detail, row->sessions, tools,
	                       row->tools_count, row->uri, row->fresh_seconds),
	               NULL, err);
}

int store_forget_tools(struct db *db, const char *owner, int64_t id, struct error *err)
{
	return db_exec(db, "forget_tools", DB_ARGS(owner, id), NULL, err);
}

int store_policies(struct db *db, const char *owner, PGresult **ret, struct error *err)
{
	return db_exec(db, "policies", DB_ARGS(owner), ret, err);
}

const char *store_policy_of(const PGresult *policies, int64_t server, const char *tool, const char **digest)
{
	for (int i = 0; i < PQntuples(policies); i++)
		if (db_int(policies, i, "server_id") == server &&
		    strcmp(db_text(policies, i, "tool"), tool) == 0) {
			*digest = db_text(policies, i, "digest");
			return db_text(policies, i, "policy");
		}
	return NULL;
}

int store_set_policy(struct db *db, const char *owner, int64_t server, const char *tool, const char *policy,
                     const char *digest, struct error *err)
{
	return policy ? db_exec(db, "set_policy", DB_ARGS(owner, server, tool, policy, digest), NULL, err)
	              : db_exec(db, "drop_policy", DB_ARGS(owner, server, tool), NULL, err);
}
