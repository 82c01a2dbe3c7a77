/*
 * place: which machine keeps what, in a database that Citus spreads over several.
 *
 * Owners' tables (those whose primary key begins with owner_id) are distributed by it, all rows of one owner together. The
 * users' table is copied to every machine, so that every owner's rows may refer to it. Job queues are made known to the
 * cluster but stay with the coordinator: a job and the row it belongs to are then committed in two phases. Whatever else
 * there is stays on the coordinator, as it was. What is placed already is left alone.
 */
#ifndef PARLEY_DB_PLACE_H
#define PARLEY_DB_PLACE_H

#include <libpq-fe.h>

#include "common/base/error.h"

/* Whether this database has Citus, and how many machines keep rows of owners. -1: it did not say. */
int db_placed_on(PGconn *conn, int *workers, struct error *err) CHECKED;

/*
 * Within a transaction: place what is not yet placed of these schemas ("{documents,chat}"), with the users' table "auth.users", or
 * NULL where that is placed already. The number of tables placed, or -1. Their foreign keys are dropped and made again, since
 * in no order of tables would all of them be allowed on the way.
 */
int db_place(PGconn *conn, const char *schemas, const char *users, struct error *err) CHECKED;

#endif
