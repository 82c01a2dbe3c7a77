/*
 * store_rig: a service's schema for store tests: made by its own migrations, beside stand-ins for the tables of others.
 * Each test runs in a transaction that is rolled back. Failures end the test with the error's words.
 */
#ifndef PARLEY_TESTS_STORE_RIG_H
#define PARLEY_TESTS_STORE_RIG_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/db/db.h"

#define ADA "00000000-0000-7000-8000-000000000001"
#define GRACE "00000000-0000-7000-8000-000000000002"

struct store_rig {
	const char *schema;
	const char *
	    neighbours; /* SQL: what the migrations refer to; auth.users with ADA and GRACE is there; or NULL */
	const struct db_migration *migrations;
	const struct db_stmt *const *statements;
	const char *const *measured; /* names of some of them, for store_rig_read(); or NULL */
};

extern struct arena arena;
extern struct error err;
extern struct db db;

int store_rig_open(const struct store_rig *rig);
int store_rig_close(void **state);
int store_rig_begin(void **state);
int store_rig_end(void **state);
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, store_rig_begin, store_rig_end)

#define OK(expression)                                                                 \
	do {                                                                           \
		if ((expression) < 0)                                                  \
			fail_msg("%s: %s (%s)", #expression, err.message, err.detail); \
	} while (0)

const char *store_rig_id(void);                  /* a new one, in the arena */
int64_t store_rig_number(const char *statement); /* of the test's own table, without parameters */
/* Runs it; how many rows of tables were read for it, whatever came of them. Analyse first what is compared with large tables. */
int64_t store_rig_read(const char *statement, struct db_args args);

#endif
