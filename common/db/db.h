/*
 * db: PostgreSQL for a service: a small pool of connections with every statement prepared, and its migrations.
 *
 * A struct db is one caller's view of the pool. It borrows a connection for the length of one statement, or from
 * db_begin() to db_commit(); so no connection is held while a handler waits for a model or a socket.
 * Connections come back by themselves after a restart of the database: a statement that found its connection dead
 * before it was sent is tried once more on a fresh one; what fails later is ERROR_UNAVAILABLE when it was certainly
 * not executed, ERROR_UNKNOWN_OUTCOME when nobody can tell (a lost commit). While the database is away calls fail at
 * once, and one of them tries to connect now and then. Sessions speak UTF-8 and UTC, see their own schema and
 * `public`, and give up a statement after 30 s. No wait is longer than db->until: a server that does not answer (a
 * stopped backend, a cut network) costs the connection, and is told as one that broke. Only connecting takes as long as
 * libpq needs to try each host: 3 s.
 */
#ifndef PARLEY_DB_H
#define PARLEY_DB_H

#include <libpq-fe.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/metrics.h"
#include "common/base/own.h"

OWN_DEFINE(pgresult, PGresult *, PQclear)

/*
 * All statements of a service stand in tables in its store*.c, named as the function that uses them. One that begins
 * with SELECT is taken to change nothing: run outside a transaction, it may be sent again after a lost connection.
 */
struct db_stmt {
	const char *name, *sql;
};

struct db_migration { /* made at build time from svc-<name>/migrations/NNN_<name>.sql */
	int number;
	const char *name, *sql;
};

struct db_config {
	const char *url;    /* libpq connection string or URI; several hosts are fine */
	const char *schema; /* the service's own: its search_path, its migrations */
	int connections;    /* at most; opened as needed */
	const struct db_stmt *const
	    *statements;      /* tables, each ended by a NULL name; the list ended by NULL */
	struct metric *waits; /* counts how often something was sent and waited for; may be NULL */
};

struct db_pool;

/* Waits up to wait_ms for the database. Every statement is prepared once, so a typo stops the start. */
int db_pool_open(const struct db_config *config, int wait_ms, struct db_pool **ret,
                 struct error *err) CHECKED;
void db_pool_free(struct db_pool *pool);
int db_pool_ready(struct db_pool *pool); /* 1 when a connection answers now: for /readyz */

/*
 * Apply what is missing of a list that ends with a row of nothing, in order, each in a transaction, under an advisory
 * lock. Uses a connection of its own. Refuses when the text of an applied one has changed. Waits up to wait_ms in all for the database, for the schema, and for the
 * tables of others that a migration names in its first line ("-- requires: auth.users, documents.document").
 */
int db_migrate(const char *url, const char *schema, const struct db_migration *list, int wait_ms,
               struct error *err) CHECKED;

struct db {
	struct db_pool *pool;
	struct db_conn *held;   /* between db_begin and its end */
	int depth;              /* of nested db_begin: savepoints */
	struct db_ahead *ahead; /* usually NULL; see common/db/ahead.h */
	struct db_after *after; /* the latest first */
	int64_t until;          /* monotonic ms: when its caller waits no more; 0: nobody does */
	int patience; /* ms that one statement may take; 0: a little more than the database gives it */
};

/* What is to be done once something is committed: lives as long as the transaction. */
struct db_after {
	void (*fn)(void *arg);
	void *arg;
	int depth;
	struct db_after *next;
};

void db_init(struct db *db, struct db_pool *pool);
void db_done(struct db *db); /* rolls back what was left open */

/* A parameter, made by DB_ARGS from its C type. A NULL string is SQL NULL. */
struct db_arg {
	const char *text; /* NULL: SQL NULL, unless number is used */
	size_t size;      /* of binary */
	bool binary, inlined;
	char number[32];
};

struct db_arg db_arg_text(const char *value);
struct db_arg db_arg_int(int64_t value);
struct db_arg db_arg_real(double value);
struct db_arg db_arg_bool(bool value);
struct db_arg db_arg_bytes(ProtobufCBinaryData value); /* bytea, sent as it is */

#define DB_ARG(x) \
	_Generic((x), char *: db_arg_text, const char *: db_arg_text, double: db_arg_real, float: db_arg_real, \
	    bool: db_arg_bool, ProtobufCBinaryData: db_arg_bytes, default: db_arg_int)(x)

struct db_args {
	const struct db_arg *args;
	int count;
};
enum { DB_ARGS_MAX = 16 };
/* DB_ARGS(a, b, ...): up to DB_ARGS_MAX values, none for DB_ARGS(). Lives as long as the block it stands in. */
#define DB_ARGS(...) \
	((struct db_args){ (const struct db_arg[]){ { 0 } DB_EACH(__VA_ARGS__) } + 1, DB_COUNT(__VA_ARGS__) })

/* An array parameter for "= ANY($n)": '{"a","b"}' as PostgreSQL reads it, in the arena. */
char *db_text_array(char *const *values, size_t count, struct arena *a);

/* Run a prepared statement. *ret is the caller's; ret may be NULL when no rows matter. */
int db_exec(struct db *db, const char *stmt, struct db_args args, PGresult **ret, struct error *err) CHECKED;
/* The same, and the number of rows changed (or returned). */
int db_change(struct db *db, const char *stmt, struct db_args args, int64_t *rows, struct error *err) CHECKED;

/* A transaction; nested ones are savepoints. On failure of anything within, db_commit included, call db_rollback. */
int db_begin(struct db *db, struct error *err) CHECKED;
int db_commit(struct db *db, struct error *err) CHECKED;
void db_rollback(struct db *db);
/* When the transaction is committed, in this order; at once outside of one, never after a rollback. For what must not be
 * said of something that is not done: a log line. */
void db_after_commit(struct db *db, struct db_after *after, void (*fn)(void *arg), void *arg);

/*
 * Several statements as one transaction in one round trip; each sees what the ones before it did. Their answers are the
 * caller's, to be given back with db_steps_done(). Within a transaction they run one by one, and are undone together.
 */
enum { DB_TOGETHER_MAX = 32 };
struct db_step {
	const char *stmt;
	struct db_args args;
	PGresult *res;
};
int db_together(struct db *db, struct db_step *steps, int count, struct error *err) CHECKED;
void db_steps_done(struct db_step *steps, int count);

/*
 * SQL states. What a constraint refuses is ERROR_NOT_FOUND (a foreign key: "what this belongs to does not exist") or
 * ERROR_CONFLICT (a unique one: "there is one of these already"); a store that can say more asks
 * db_failed_with(err, DB_UNIQUE, "item_name"), clears the error and uses its own words. `constraint` NULL: any.
 */
#define DB_UNIQUE "23505"
#define DB_FOREIGN "23503"
int db_failed_with(const struct error *err, const char *sqlstate, const char *constraint);

/*
 * A row into a message: columns are matched to fields by name (SELECT number AS id), so a row goes straight into
 * the message. timestamptz becomes RFC 3339, text[] and uuid[] a repeated string, json text, an enum is read by its
 * lower-case name, NULL stays absent. A column without a field is a bug and fails.
 */
int db_row(const PGresult *res, int row, ProtobufCMessage *msg, struct arena *a, struct error *err) CHECKED;

/* Every row into a new message each: fills a repeated field. */
int db_rows(const PGresult *res, const ProtobufCMessageDescriptor *type, size_t *n, void *ret_array,
            struct arena *a, struct error *err) CHECKED;

/*
 * What stores write often. db_find, db_one: 1 found, 0 there is no row, -1. The first row; the statement finds one at
 * most.
 */
int db_find(struct db *db, const char *stmt, struct db_args args, PGresult **ret, struct error *err) CHECKED;
int db_one(struct db *db, const char *stmt, struct db_args args, ProtobufCMessage *out, struct arena *a,
           struct error *err) CHECKED;
/* The one number that it answers; 0 for NULL or no row. */
int db_number(struct db *db, const char *stmt, struct db_args args, int64_t *ret, struct error *err) CHECKED;
/* 1 something was changed, 0 nothing, -1. */
int db_changed(struct db *db, const char *stmt, struct db_args args, struct error *err) CHECKED;
/* Such an answer as a handler's 0 or -1: 0 is ERROR_NOT_FOUND, "no such document". */
int db_must_find(int found, const char *what, struct error *err) CHECKED;

/*
 * A page of a list: rows into the list's repeated field, and into its `next` the last one's id when more follow. The
 * statement has one parameter more than args, its LIMIT. limit: what the caller asked for, 0 for nothing; at most `most`.
 */
int db_page(struct db *db, const char *stmt, struct db_args args, int limit, int most, ProtobufCMessage *list,
            struct arena *a, struct error *err) CHECKED;

/* Single cells. */
const char *db_text(const PGresult *res, int row, const char *column); /* NULL for SQL NULL */
int64_t db_int(const PGresult *res, int row, const char *column);      /* 0 for SQL NULL */
ProtobufCBinaryData db_bytes(const PGresult *res, int row, const char *column, struct arena *a);
int64_t db_affected(const PGresult *res); /* how many a statement gave, or has changed */

/* LISTEN on a connection of its own, reconnecting: fn runs on that thread for every NOTIFY, and once for each channel
 * with a NULL payload after each (re)connect, when notifications may have been missed. */
struct db_listener;
int db_listen(const char *url, const char *const *channels,
              void (*fn)(void *arg, const char *channel, const char *payload), void *arg,
              struct db_listener **ret, struct error *err) CHECKED;
void db_listener_free(struct db_listener *l);

#include "common/db/args.h"

#endif
