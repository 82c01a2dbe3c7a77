/*
 * auth_db: the database of svc-auth for store tests: made as `svc-auth --init` and its migrations make it. Each test runs
 * in a transaction that is rolled back. Failures end the test with the error's words.
 */
#ifndef PARLEY_TESTS_AUTH_DB_H
#define PARLEY_TESTS_AUTH_DB_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/secret/secret.h"
#include "svc-auth/store.h"

extern struct db_pool *pool;
extern struct secret secret;
extern struct arena arena;
extern struct error err;
extern struct db db;

int auth_db_open(void **state);
int auth_db_close(void **state);
int auth_db_begin(void **state);
int auth_db_end(void **state);
#define AUTH_TEST(name) cmocka_unit_test_setup_teardown(name, auth_db_begin, auth_db_end)

#define OK(expression)                                                                 \
	do {                                                                           \
		if ((expression) < 0)                                                  \
			fail_msg("%s: %s (%s)", #expression, err.message, err.detail); \
	} while (0)

/* Ids in the arena. */
char *auth_db_user(const char *email, const char *password);
char *auth_db_session(const char *uid, const char *password);
size_t auth_db_revoked(void); /* how many revocations there are */

#endif
