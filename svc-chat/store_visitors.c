#include "svc-chat/store_visitors.h"

const struct db_stmt store_visitors_statements[] = {
	{ "count_visit",
	  "WITH own AS (INSERT INTO visits (key, minute, count)"
	  " VALUES ($1, date_trunc('minute', now()), 1), ($2, date_trunc('minute', now()), 1)"
	  " ON CONFLICT (key, minute) DO UPDATE SET count = visits.count + 1 RETURNING key, count),"
	  " allowed AS (SELECT count(*) = 0 AS ok FROM own"
	  " WHERE count > CASE key WHEN $1 THEN $4::int ELSE $5::int END),"
	  " everybodys AS (INSERT INTO visits (key, minute, count)"
	  " SELECT $3, date_trunc('minute', now()), 1 FROM allowed WHERE ok"
	  " ON CONFLICT (key, minute) DO UPDATE SET count = visits.count + 1 RETURNING count)"
	  " SELECT NOT coalesce((SELECT count <= $6::int FROM everybodys), false) AS too_many" },
	{ "add_known_visitor",
	  "INSERT INTO session (owner_id, id, chatbot_id, visitor, visitor_origin, expires_at, visitor_name, visitor_email)"
	  " VALUES ($1, $2, $3, true, $4, $5, $6, $7)" },
	{ "sweep_visits", "DELETE FROM visits WHERE minute < now() - interval '2 minutes'" },
	{ NULL, NULL },
};

int store_count_visit(struct db *db, const struct store_visit *v, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(
	        db, "count_visit",
	        DB_ARGS(v->session, v->address, v->chatbot, v->per_session, v->per_address, v->per_chatbot),
	        &res, err) < 0)
		return -1;
	return *db_text(res, 0, "too_many") == 't';
}

int store_sweep_visitors(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_visits", DB_ARGS(), NULL, err);
}

int store_add_known_visitor(struct db *db, const char *owner, const char *session, const char *chatbot,
                            const char *origin, const char *expires_at, const struct visitor *visitor,
                            struct error *err)
{
	return db_exec(db, "add_known_visitor",
	               DB_ARGS(owner, session, chatbot, origin, expires_at, visitor->name, visitor->email),
	               NULL, err);
}
