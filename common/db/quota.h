/*
 * quota: how much of something one owner may have. A statement that inserts a row counts for itself
 * ("INSERT … SELECT … WHERE (SELECT count(*) …) < $n"); here such statements of one owner come one after the other, since of two at
 * once neither sees what the other adds.
 */
#ifndef PARLEY_QUOTA_H
#define PARLEY_QUOTA_H

#include "common/db/db.h"

extern const struct db_stmt quota_statements[]; /* every pool knows them */

/* Runs the statement when no other of the same name runs for that owner; in a transaction of its own, or to the end of
 * the caller's, which should be short. 1: it inserted; 0: there is no room; -1. ret: its rows, or NULL. */
int quota_add(struct db *db, const char *owner, const char *stmt, struct db_args args, PGresult **ret,
              struct error *err) CHECKED;

#endif
