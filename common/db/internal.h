/*
 * internal: what the files of db share.
 *
 *	connect.c  one connection: opening it, its settings, its prepared statements, what its errors mean
 *	pool.c     borrowing and giving back
 *	alone.c    is a connection ours alone?
 *	wait.c     waiting for an answer, with an end
 *	exec.c     statements and transactions
 *	ahead.c    reads that are noted, and fetched together
 *	together.c a transaction in one round trip
 *	row.c      rows into messages
 *	read.c     what stores write often, over these
 *	split.c    SQL as single statements
 *	migrate.c, listen.c, and what has a header of its own: apart.c, place.c, quota.c, throttle.c
 */
#ifndef PARLEY_DB_INTERNAL_H
#define PARLEY_DB_INTERNAL_H

#include <pthread.h>

#include "common/db/ahead.h"
#include "common/db/db.h"

enum {
	DB_STATEMENT_MS = 30 * 1000,        /* statement_timeout */
	DB_IDLE_TRANSACTION_MS = 60 * 1000, /* a transaction that nobody goes on with */
	DB_BORROW_MS = 5 * 1000,            /* wait for a free connection */
	DB_WAIT_MS =
	    DB_STATEMENT_MS + 5 * 1000, /* for an answer, from a server that should have given up by itself */
	DB_PING_MS = 2 * 1000,          /* for an answer to nothing */
	DB_STUCK_MS = 5 * 1000,         /* all connections busy and nothing answered: not ready */
};

#define DB_CONFUSED \
	"XX000" /* "internal error": a cluster that lost a worker in the middle of a commit says so */

#define DB_PREPARED_TWICE "42P05"
#define DB_NOT_PREPARED "26000"

OWN_DEFINE(pgconn, PGconn *, PQfinish)

/* A statement of the pool: the store's, and its place in each connection's list of what is prepared. */
struct db_known {
	const struct db_stmt *stmt;
	int index;
	bool reads;
};

struct db_conn {
	PGconn *pg;           /* does not block */
	struct metric *waits; /* the pool's */
	bool broken;          /* close it instead of giving it back */
	bool late;       /* it did not answer in time: so it is broken, which says nothing of the others */
	bool prepared[]; /* by db_known.index */
};

struct db_pool {
	const char *url, *schema; /* ours: freed with the pool */
	struct metric *waits;     /* may be NULL */
	struct db_known *known;   /* a hash table by name; empty places have no stmt */
	unsigned known_mask;
	int known_count;

	pthread_mutex_t lock;
	pthread_cond_t given_back;
	struct db_conn **idle; /* the last given back is borrowed first */
	int idle_count, open, max;
	int failures;     /* to connect, in a row */
	int64_t retry_at; /* monotonic ms: before it nobody tries */
	int64_t lost_at;  /* since when there is no connecting; 0: all is well */
	int64_t heard_at; /* when a connection was last given back sound */
	char words[320];  /* libpq's, of the last attempt that failed */
};

/* --- connect.c --------------------------------------------------------------------------------------------------- */

/* A raw connection with the session's settings; statement_ms 0: no bound. NULL with ERROR_UNAVAILABLE. */
PGconn *db_connect(const char *url, const char *schema, int statement_ms, struct error *err);

/* What became of a statement that failed. */
enum db_fate {
	DB_REFUSED, /* the database said no: not executed, and will not be on another connection either */
	DB_UNSENT,  /* certainly not executed, because of the connection: may be tried on another */
	DB_LOST,    /* the connection broke while it ran: nobody knows */
};
/* Fills err from a failed result (NULL: the connection's own words) and says what became of the statement. */
enum db_fate db_failed(const struct db_conn *conn, const char *stmt, const PGresult *res, struct error *err);

int db_prepare(struct db_conn *conn, const struct db_known *known, int64_t until, PGresult **failed);

int db_send(PGconn *pg, const char *stmt, struct db_args args); /* 1 sent */
bool db_succeeded(const PGresult *res);
void db_waited(const struct db_conn *conn); /* for the metric */
int db_nobody_knows(struct error *err);     /* -1: what failed may have been done; the detail stays */

/* --- ahead.c ----------------------------------------------------------------------------------------------------- */

/* This run's next read, as it was noted (fetched, or to be run alone now); NULL with err: not yet, or a mistake. */
struct db_read *db_ahead_next(struct db *db, const struct db_known *known, struct db_args args,
                              struct error *err);
int db_ahead_mistake(struct db_ahead *ahead, const char *what, struct error *err);

/* --- alone.c ----------------------------------------------------------------------------------------------------- */

/* Is a connection ours for as long as we hold it? 0, or -1 with a sentence: there is a pool in between that gives it to
 * several clients in turn, so that what is set, prepared, locked or listened for on it is not there when it is needed. */
#define DB_NOT_ALONE                                                                                      \
	"the database is behind a pool that gives a connection to several clients in turn; it must be a " \
	"client's for a whole session (PgBouncer: pool_mode = session)"
int db_check_alone(PGconn *pg, const char *url, const char *schema, struct error *err) CHECKED;

/* --- together.c -------------------------------------------------------------------------------------------------- */

extern const struct db_stmt db_transaction_statements[];

/* --- wait.c ------------------------------------------------------------------------------------------------------ */

/* All times are monotonic ms. */
int64_t db_wait_end(const struct db *db); /* of a statement that is sent now */
/* PQgetResult that does not wait past `until`: then NULL, and *late. */
PGresult *db_next(PGconn *pg, int64_t until, bool *late);
/* In a pipeline: the answer to one message, with the NULL that follows it. */
PGresult *db_receive(struct db_conn *conn, int64_t until);
/* The answer to what was sent (0: it could not be), with everything that belongs to it. NULL: ask db_failed(). */
PGresult *db_answer(PGconn *pg, int sent, int64_t until, bool *late);

/* --- split.c ----------------------------------------------------------------------------------------------------- */

/* The next statement, without comments before it and the semicolon after it: its length, 0 at the end. */
size_t db_next_statement(const char **sql, const char **ret);

/* --- pool.c ------------------------------------------------------------------------------------------------------ */

/* NULL with ERROR_UNAVAILABLE, when there is none by then or for DB_BORROW_MS. */
struct db_conn *db_borrow(struct db_pool *pool, int64_t until, struct error *err);
void db_give_back(struct db_pool *pool, struct db_conn *conn);
const struct db_known *db_statement(const struct db_pool *pool, const char *name);

#endif
