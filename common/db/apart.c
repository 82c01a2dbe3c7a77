#include "common/db/apart.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/db/internal.h"

enum { LOOK_MS = 500 /* how often we ask whether to stop */ };

/* What comes next, however long it takes; NULL: nothing does, or *where->stop. */
static PGresult *next(const struct db_apart *where, PGconn *pg)
{
	for (;;) {
		bool late = false;
		PGresult *res = db_next(pg, clock_mono_ms() + LOOK_MS, &late);

		if (!late || atomic_load(where->stop))
			return res;
	}
}

/* The first answer to what was sent. */
static int answer(const struct db_apart *where, PGconn *pg, int sent, PGresult **ret, struct error *err)
{
	OWN(pgresult) PGresult *first = sent ? next(where, pg) : NULL;
	bool ok = first && db_succeeded(first);

	if (atomic_load(where->stop))
		return error_busy(err, 1, "the service is stopping");
	if (!ok) {
		error_set(err, ERROR_UNAVAILABLE, "the database did not do what takes it long");
		error_detail(err, "%.*s", (int)strcspn(PQerrorMessage(pg), "\n"), PQerrorMessage(pg));
		return -1;
	}
	for (PGresult *rest; (rest = next(where, pg)) != NULL;)
		PQclear(rest);
	if (ret)
		*ret = TAKE(first);
	return 0;
}

/* 1 it is ours until the connection ends, 0 somebody else's, -1. */
static int take_lock(const struct db_apart *where, PGconn *pg, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int sent = PQsendQueryParams(pg, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", 1, NULL,
	                             (const char *const[]){ where->lock }, NULL, NULL, 0);

	if (answer(where, pg, sent, &res, err) < 0)
		return -1;
	return PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 't';
}

int db_run_apart(const struct db_apart *where, const char *sql, struct error *err)
{
	OWN(pgconn) PGconn *pg = db_connect(where->url, where->schema, 0, err);
	const char *stmt;
	size_t length;
	int ours;

	if (!pg)
		return -1;
	ours = take_lock(where, pg, err);
	while (ours > 0 && (length = db_next_statement(&sql, &stmt)) > 0) {
		char *one = strndup(stmt, length);

		if (!one)
			abort();
		if (answer(where, pg, PQsendQuery(pg, one), NULL, err) < 0)
			ours = -1;
		free(one);
	}
	return ours;
}
