/*
 * pg: a real PostgreSQL for unit tests: the one of TEST_DATABASE_URL, which `make test-unit` provides; without it (a
 * test program run by hand), or where a test wants to stop the server, a private one on a Unix socket, started at first
 * use, as user postgres when we are root. The private one ends with the test program, however that ends; its files are
 * swept by the program, or by the next one. Any number run side by side.
 *
 * Failures end the program: a test cannot go on without.
 */
#ifndef PARLEY_TESTS_PG_H
#define PARLEY_TESTS_PG_H

/* A superuser's connection string. */
const char *pg_url(void);

/* Run statements as the superuser. */
void pg_sql(const char *sql);

/* A fresh, empty schema of that name; one that is there is dropped first. */
void pg_schema(const char *name);

/* From now on pg_url() is a private server, whatever the environment says. Stop it at once, as a crash would (0), or
 * in order (1), and start it again. */
void pg_private(void);
void pg_stop(int in_order);
void pg_start(void);
/* All of its processes stop where they are (1), as on a machine that hangs, or go on (0). */
void pg_freeze(int frozen);

#endif
