/* Statements about what a chatbot was. */
#include "svc-chatbots/store.h"

#define VERSION "SELECT number AS version, name, description, settings, documents, created_at FROM version"

const struct db_stmt store_versions_statements[] = {
	{ "keep_version",
	  "WITH now AS (" STORE_CHATBOT(
	      "$1", "$2") " WHERE c.owner_id = $1 AND c.id = $2),"
	                  " last AS (SELECT number, name, description, settings, documents FROM version"
	                  " WHERE owner_id = $1 AND chatbot_id = $2 ORDER BY number DESC LIMIT 1)"
	                  " INSERT INTO version (owner_id, chatbot_id, number, name, description, settings,"
	                  " documents) SELECT $1, n.id, coalesce((SELECT number FROM last), 0) + 1, n.name,"
	                  " n.description, n.settings, n.documents FROM now n"
	                  " WHERE NOT EXISTS (SELECT FROM last l WHERE l.name = n.name"
	                  " AND l.description IS NOT DISTINCT FROM n.description"
	                  " AND l.settings::text = n.settings::text AND l.documents = n.documents)" },
	{ "drop_versions",
	  "DELETE FROM version WHERE owner_id = $1 AND chatbot_id = $2 AND number <="
	  " (SELECT max(number) FROM version WHERE owner_id = $1 AND chatbot_id = $2) - $3" },
	{ "list_versions", VERSION " WHERE owner_id = $1 AND chatbot_id = $2 AND number < $3::bigint"
	                           " ORDER BY number DESC LIMIT $4" },
	{ "get_version", VERSION " WHERE owner_id = $1 AND chatbot_id = $2 AND number = $3::bigint" },
	{ "set_back", "UPDATE chatbot SET name = $3, description = $4, settings = $5, updated_at = now()"
	              " WHERE owner_id = $1 AND id = $2" },
	{ NULL, NULL },
};

int store_keep_version(struct db *db, const char *owner, const char *chatbot, struct error *err)
{
	if (db_exec(db, "keep_version", DB_ARGS(owner, chatbot), NULL, err) < 0)
		return -1;
	return db_exec(db, "drop_versions", DB_ARGS(owner, chatbot, STORE_VERSIONS), NULL, err);
}

int store_list_versions(struct db *db, const char *owner, const char *chatbot, int64_t before, int limit,
                        Chatbots__VersionList *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "list_versions", DB_ARGS(owner, chatbot, before, limit + 1), &res, err) < 0 ||
	    db_rows(res, &chatbots__version__descriptor, &out->n_versions, &out->versions, a, err) < 0)
		return -1;
	if (out->n_versions > (size_t)limit) {
		out->n_versions = (size_t)limit;
		out->next = arena_printf(a, "%d", out->versions[limit - 1]->version);
	}
	return 0;
}

int store_get_version(struct db *db, const char *owner, const char *chatbot, int64_t number,
                      Chatbots__Version *out, struct arena *a, struct error *err)
{
	return db_one(db, "get_version", DB_ARGS(owner, chatbot, number), &out->base, a, err);
}

int store_set_back(struct db *db, const char *owner, const char *chatbot, const Chatbots__Version *to,
                   const char *settings, struct error *err)
{
	return db_exec(db, "set_back", DB_ARGS(owner, chatbot, to->name, to->description, settings), NULL,
	               err);
}
