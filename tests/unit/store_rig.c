#include "tests/unit/store_rig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "tests/unit/pg.h"

/* Roles that migrations grant something to. */
static const char people[] =
    "DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['documents', 'chatbots', 'chat', 'integrations'] LOOP"
    " BEGIN EXECUTE 'CREATE ROLE parley_' || r || ' LOGIN';"
    " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END; END LOOP; END $$;"
    "DROP SCHEMA IF EXISTS auth CASCADE; CREATE SCHEMA auth; CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;"
    "CREATE TABLE auth.users (uid uuid PRIMARY KEY);"
    "INSERT INTO auth.users VALUES ('" ADA "'), ('" GRACE "')";

static struct db_pool *pool;
struct arena arena;
struct error err;
struct db db;

enum { TABLES_MAX = 16, MEASURED_MAX = 8, SQL_MAX = 1024 };

static char measured_names[MEASURED_MAX][64], measured_sql[MEASURED_MAX][SQL_MAX];
static struct db_stmt measured[MEASURED_MAX + 1];
static const struct db_stmt *tables[TABLES_MAX];

static const char *sql_of(const struct store_rig *rig, const char *name)
{
	for (const struct db_stmt *const *t = rig->statements; *t; t++)
		for (const struct db_stmt *s = *t; s->name; s++)
			if (!strcmp(s->name, name))
				return s->sql;
	abort();
}

/* All statements, and those that are measured a second time. */
static const struct db_stmt *const *with_measured(const struct store_rig *rig)
{
	int n = 0, m = 0;

	for (; rig->statements[n]; n++) {
		assert(n < TABLES_MAX - 2);
		tables[n] = rig->statements[n];
	}
	for (; rig->measured && rig->measured[m]; m++) {
		assert(m < MEASURED_MAX);
		snprintf(measured_names[m], sizeof *measured_names, "read %s", rig->measured[m]);
		snprintf(measured_sql[m], sizeof *measured_sql,
		         "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) %s",
		         sql_of(rig, rig->measured[m]));
		measured[m] = (struct db_stmt){ measured_names[m], measured_sql[m] };
	}
	measured[m] = (struct db_stmt){ 0 };
	tables[n] = measured;
	tables[n + 1] = NULL;
	return tables;
}

int store_rig_open(const struct store_rig *rig)
{
	struct db_config config = {
		.url = pg_url(), .schema = rig->schema, .connections = 2, .statements = with_measured(rig)
	};

	log_open("test", LOG_ERROR);
	pg_sql(people);
	if (rig->neighbours)
		pg_sql(rig->neighbours);
	pg_schema(rig->schema);
	if (db_migrate(pg_url(), rig->schema, rig->migrations, 0, &err) == 0 &&
	    db_pool_open(&config, 0, &pool, &err) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", err.message, err.detail);
	return -1;
}

int store_rig_close(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

int store_rig_begin(void **state)
{
	(void)state;
	error_clear(&err);
	arena_init(&arena, 0);
	db_init(&db, pool);
	return db_begin(&db, &err);
}

int store_rig_end(void **state)
{
	(void)state;
	db_rollback(&db);
	db_done(&db);
	arena_done(&arena);
	return 0;
}

const char *store_rig_id(void)
{
	char *id = arena_alloc(&arena, UUID_TEXT);

	uuid_make(id);
	return id;
}

int64_t store_rig_number(const char *statement)
{
	int64_t n = 0;

	OK(db_number(&db, statement, DB_ARGS(), &n, &err));
	return n;
}

/* "->  Index Scan using piece_of_text_pkey on piece_of_text (actual rows=1 loops=1)", "Rows Removed by Filter: 7" */
static double rows_of(const char *line, double *loops)
{
	static const char removed[] = "Rows Removed by ", actual[] = "(actual rows=";
	const char *at = strstr(line, removed), *colon = at ? strchr(at, ':') : NULL;
	char *end;
	double rows;

	if (colon)
		return strtod(colon + 1, NULL) * *loops;
	at = strstr(line, " Scan ") && !strstr(line, "Bitmap Index Scan") ? strstr(line, actual) : NULL;
	if (!at)
		return 0;
	rows = strtod(at + strlen(actual), &end);
	*loops = strtod(strchr(end, '=') + 1, NULL);
	return rows * *loops;
}

int64_t store_rig_read(const char *statement, struct db_args args)
{
	OWN(pgresult) PGresult *res = NULL;
	double rows = 0, loops = 1;

	OK(db_exec(&db, arena_printf(&arena, "read %s", statement), args, &res, &err));
	for (int i = 0; i < PQntuples(res); i++)
		rows += rows_of(PQgetvalue(res, i, 0), &loops);
	return (int64_t)rows;
}
