#include "svc-integrations/store.h"

const struct db_stmt store_statements[] = {
	{ "list", "SELECT id, type, name, status, status_detail, owner_id AS user_id, chatbot_id, config,"
	          " created_at, updated_at FROM integration"
	          " WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3" },
	{ NULL, NULL },
};

int store_list(struct db *db, const char *owner, const char *cursor, int limit,
               Integrations__IntegrationList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list", DB_ARGS(owner, cursor), limit, STORE_PAGE, &out->base, a, err);
}
