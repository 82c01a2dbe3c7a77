/*
 * db_rig: a schema with a few tables that refuse things, and a pool of four connections with statements to try them.
 */
#ifndef PARLEY_TESTS_DB_RIG_H
#define PARLEY_TESTS_DB_RIG_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/db/db.h"
#include "tests/unit/pg.h"

extern const struct db_stmt *const db_rig_tables[];
extern struct db_pool *pool;

int db_rig_open(void **state);
int db_rig_close(void **state);
int64_t db_rig_count(struct db *db); /* of the items */

#endif
