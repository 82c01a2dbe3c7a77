#include "svc-auth/shard.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/db/db.h"
#include "common/db/place.h"

/* svc-auth's own tables stay with the coordinator: sessions and keys have triggers, which sharded tables may not have. */
#define SHARDED "{documents,chatbots,chat,integrations}"

OWN_DEFINE(pgconn, PGconn *, PQfinish)

static int failed(PGconn *conn, struct error *err)
{
	return error_set(err, ERROR_UNAVAILABLE, "the database: %.300s", PQerrorMessage(conn));
}

static int run(PGconn *conn, const char *sql, struct error *err)
{
	OWN(pgresult) PGresult *res = PQexec(conn, sql);

	return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK
	           ? 0
	           : failed(conn, err);
}

static int check_cluster(PGconn *conn, struct error *err)
{
	int workers, there = db_placed_on(conn, &workers, err);

	if (there < 0)
		return -1;
	if (!there)
		return error_set(
		    err, ERROR_CONFLICT,
		    "this database has no Citus: CREATE EXTENSION citus, here and in a database of "
		    "this name on each worker, then SELECT citus_add_node('worker', 5432) for each");
	if (workers == 0)
		return error_set(
		    err, ERROR_CONFLICT,
		    "no machine keeps rows: SELECT citus_add_node('worker', 5432) for each worker");
	return 0;
}

static int check_tables(PGconn *conn, struct error *err)
{
	OWN(pgresult)
	PGresult *res = PQexec(conn, "SELECT s FROM unnest('" SHARDED
	                             "'::text[]) s WHERE to_regclass(s || '.schema_migration') IS NULL");

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		return failed(conn, err);
	if (PQntuples(res) == 0)
		return 0;
	return error_set(
	    err, ERROR_CONFLICT,
	    "svc-%s has made no tables here yet: start the services once, or run each with --migrate",
	    PQgetvalue(res, 0, 0));
}

int shard_database(const char *admin_url, struct error *err)
{
	OWN(pgconn) PGconn *conn = PQconnectdb(admin_url);
	int placed;

	if (PQstatus(conn) != CONNECTION_OK)
		return failed(conn, err);
	if (check_cluster(conn, err) < 0 || check_tables(conn, err) < 0)
		return -1;
	/* The lock is that of migrations: none runs beside this. */
	if (run(conn,
	        "SET client_min_messages = warning; BEGIN;"
	        " SELECT pg_advisory_xact_lock(hashtextextended('parley.migrate', 0))",
	        err) < 0)
		return -1;
	placed = db_place(conn, SHARDED, "auth.users", err);
	if (placed < 0 || run(conn, "COMMIT", err) < 0)
		return -1;
	log_line(LOG_INFO, "the owners' tables are placed", LOG_INT("tables", placed));
	return 0;
}
