#include "common/db/place.h"

#include <stdlib.h>

#include "common/db/internal.h"

/*
 * In order: the statements that place what is not placed of the schemas $1, and the table $2. The phase comes first, so that
 * whoever counts knows which of them are tables.
 */
static const char placing[] =
    "WITH wanted AS ("
    " SELECT c.oid, CASE WHEN c.oid = to_regclass($2) THEN 2 WHEN a.attname = 'owner_id' THEN 3 ELSE 4 END AS phase"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
    " WHERE (c.oid = to_regclass($2) OR (n.nspname = ANY ($1::text[]) AND c.relkind = 'r'"
    "  AND (a.attname = 'owner_id' OR c.relname = 'job')))"
    " AND NOT EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = c.oid)),"
    " first AS (SELECT coalesce("
    "  (SELECT p.logicalrelid::oid FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid"
    "   JOIN pg_namespace n ON n.oid = c.relnamespace"
    "   WHERE p.partmethod = 'h' AND n.nspname = ANY ($1::text[]) ORDER BY p.logicalrelid LIMIT 1),"
    "  (SELECT min(oid) FROM wanted WHERE phase = 3)) AS oid),"
    " key AS (SELECT k.conrelid, k.conname, pg_get_constraintdef(k.oid) AS said FROM pg_constraint k"
    "  WHERE k.contype = 'f' AND EXISTS (SELECT FROM wanted w WHERE w.oid IN (k.conrelid, k.confrelid)))"
    " SELECT 1 AS phase, conrelid AS oid,"
    "  format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS statement FROM key"
    " UNION ALL SELECT w.phase, CASE WHEN w.oid = f.oid THEN 0 ELSE w.oid END, CASE w.phase"
    "  WHEN 2 THEN format('SELECT create_reference_table(%L)', w.oid::regclass)"
    "  WHEN 4 THEN format('SELECT citus_add_local_table_to_metadata(%L)', w.oid::regclass)"
    "  ELSE format('SELECT create_distributed_table(%L, ''owner_id'', colocate_with => %L)', w.oid::regclass,"
    "   CASE WHEN w.oid = f.oid THEN 'none' ELSE f.oid::regclass::text END) END FROM wanted w, first f"
    " UNION ALL SELECT 5, conrelid, format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, said)"
    "  FROM key"
    " ORDER BY phase, oid";

static int failed(PGconn *conn, const PGresult *res, struct error *err)
{
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	return error_set(err, ERROR_INTERNAL, "Citus: %.300s", words ? words : PQerrorMessage(conn));
}

static int run(PGconn *conn, const char *sql, struct error *err)
{
	OWN(pgresult) PGresult *res = PQexec(conn, sql);

	return db_succeeded(res) ? 0 : failed(conn, res, err);
}

/* One number. */
static int ask(PGconn *conn, const char *sql, int *ret, struct error *err)
{
	OWN(pgresult) PGresult *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		return failed(conn, res, err);
	*ret = PQntuples(res) == 1 ? (int)strtol(PQgetvalue(res, 0, 0), NULL, 10) : 0;
	return 0;
}

int db_placed_on(PGconn *conn, int *workers, struct error *err)
{
	int there;

	*workers = 0;
	if (ask(conn, "SELECT count(*) FROM pg_extension WHERE extname = 'citus'", &there, err) < 0)
		return -1;
	if (there &&
	    ask(conn,
	        "SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards AND isactive AND noderole = 'primary'",
	        workers, err) < 0)
		return -1;
	return there;
}

/* Names are written whole, so that what is dropped comes back where it was. */
static int place_all(PGconn *conn, const char *schemas, const char *users, struct error *err)
{
	OWN(pgresult)
	PGresult *res =
	    PQexecParams(conn, placing, 2, NULL, (const char *const[]){ schemas, users }, NULL, NULL, 0);
	int placed = 0;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		return failed(conn, res, err);
	for (int i = 0; i < PQntuples(res); i++) {
		int phase = (int)strtol(PQgetvalue(res, i, 0), NULL, 10);

		if (run(conn, PQgetvalue(res, i, 2), err) < 0)
			return -1;
		placed += phase >= 2 && phase <= 4;
	}
	return placed;
}

int db_place(PGconn *conn, const char *schemas, const char *users, struct error *err)
{
	OWN(pgresult) PGresult *path = PQexec(conn, "SHOW search_path");
	char back[256];
	int placed;

	if (PQntuples(path) != 1)
		return failed(conn, path, err);
	snprintf(back, sizeof back, "SET LOCAL search_path = %s", PQgetvalue(path, 0, 0));
	if (run(conn, "SET LOCAL search_path = pg_catalog", err) < 0 ||
	    run(conn, "SET LOCAL citus.multi_shard_modify_mode = 'sequential'", err) < 0)
		return -1;
	placed = place_all(conn, schemas, users, err);
	return placed < 0 || run(conn, back, err) < 0 ? -1 : placed;
}
