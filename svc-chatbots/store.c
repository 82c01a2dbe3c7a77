#include "svc-chatbots/store.h"

#include "common/db/quota.h"
#include "common/service/channels.h"

const struct db_stmt store_statements[] = {
	{ "create",
	  "INSERT INTO chatbot (owner_id, id, name, description, settings)"
	  " SELECT $1::uuid, $2, $3, $4, $5 WHERE (SELECT count(*) FROM chatbot WHERE owner_id = $1) < $6" },
	{ "get", STORE_CHATBOT("$1", "$2") " WHERE c.owner_id = $1 AND c.id = $2" },
	{ "find", STORE_CHATBOT("c.owner_id", "$1") " WHERE c.id = $1" },
	{ "list", STORE_CHATBOT("$1", "c.id") " WHERE c.owner_id = $1 AND ($2::uuid IS NULL OR c.id < $2)"
	                                      " ORDER BY c.id DESC LIMIT $3" },
	{ "lock", "SELECT settings FROM chatbot WHERE owner_id = $1 AND id = $2 FOR UPDATE" },
	{ "update", "UPDATE chatbot SET name = coalesce($3, name),"
	            " description = CASE WHEN $5 THEN NULL ELSE coalesce($4, description) END,"
	            " settings = coalesce($6, settings), updated_at = now()"
	            " WHERE owner_id = $1 AND id = $2" },
	{ "delete", "DELETE FROM chatbot WHERE owner_id = $1 AND id = $2" },
	{ "assign",
	  "INSERT INTO chatbot_document (owner_id, chatbot_id, document_id)"
	  " SELECT $1, $2, document_id FROM unnest($3::uuid[]) WITH ORDINALITY AS t (document_id, n)"
	  " ORDER BY n ON CONFLICT DO NOTHING" },
	{ "unassign",
	  "DELETE FROM chatbot_document WHERE owner_id = $1 AND chatbot_id = $2 AND document_id = $3" },
	{ "unassign_all", "DELETE FROM chatbot_document WHERE owner_id = $1 AND chatbot_id = $2" },
	{ "uses", "SELECT document_id, array_agg(chatbot_id ORDER BY chatbot_id) AS chatbot_ids"
	          " FROM chatbot_document WHERE owner_id = $1 AND document_id = ANY($2::uuid[])"
	          " GROUP BY document_id" },
	{ "tell", "SELECT pg_notify('" CHANNEL_CHATBOTS "', $1)" },
	{ "retentions",
	  "SELECT id AS chatbot_id, owner_id, (settings ->> 'retentionDays')::int AS days FROM chatbot"
	  " WHERE settings ->> 'retentionDays' IS NOT NULL"
	  " AND settings ->> 'retentionDays' ~ '^[1-9][0-9]{0,4}$' AND ($1::uuid IS NULL OR id > $1)"
	  " ORDER BY id LIMIT $2" },
	{ NULL, NULL },
};

int store_create(struct db *db, const char *owner, const char *id, const Chatbots__CreateChatbotRequest *in,
                 const char *settings, int64_t most, struct error *err)
{
	int made = quota_add(db, owner, "create",
	                     DB_ARGS(owner, id, in->name, in->description, settings, most), NULL, err);

	if (made)
		return made < 0 ? -1 : 0;
	return error_set(err, ERROR_FORBIDDEN,
	                 "you have %lld chatbots, as many as one user may have here: delete one first",
	                 (long long)most);
}

int store_get(struct db *db, const char *owner, const char *id, Chatbots__Chatbot *out, struct arena *a,
              struct error *err)
{
	return db_one(db, "get", DB_ARGS(owner, id), &out->base, a, err);
}

int store_find(struct db *db, const char *id, Chatbots__Chatbot *out, struct arena *a, struct error *err)
{
	return db_one(db, "find", DB_ARGS(id), &out->base, a, err);
}

int store_list(struct db *db, const char *owner, const char *cursor, int limit, Chatbots__ChatbotList *out,
               struct arena *a, struct error *err)
{
	return db_page(db, "list", DB_ARGS(owner, cursor), limit, STORE_PAGE, &out->base, a, err);
}

int store_lock(struct db *db, const char *owner, const char *id, const char **settings, struct arena *a,
               struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "lock", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		*settings = arena_strdup(a, db_text(res, 0, "settings"));
	return found;
}

int store_update(struct db *db, const char *owner, const char *id, const char *name, const char *description,
                 bool reset_description, const char *settings, struct error *err)
{
	return db_exec(db, "update", DB_ARGS(owner, id, name, description, reset_description, settings), NULL,
	               err);
}

int store_delete(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_changed(db, "delete", DB_ARGS(owner, id), err);
}

int store_assign(struct db *db, const char *owner, const char *id, char **documents, size_t count,
                 struct arena *a, struct error *err)
{
	if (db_exec(db, "assign", DB_ARGS(owner, id, db_text_array(documents, count, a)), NULL, err) == 0)
		return 0;
	if (db_failed_with(err, DB_FOREIGN, "chatbot_document_document")) {
		error_clear(err);
		return error_set(err, ERROR_NOT_FOUND, "one of these documents does not exist");
	}
	return -1;
}

int store_unassign(struct db *db, const char *owner, const char *id, const char *document, struct error *err)
{
	return db_exec(db, "unassign", DB_ARGS(owner, id, document), NULL, err);
}

int store_unassign_all(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_exec(db, "unassign_all", DB_ARGS(owner, id), NULL, err);
}

int store_uses(struct db *db, const char *owner, char **documents, size_t count, Chatbots__UseList *out,
               struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "uses", DB_ARGS(owner, db_text_array(documents, count, a)), &res, err) < 0)
		return -1;
	return db_rows(res, &chatbots__use__descriptor, &out->n_uses, &out->uses, a, err);
}

int store_tell(struct db *db, const char *id, struct error *err)
{
	return db_exec(db, "tell", DB_ARGS(id), NULL, err);
}

int store_retentions(struct db *db, const char *cursor, Chatbots__RetentionList *out, struct arena *a,
                     struct error *err)
{
	enum { PAGE = 1000 };
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "retentions", DB_ARGS(cursor, PAGE), &res, err) < 0 ||
	    db_rows(res, &chatbots__retention__descriptor, &out->n_chatbots, &out->chatbots, a, err) < 0)
		return -1;
	if (out->n_chatbots == PAGE)
		out->next = out->chatbots[PAGE - 1]->chatbot_id;
	return 0;
}
