/*
 * sharded: whether the statements and tables of a service fit a cluster that is sharded by owner (Citus): what is refused
 * there, what asks every shard, and what is lost silently.
 *
 * A table that has owner_id lies where its owner's other rows are. So a statement on one names its owner as a parameter,
 * in every subquery ("owner_id = $1"; that of another level does not do), and inserts it first; it sends no notification
 * (nobody listens on that machine), formats no time without AT TIME ZONE, and computes nothing volatile in an update. It
 * is also written so that a cluster's coordinator can write it out again: it may run it part by part. A unique constraint
 * on one has the owner in it. `job` is exempt: it stays in one place.
 */
#ifndef PARLEY_TESTS_SHARDED_H
#define PARLEY_TESTS_SHARDED_H

#include "common/db/db.h"

struct sharded {
	const struct db_migration *migrations;
	const struct db_stmt *const *statements;
	const char *const
	    *allowed; /* names of statements, and of unique indexes, that may do otherwise; ended by NULL */
};

/* How much is wrong; each is told on stderr. A name that is allowed and needs not be is wrong, too. */
int sharded_check(const struct sharded *what);

/* The whole of tests/unit/test_<service>_statements.c, which needs no database: `make tidy` runs them, as `make test` does. */
int sharded_main(const struct sharded *what);

#endif
