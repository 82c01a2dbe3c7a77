/*
 * ahead: the reads of many calls in one round trip, without a thread or a stack for each.
 *
 * Work that only reads, and makes the same of the same rows, may be run as often as one likes. With a struct db_ahead in
 * its struct db, db_exec() notes what is asked and fails; whatever the work makes of that is thrown away. Once
 * db_batch_run() has fetched what many of them noted, each is run again from its beginning, and db_exec() hands out the
 * rows. When `waits` is false after a run, it was the last:
 *
 *	do {
 *		db_ahead_again(&ahead);       (the work begins anew)
 *		failed = work(&db, &err);     (plain code: it knows of nothing)
 *		if (ahead.waits)
 *			db_batch_run(...);    (this one's reads, and those of others)
 *	} while (ahead.waits);
 *
 * Such work must not write or begin a transaction, and must ask the same in each run: time and whatever else changes by
 * itself come from outside (call->now). What does not keep to that fails with ERROR_INTERNAL, and `mistake` says why.
 */
#ifndef PARLEY_DB_AHEAD_H
#define PARLEY_DB_AHEAD_H

#include "common/db/db.h"

enum { DB_BATCH_MAX = 16, DB_AHEAD_MAX = 4 };

struct db_known;

/* A read that was noted, and what became of it: neither res nor failed until it was fetched. */
struct db_read {
	const struct db_known *known;
	struct db_args args; /* copied */
	int64_t until;       /* as db_wait_end() says */
	PGresult *res;
	struct error *failed;
	struct arena *arena; /* of its call */
};

struct db_ahead {
	struct arena *arena; /* of the notes */
	struct db_pool *pool;
	struct db_read reads[DB_AHEAD_MAX];
	int count, next;     /* noted; handed out in this run */
	bool waits;          /* the last one noted is to be fetched, then the work run again */
	const char *mistake; /* of the work: NULL, or what it did that it must not */
};

void db_ahead_init(struct db_ahead *ahead, struct arena *a);
void db_ahead_again(struct db_ahead *ahead); /* before each run */
void db_ahead_done(struct db_ahead *ahead);  /* before the arena is reset */

/* Fetches what these wait for (up to DB_BATCH_MAX, all of one pool); how that went is told by db_exec(). */
void db_batch_run(struct db_ahead *const *calls, int count);

#endif
