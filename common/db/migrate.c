#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/internal.h"
#include "common/db/place.h"

enum { POLL_MS = 50 };

/* What one db_migrate() has in hand. */
struct migrator {
	const char *url, *schema;
	PGconn *pg;
	int64_t until; /* monotonic ms */
	struct error *err;
};

/* Sleep a little; -1 when the time is up. */
static int wait_a_little(const struct migrator *m)
{
	if (clock_mono_ms() >= m->until)
		return -1;
	nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000 }, NULL);
	return 0;
}

static int failed(const struct migrator *m, const char *what, const PGresult *res)
{
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	error_set(m->err, ERROR_INTERNAL, "%s: %s: %s", m->schema, what,
	          words ? words : PQerrorMessage(m->pg));
	return -1;
}

static int run(const struct migrator *m, const char *what, const char *sql)
{
	OWN(pgresult) PGresult *res = PQexec(m->pg, sql);

	return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK
	           ? 0
	           : failed(m, what, res);
}

static int ask(const struct migrator *m, const char *sql, const char *a, const char *b, PGresult **ret)
{
	const char *values[] = { a, b };
	OWN(pgresult) PGresult *res = PQexecParams(m->pg, sql, b ? 2 : 1, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
		return failed(m, "migration", res);
	*ret = TAKE(res);
	return 0;
}

/* 1 yes, 0 no (no row is a no), -1 failed. */
static int is_true(const struct migrator *m, const char *sql, const char *a, const char *b)
{
	OWN(pgresult) PGresult *res = NULL;

	if (ask(m, sql, a, b, &res) < 0)
		return -1;
	return PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 't';
}

static int wait_until_true(const struct migrator *m, const char *sql, const char *a, const char *b,
                           const char *missing)
{
	int got;

	while ((got = is_true(m, sql, a, b)) == 0) {
		if (wait_a_little(m) < 0)
			return error_set(m->err, ERROR_UNAVAILABLE, "%s: %s", m->schema, missing);
	}
	return got < 0 ? -1 : 0;
}

/* The database, our role in it and our schema: made by svc-auth --init, which may still be at it. */
static int connect_when_ready(struct migrator *m)
{
	struct error why = { 0 };

	while (!(m->pg = db_connect(m->url, m->schema, 0, &why))) {
		bool refused = strstr(why.detail, "password authentication failed") != NULL;

		if (wait_a_little(m) < 0)
			return error_set(m->err, refused ? ERROR_UNAUTHENTICATED : ERROR_UNAVAILABLE,
			                 "%s: no connection to the database%s: %.160s", m->schema,
			                 refused ? " (is this the PARLEY_SECRET that it was made ready with?)"
			                         : "",
			                 why.detail);
		error_clear(&why);
	}
	return wait_until_true(m,
	                       "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace"
	                       " WHERE nspname = $1",
	                       m->schema, NULL,
	                       "the schema is not there (or not ours); svc-auth --init makes it");
}

/* The tables that "-- requires: auth.users, documents.document" in the first line names. */
static int wait_for_tables(const struct migrator *m, const struct db_migration *migration)
{
	static const char mark[] = "-- requires:";
	char line[256], missing[320], *rest = line;

	if (strncmp(migration->sql, mark, sizeof mark - 1) != 0)
		return 0;
	snprintf(line, sizeof line, "%.*s", (int)strcspn(migration->sql, "\n"), migration->sql);
	rest = line + sizeof mark - 1;
	for (char *name; (name = strsep(&rest, ", ")) != NULL;) {
		char *dot = strchr(name, '.');
		if (!*name)
			continue;
		if (!dot)
			return error_set(m->err, ERROR_INTERNAL, "migration %d: '%s' has no schema",
			                 migration->number, name);
		*dot = '\0';
		snprintf(missing, sizeof missing, "migration %d waits for table %s.%s", migration->number,
		         name, dot + 1);
		if (wait_until_true(
		        m,
		        "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'REFERENCES')"
		        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		        " WHERE n.nspname = $1 AND c.relname = $2",
		        name, dot + 1, missing) < 0)
			return -1;
	}
	return 0;
}

/* One statement at a time: several in one message are refused for some on a sharded table. */
static int run_all(const struct migrator *m, const char *what, const char *sql)
{
	const char *stmt;
	size_t length;

	while ((length = db_next_statement(&sql, &stmt)) > 0) {
		char *one = strndup(stmt, length);
		int done = one ? run(m, what, one) : -1;

		free(one);
		if (done < 0)
			return -1;
	}
	return 0;
}

/* Where the cluster was sharded before, a new table of owners goes where its sisters are: as a local one it would lose rows. */
static int place(const struct migrator *m)
{
	int workers, placed, there = db_placed_on(m->pg, &workers, m->err);
	char schemas[128];

	if (there <= 0)
		return there;
	placed = is_true(
	    m,
	    "SELECT EXISTS (SELECT FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid"
	    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND p.partmethod = 'h')",
	    m->schema, NULL);
	if (placed <= 0)
		return placed;
	snprintf(schemas, sizeof schemas, "{%s}", m->schema);
	return db_place(m->pg, schemas, NULL, m->err) < 0 ? -1 : 0;
}

static int apply(const struct migrator *m, const struct db_migration *migration, const char *checksum)
{
	OWN(pgresult) PGresult *res = NULL;
	char what[160], number[12];
	const char *values[] = { number, migration->name, checksum };

	snprintf(what, sizeof what, "migration %d (%s)", migration->number, migration->name);
	snprintf(number, sizeof number, "%d", migration->number);
	/* Of all schemas one at a time: foreign keys between them lock tables of both, in whatever order. */
	if (wait_for_tables(m, migration) < 0 || run(m, what, "BEGIN") < 0 ||
	    run(m, what, "SELECT pg_advisory_xact_lock(hashtextextended('parley.migrate', 0))") < 0 ||
	    run_all(m, what, migration->sql) < 0 || place(m) < 0)
		return -1; /* the connection ends with us, and so does its transaction */
	res = PQexecParams(m->pg, "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
	                   3, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		return failed(m, what, res);
	return run(m, what, "COMMIT");
}

/* 1 applied before, 0 not yet, -1 changed since. */
static int is_applied(const struct migrator *m, const PGresult *applied, const struct db_migration *migration,
                      const char *checksum)
{
	char number[12];
	int i = 0;

	snprintf(number, sizeof number, "%d", migration->number);
	while (i < PQntuples(applied) && strcmp(PQgetvalue(applied, i, 0), number) != 0)
		i++;
	if (i == PQntuples(applied))
		return 0;
	if (strcmp(PQgetvalue(applied, i, 1), checksum) == 0)
		return 1;
	return error_set(
	    m->err, ERROR_CONFLICT,
	    "%s: migration %d (%s) was applied with another text; write a new one instead of changing it",
	    m->schema, migration->number, migration->name);
}

static int migrate(const struct migrator *m, const struct db_migration *list)
{
	OWN(pgresult) PGresult *applied = NULL;

	if (wait_until_true(m, "SELECT pg_try_advisory_lock(hashtextextended('parley.migrate.' || $1, 0))",
	                    m->schema, NULL, "another replica is migrating and does not finish") < 0)
		return -1;
	if (run(m, "schema_migration",
	        "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name text NOT NULL,"
	        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())") < 0 ||
	    ask(m, "SELECT number, checksum FROM schema_migration WHERE number > $1", "0", NULL, &applied) <
	        0)
		return -1;
	for (; list->sql; list++) {
		char checksum[65];
		int before;
		sha256_hex(checksum, list->sql, strlen(list->sql));
		before = is_applied(m, applied, list, checksum);
		if (before < 0 || (!before && apply(m, list, checksum) < 0))
			return -1;
	}
	return 0;
}

int db_migrate(const char *url, const char *schema, const struct db_migration *list, int wait_ms,
               struct error *err)
{
	struct migrator m = { .url = url, .schema = schema, .until = clock_mono_ms() + wait_ms, .err = err };
	int done = connect_when_ready(&m) < 0 ? -1 : migrate(&m, list);

	PQfinish(m.pg); /* and with it the lock */
	return done;
}
