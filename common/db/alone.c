#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/internal.h"

/* One value that a query answers with, into a buffer; empty when there is none. */
static void ask(PGconn *pg, const char *sql, char *ret, size_t size)
{
	bool late = false;
	OWN(pgresult)
	PGresult *res = db_answer(pg, PQsendQuery(pg, sql), clock_mono_ms() + DB_PING_MS, &late);

	snprintf(ret, size, "%s", PQntuples(res) == 1 ? PQgetvalue(res, 0, 0) : "");
}

/* What one connection notes for its session: does another in a transaction see it, or the first itself no longer? */
static bool shared_with(PGconn *pg, PGconn *other)
{
	static const char read[] = "SELECT current_setting('parley.alone', true)";
	char mark[40], sql[100], seen[40], kept[40];

	uuid_make(mark);
	snprintf(sql, sizeof sql, "SELECT set_config('parley.alone', '%s', false)", mark);
	ask(pg, sql, seen, sizeof seen);
	ask(other, "BEGIN", seen, sizeof seen);
	ask(other, read, seen, sizeof seen);
	ask(pg, read, kept, sizeof kept);
	ask(other, "ROLLBACK", sql, sizeof sql);
	return !strcmp(seen, mark) || (*kept && strcmp(kept, mark) != 0);
}

int db_check_alone(PGconn *pg, const char *url, const char *schema, struct error *err)
{
	enum { ROUNDS = 5 /* other clients of the pool may come in between */ };
	OWN(pgconn) PGconn *other = NULL;
	char pid[20];
	bool shared = false;

	ask(pg, "SELECT pg_backend_pid()", pid, sizeof pid);
	if (!*pid || strtol(pid, NULL, 10) == PQbackendPID(pg)) /* a pool makes the number up that it tells */
		return 0;
	other = db_connect(url, schema, DB_STATEMENT_MS, err);
	if (!other)
		return -1;
	for (int i = 0; i < ROUNDS && !shared; i++)
		shared = shared_with(pg, other);
	return shared ? error_set(err, ERROR_INVALID, "%s", DB_NOT_ALONE) : 0;
}
