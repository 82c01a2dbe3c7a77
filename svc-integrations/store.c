#include "svc-integrations/store.h"

#include "common/db/quota.h"

#define INTEGRATION                                                                              \
	"SELECT id, type, name, status, status_detail, owner_id AS user_id, chatbot_id, config," \
	" created_at, updated_at FROM integration"

const struct db_stmt store_statements[] = {
	{ "list",
	  INTEGRATION " WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3" },
	{ "get", INTEGRATION " WHERE owner_id = $1 AND id = $2" },
	{ "load", "SELECT owner_id, id, type, status, status_detail, name, chatbot_id, config, secrets,"
	          " team_id, app_id, bot_user_id, bot_id FROM integration WHERE owner_id = $1 AND id = $2" },
	{ "delete", "DELETE FROM integration WHERE owner_id = $1 AND id = $2" },
	{ "add",
	  "INSERT INTO integration (owner_id, id, type, status, status_detail, name, chatbot_id, config,"
	  " secrets, team_id, app_id, bot_user_id, bot_id)"
	  " SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13"
	  " WHERE (SELECT count(*) FROM integration WHERE owner_id = $1) < $14" },
	{ "change",
	  "UPDATE integration SET type = $3, status = $4, status_detail = $5, name = $6, chatbot_id = $7,"
	  " config = $8, secrets = $9, team_id = $10, app_id = $11, bot_user_id = $12, bot_id = $13,"
	  " updated_at = now() WHERE owner_id = $1 AND id = $2 AND secrets IS NOT DISTINCT FROM $14" },
	{ "set_status",
	  "UPDATE integration SET status_detail = $4, updated_at = now(), status ="
	  " CASE WHEN status = 'inactive' THEN status ELSE $3 END WHERE owner_id = $1 AND id = $2" },
	{ NULL, NULL },
};

int store_list(struct db *db, const char *owner, const char *cursor, int limit,
               Integrations__IntegrationList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list", DB_ARGS(owner, cursor), limit, STORE_PAGE, &out->base, a, err);
}

int store_get(struct db *db, const char *owner, const char *id, Integrations__Integration *out,
              struct arena *a, struct error *err)
{
	return db_one(db, "get", DB_ARGS(owner, id), &out->base, a, err);
}

int store_load(struct db *db, const char *owner, const char *id, struct integration_row *ret, struct arena *a,
               struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "load", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		store_read_row(res, 0, ret, a);
	return found;
}

int store_delete(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_changed(db, "delete", DB_ARGS(owner, id), err);
}

/* The only thing that it belongs to and that may be missing. */
static int written(int rc, struct error *err)
{
	if (rc < 0 && db_failed_with(err, DB_FOREIGN, NULL)) {
		error_clear(err);
		return error_set(err, ERROR_NOT_FOUND, "no such chatbot");
	}
	return rc;
}

int store_add(struct db *db, const struct integration_row *row, int64_t most, struct error *err)
{
	int made =
	    written(quota_add(db, row->owner_id, "add",
	                      DB_ARGS(row->owner_id, row->id, row->type, row->status, row->status_detail,
	                              row->name, row->chatbot_id, row->config, row->secrets, row->team,
	                              row->app, row->bot_user, row->bot, most),
	                      NULL, err),
	            err);

	if (made)
		return made < 0 ? -1 : 0;
	return error_set(err, ERROR_FORBIDDEN,
	                 "you have %lld integrations, as many as one user may have here: delete one first",
	                 (long long)most);
}

int store_change(struct db *db, const struct integration_row *row, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int changed =
	    written(db_changed(db, "change",
	                       DB_ARGS(row->owner_id, row->id, row->type, row->status, row->status_detail,
	                               row->name, row->chatbot_id, row->config, row->secrets, row->team,
	                               row->app, row->bot_user, row->bot, row->read_secrets),
	                       err),
	            err);
	int there = changed ? changed : db_find(db, "get", DB_ARGS(row->owner_id, row->id), &res, err);

	return changed || there <= 0
	           ? there
	           : error_set(err, ERROR_CONFLICT, "it was changed at the same time: ask again");
}

int store_set_status(struct db *db, const char *owner, const char *id, const char *status, const char *detail,
                     struct error *err)
{
	return db_exec(db, "set_status", DB_ARGS(owner, id, status, detail), NULL, err);
}
