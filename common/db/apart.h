/*
 * apart: statements that take as long as they take and may stand in no transaction (CREATE INDEX CONCURRENTLY): on a
 * connection of their own, without a bound, so that nobody waits for them.
 */
#ifndef PARLEY_DB_APART_H
#define PARLEY_DB_APART_H

#include <stdatomic.h>

#include "common/base/error.h"

struct db_apart {
	const char *url, *schema;
	const char *lock;        /* of all processes that name it one runs at a time */
	const atomic_bool *stop; /* ends it early: within a second the server gives up what it was doing */
};

/* One after another, as far as they succeed. 1 done, 0 somebody else is at it, -1. */
int db_run_apart(const struct db_apart *where, const char *sql, struct error *err) CHECKED;

#endif
