#include "tests/unit/auth_db.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/db/throttle.h"
#include "svc-auth/init.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/store_providers.h"
#include "tests/unit/pg.h"

extern const struct db_migration auth_migrations[];

struct db_pool *pool;
struct secret secret;
struct arena arena;
struct error err;
struct db db;

/* Roles belong to the whole server, which other test programs use at the same time: one makes them at a time. */
static int init_alone(void)
{
	int lock = open("/tmp", O_RDONLY | O_DIRECTORY), rc;

	flock(lock, LOCK_EX);
	rc = init_database(pg_url(), &secret, "", 0, &err);
	close(lock);
	return rc;
}

/* The tests' superuser migrates; in life the role does, and owns what it makes. */
static bool give_tables(void)
{
	pg_sql(
	    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'auth'::regnamespace"
	    " AND relkind = 'r' LOOP EXECUTE format('ALTER TABLE auth.%I OWNER TO parley_auth', t); END LOOP; END $$");
	return true;
}

int auth_db_open(void **state)
{
	static const struct db_stmt *const tables[] = { store_statements,
		                                        store_keys_statements,
		                                        store_proofs_statements,
		                                        store_programs_statements,
		                                        store_providers_statements,
		                                        throttle_statements,
		                                        NULL };
	struct db_config config = {
		.url = pg_url(), .schema = "auth", .connections = 2, .statements = tables
	};

	(void)state;
	log_open("test", LOG_ERROR);
	memset(secret.master, 7, sizeof secret.master);
	pg_sql("DROP SCHEMA IF EXISTS auth CASCADE");
	if (init_alone() == 0 && db_migrate(pg_url(), "auth", auth_migrations, 0, &err) == 0 &&
	    give_tables() && db_pool_open(&config, 0, &pool, &err) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", err.message, err.detail);
	return -1;
}

int auth_db_close(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

int auth_db_begin(void **state)
{
	(void)state;
	error_clear(&err);
	arena_init(&arena, 0);
	db_init(&db, pool);
	return db_begin(&db, &err);
}

int auth_db_end(void **state)
{
	(void)state;
	db_rollback(&db);
	db_done(&db);
	arena_done(&arena);
	return 0;
}

char *auth_db_user(const char *email, const char *password)
{
	char *uid = arena_alloc(&arena, UUID_TEXT);
	int64_t id = 0;

	uuid_make(uid);
	assert_int_equal(store_add_account(&db, uid, email, "Ada", password, &id, &err), 1);
	assert_true(id > 0);
	return uid;
}

char *auth_db_session(const char *uid, const char *password)
{
	char *id = arena_alloc(&arena, UUID_TEXT);

	uuid_make(id);
	assert_int_equal(store_open_session(&db, uid,
	                                    &(struct new_session){ .kind = "token",
	                                                           .id = id,
	                                                           .hours = 24,
	                                                           .ip = "192.0.2.1",
	                                                           .user_agent = "curl",
	                                                           .password = password },
	                                    &err),
	                 1);
	return id;
}

size_t auth_db_revoked(void)
{
	Auth__Revocations all = AUTH__REVOCATIONS__INIT;

	OK(store_list_revocations(&db, 0, 1000, &all, &arena, &err));
	return all.n_revoked;
}
