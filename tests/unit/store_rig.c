#include "tests/unit/store_rig.h"

#include <stdio.h>

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

int store_rig_open(const struct store_rig *rig)
{
	struct db_config config = {
		.url = pg_url(), .schema = rig->schema, .connections = 2, .statements = rig->statements
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
