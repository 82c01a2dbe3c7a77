#include "tests/unit/db_rig.h"

#include <stdio.h>

static const struct db_stmt statements[] = {
	{ "add", "INSERT INTO item (id, name) VALUES ($1, $2)" },
	{ "add_returning", "INSERT INTO item (id, name) VALUES ($1, $2) RETURNING id" },
	{ "pair", "INSERT INTO pair (item) VALUES ($1)" },
	{ "odd", "INSERT INTO odd (n) VALUES (1)" },
	{ "worker_lost", "SELECT fail('08006')" },
	{ "pair_now", "INSERT INTO pair_now (item) VALUES ($1)" },
	{ "refuse", "SELECT refuse($1)" },
	{ "message", "SELECT name AS message FROM item WHERE id = $1" },
	{ "five", "SELECT n::text AS id FROM generate_series(1, 5) AS n WHERE n > coalesce($1::int, 0)"
	          " ORDER BY n LIMIT $2" },
	{ "get", "SELECT name FROM item WHERE id = $1" },
	{ "rename", "UPDATE item SET name = $2 WHERE id = $1" },
	{ "count", "SELECT count(*) AS n FROM item" },
	{ "echo", "SELECT $1::text AS t, $2::bigint AS i, $3::float8 AS d, $4::bool AS b, $5::bytea AS raw" },
	{ "any", "SELECT count(*) AS n FROM unnest($1::text[]) AS x(v) WHERE v = ANY($2)" },
	{ "session",
	  "SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone,"
	  " current_setting('statement_timeout') AS patience, current_setting('application_name') AS name" },
	{ "nap", "SELECT pg_sleep($1)" },
	{ "kill_me", "SELECT pg_terminate_backend(pg_backend_pid())" },
	{ "kill_me_writing",
	  "INSERT INTO item (id, name) SELECT 77, pg_terminate_backend(pg_backend_pid())::text" },
	{ "divide", "SELECT 1 / $1::int" },
	{ "backend", "SELECT pg_backend_pid() AS pid" },
	{ 0 },
};
const struct db_stmt *const db_rig_tables[] = { statements, NULL };

struct db_pool *pool;

int db_rig_open(void **state)
{
	struct db_config config = {
		.url = pg_url(), .schema = "test_db", .connections = 4, .statements = db_rig_tables
	};
	struct error err = { 0 };

	(void)state;
	pg_schema("test_db");
	pg_sql("CREATE TABLE test_db.item (id bigint PRIMARY KEY, name text NOT NULL,"
	       " CONSTRAINT item_name UNIQUE (name));"
	       "CREATE TABLE test_db.pair (item bigint CONSTRAINT pair_item REFERENCES test_db.item"
	       " DEFERRABLE INITIALLY DEFERRED);"
	       "CREATE TABLE test_db.pair_now (item bigint CONSTRAINT now_item REFERENCES test_db.item);"
	       "CREATE FUNCTION test_db.refuse(words text) RETURNS void LANGUAGE plpgsql AS"
	       " $$ BEGIN RAISE EXCEPTION '%', words USING ERRCODE = '23503'; END $$;"
	       "CREATE FUNCTION test_db.fail(state text) RETURNS void LANGUAGE plpgsql AS"
	       " $$ BEGIN RAISE EXCEPTION 'worker lost' USING ERRCODE = state; END $$;"
	       "CREATE FUNCTION test_db.fail_late() RETURNS trigger LANGUAGE plpgsql AS"
	       " $$ BEGIN PERFORM test_db.fail('XX000'); RETURN NULL; END $$;"
	       "CREATE TABLE test_db.odd (n int);"
	       "CREATE CONSTRAINT TRIGGER odd AFTER INSERT ON test_db.odd DEFERRABLE INITIALLY DEFERRED"
	       " FOR EACH ROW EXECUTE FUNCTION test_db.fail_late()");
	if (db_pool_open(&config, 0, &pool, &err) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", err.message, err.detail);
	return -1;
}

int db_rig_close(void **state)
{
	(void)state;
	db_pool_free(pool);
	pg_sql("DROP SCHEMA test_db CASCADE");
	return 0;
}

int64_t db_rig_count(struct db *db)
{
	struct error err = { 0 };
	PGresult *res;
	int64_t n;

	if (db_exec(db, "count", DB_ARGS(), &res, &err) < 0)
		fail_msg("%s", err.detail);
	n = db_int(res, 0, "n");
	PQclear(res);
	return n;
}
