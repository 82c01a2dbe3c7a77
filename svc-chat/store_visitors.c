#include "svc-chat/store_visitors.h"

#define TIME(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

const struct db_stmt store_visitors_statements[] = {
	{ "add_visitor",
	  "INSERT INTO session (owner_id, id, chatbot_id, visitor_hash, visitor_origin, expires_at)"
	  " VALUES ($1, $2, $3, $4, $5, now() + interval '1 day') RETURNING " TIME(
	      "expires_at") " AS expires_at" },
	{ "find_visitor",
	  "SELECT owner_id, id, visitor_origin, " TIME(
	      "expires_at") " AS expires_at FROM session"
	                    " WHERE visitor_hash = $2 AND chatbot_id = $1 AND expires_at > now()" },
	{ "visitor_turn", "SELECT m.owner_id, m.id FROM message m JOIN session s"
	                  " ON s.owner_id = m.owner_id AND s.id = m.session_id"
	                  " WHERE m.stream = $1 AND s.visitor_hash IS NOT NULL" },
	{ "count_visit",
	  "INSERT INTO visits (key, minute, count) VALUES ($1, date_trunc('minute', now()), 1)"
	  " ON CONFLICT (key, minute) DO UPDATE SET count = visits.count + 1 RETURNING count" },
	{ "sweep_visits", "DELETE FROM visits WHERE minute < now() - interval '2 minutes'" },
	{ NULL, NULL },
};

int store_add_visitor(struct db *db, const char *owner, const char *session_id, const char *chatbot,
                      const char *hash, const char *origin, const char **expires_at, struct arena *a,
                      struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "add_visitor", DB_ARGS(owner, session_id, chatbot, hash, origin), &res, err) < 0)
		return -1;
	*expires_at = arena_strdup(a, db_text(res, 0, "expires_at"));
	return 0;
}

int store_find_visitor(struct db *db, const char *chatbot, const char *hash, struct store_visitor *ret,
                       struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "find_visitor", DB_ARGS(chatbot, hash), &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*ret = (struct store_visitor){
		.owner = arena_strdup(a, db_text(res, 0, "owner_id")),
		.session_id = arena_strdup(a, db_text(res, 0, "id")),
		.origin = arena_strdup(a, db_text(res, 0, "visitor_origin")),
		.expires_at = arena_strdup(a, db_text(res, 0, "expires_at")),
	};
	return 1;
}

int store_visitor_turn(struct db *db, const char *stream, const char **owner, struct store_turn *ret,
                       struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "visitor_turn", DB_ARGS(stream), &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*owner = arena_strdup(a, db_text(res, 0, "owner_id"));
	return store_turn_by_stream(db, *owner, NULL, stream, ret, a, err);
}

int store_count_visit(struct db *db, const char *key, int64_t *count, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "count_visit", DB_ARGS(key), &res, err) < 0)
		return -1;
	*count = db_int(res, 0, "count");
	return 0;
}

int store_sweep_visitors(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_visits", DB_ARGS(), NULL, err);
}
