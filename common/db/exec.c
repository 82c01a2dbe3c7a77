#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/db/internal.h"

/* --- Parameters -------------------------------------------------------------------------------------------------- */

struct db_arg db_arg_text(const char *value)
{
	return (struct db_arg){ .text = value };
}

struct db_arg db_arg_int(int64_t value)
{
	struct db_arg arg = { .inlined = true };

	snprintf(arg.number, sizeof arg.number, "%lld", (long long)value);
	return arg;
}

struct db_arg db_arg_real(double value)
{
	struct db_arg arg = { .inlined = true };

	snprintf(arg.number, sizeof arg.number, "%.17g", value);
	return arg;
}

struct db_arg db_arg_bool(bool value)
{
	return (struct db_arg){ .text = value ? "t" : "f" };
}

struct db_arg db_arg_bytes(ProtobufCBinaryData value)
{
	/* no data at all is an empty string of bytes, not NULL */
	return (struct db_arg){ .text = value.data ? (const char *)value.data : "",
		                .size = value.len,
		                .binary = true };
}

char *db_text_array(char *const *values, size_t count, struct arena *a)
{
	struct text out;

	text_init(&out, a);
	text_addc(&out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_addc(&out, ',');
		if (!values[i]) {
			text_adds(&out, "NULL");
			continue;
		}
		text_addc(&out, '"');
		for (const char *c = values[i]; *c;) {
			size_t plain = strcspn(c, "\"\\");

			text_add(&out, c, plain);
			c += plain;
			if (*c) {
				text_addc(&out, '\\');
				text_addc(&out, *c++);
			}
		}
		text_addc(&out, '"');
	}
	text_addc(&out, '}');
	return out.at;
}

/* --- Statements -------------------------------------------------------------------------------------------------- */

/* Whether the connection is of no use any more: a cluster's coordinator that lost one of its workers still is. */
static bool is_broken(const struct db_conn *conn, enum db_fate fate)
{
	return fate == DB_UNSENT || conn->late || PQstatus(conn->pg) == CONNECTION_BAD;
}

void db_waited(const struct db_conn *conn)
{
	if (conn->waits)
		metric_add(conn->waits, 1);
}

/* On one connection; what became of it in *fate when it fails. */
static int run(struct db_conn *conn, const struct db_known *known, struct db_args args, int64_t until,
               PGresult **ret, enum db_fate *fate, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_prepare(conn, known, until, &res) < 0) {
		*fate = db_failed(conn, known->stmt->name, res, err);
		conn->broken = is_broken(conn, *fate);
		if (*fate == DB_LOST)
			*fate = DB_UNSENT; /* it was not even prepared */
		return -1;
	}
	db_waited(conn);
	res = db_answer(conn->pg, db_send(conn->pg, known->stmt->name, args), until, &conn->late);
	if (!db_succeeded(res)) {
		*fate = db_failed(conn, known->stmt->name, res, err);
		conn->broken = is_broken(conn, *fate);
		return -1;
	}
	*ret = TAKE(res);
	return 0;
}

static int time_is_up(struct error *err)
{
	return error_busy(err, 1, "the time for this is up");
}

/* The detail, for the log, stays. */
int db_nobody_knows(struct error *err)
{
	struct error before = *err;

	error_clear(err);
	error_set(err, ERROR_UNKNOWN_OUTCOME,
	          "the connection to the database broke; it may or may not have been done");
	error_detail(err, "%s", before.detail);
	return -1;
}

/* On a borrowed connection: a broken one is not the caller's trouble as long as nothing can have happened on it. */
static int run_alone(struct db *db, const struct db_known *known, struct db_args args, PGresult **ret,
                     struct error *err)
{
	enum db_fate fate = DB_REFUSED;
	int64_t until = db_wait_end(db);

	for (int attempt = 1; attempt <= 2; attempt++) {
		struct db_conn *conn = db_borrow(db->pool, until, err);
		int failed;
		if (!conn)
			return -1;
		failed = run(conn, known, args, until, ret, &fate, err);
		db_give_back(db->pool, conn);
		if (!failed)
			return 0;
		if (fate == DB_LOST && !known->reads)
			return db_nobody_knows(err);
		if (fate == DB_REFUSED || attempt == 2)
			return -1;
		error_clear(err);
	}
	return -1;
}

/* The rows, when they have been fetched; a copy, for the next run may want them again. */
static int run_ahead(struct db *db, const struct db_known *known, struct db_args args, PGresult **ret,
                     struct error *err)
{
	struct db_read *read = db_ahead_next(db, known, args, err);
	struct error alone = { 0 };

	if (!read)
		return -1;
	if (!read->res && !read->failed && run_alone(db, known, args, &read->res, &alone) < 0)
		read->failed = arena_memdup(db->ahead->arena, &alone, sizeof alone);
	if (read->failed) {
		if (err->code == ERROR_NONE) /* the first one counts */
			*err = *read->failed;
		return -1;
	}
	*ret = PQcopyResult(read->res, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
	return *ret ? 0 : error_internal(err, "no memory for rows");
}

static int run_held(struct db *db, const struct db_known *known, struct db_args args, PGresult **ret,
                    struct error *err)
{
	int64_t until = db_wait_end(db);
	enum db_fate fate;

	if (until <= clock_mono_ms())
		return time_is_up(err);
	return run(db->held, known, args, until, ret, &fate, err);
}

int db_exec(struct db *db, const char *stmt, struct db_args args, PGresult **ret, struct error *err)
{
	const struct db_known *known = db_statement(db->pool, stmt);
	OWN(pgresult) PGresult *res = NULL;
	int failed;

	if (!known)
		return error_internal(err, "no statement is named %s", stmt);
	if (db->held) /* lost or not: without its commit nothing has happened */
		failed = run_held(db, known, args, &res, err);
	else if (db->ahead)
		failed = run_ahead(db, known, args, &res, err);
	else
		failed = run_alone(db, known, args, &res, err);
	if (failed)
		return -1;
	if (ret)
		*ret = TAKE(res);
	return 0;
}

int db_change(struct db *db, const char *stmt, struct db_args args, int64_t *rows, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, stmt, args, &res, err) < 0)
		return -1;
	*rows = db_affected(res);
	return 0;
}

/* --- Transactions ------------------------------------------------------------------------------------------------ */

void db_init(struct db *db, struct db_pool *pool)
{
	*db = (struct db){ .pool = pool };
}

void db_done(struct db *db)
{
	while (db->depth > 0)
		db_rollback(db);
}

static void release(struct db *db)
{
	db_give_back(db->pool, db->held);
	db->held = NULL;
	db->depth = 0;
}

/* BEGIN and its kin: no parameters, no rows. */
static int control(struct db *db, const char *sql, int64_t until, enum db_fate *fate, struct error *err)
{
	struct db_conn *conn = db->held;
	OWN(pgresult) PGresult *res = NULL;

	if (until <= clock_mono_ms()) {
		*fate = DB_REFUSED;
		return time_is_up(err);
	}
	db_waited(conn);
	res = db_answer(conn->pg, PQsendQuery(conn->pg, sql), until, &conn->late);
	if (PQresultStatus(res) == PGRES_COMMAND_OK)
		return 0;
	*fate = db_failed(conn, sql, res, err);
	conn->broken = conn->broken || is_broken(conn, *fate);
	return -1;
}

static int savepoint(struct db *db, const char *verb, struct error *err)
{
	enum db_fate fate;
	char sql[64];

	snprintf(sql, sizeof sql, "%s s%d", verb, db->depth);
	return control(db, sql, db_wait_end(db), &fate, err);
}

int db_begin(struct db *db, struct error *err)
{
	int64_t until = db_wait_end(db);
	enum db_fate fate;

	if (db->ahead)
		return db_ahead_mistake(db->ahead, "begins a transaction", err);
	if (db->depth > 0) {
		if (savepoint(db, "SAVEPOINT", err) < 0)
			return -1;
		db->depth++;
		return 0;
	}
	for (int attempt = 1; attempt <= 2; attempt++) {
		db->held = db_borrow(db->pool, until, err);
		if (!db->held)
			return -1;
		if (control(db, "BEGIN", until, &fate, err) == 0) {
			db->depth = 1;
			return 0;
		}
		release(db);
		if (fate == DB_REFUSED || attempt == 2)
			break;
		error_clear(err);
	}
	return -1;
}

/* What was asked for at this depth or deeper is not going to be. */
static void forget_after(struct db *db, int depth)
{
	while (db->after && db->after->depth >= depth)
		db->after = db->after->next;
}

static void run_after(struct db *db)
{
	struct db_after *first = NULL, *next;

	for (struct db_after *a = db->after; a; a = next) {
		next = a->next;
		a->next = first;
		first = a;
	}
	db->after = NULL;
	for (; first; first = next) {
		next = first->next;
		first->fn(first->arg);
	}
}

void db_after_commit(struct db *db, struct db_after *after, void (*fn)(void *arg), void *arg)
{
	*after = (struct db_after){ fn, arg, db->depth, db->after };
	db->after = after;
	if (db->depth == 0)
		run_after(db);
}

int db_commit(struct db *db, struct error *err)
{
	enum db_fate fate;

	assert(db->depth > 0);
	if (db->depth > 1) {
		db->depth--;
		if (savepoint(db, "RELEASE", err) < 0) {
			db->depth++;
			return -1;
		}
		for (struct db_after *a = db->after; a && a->depth > db->depth; a = a->next)
			a->depth = db->depth; /* the outer one's from now on */
		return 0;
	}
	if (PQtransactionStatus(db->held->pg) == PQTRANS_INERROR)
		return error_internal(err, "commit of a transaction that has failed");
	if (control(db, "COMMIT", db_wait_end(db), &fate, err) == 0) {
		release(db);
		run_after(db);
		return 0;
	}
	if (fate == DB_REFUSED && !db_failed_with(err, DB_CONFUSED, NULL))
		return -1; /* a deferred constraint, a serialization failure: rolled back */
	return db_nobody_knows(err);
}

void db_rollback(struct db *db)
{
	int64_t until = clock_mono_ms() + DB_PING_MS; /* whatever the time: else the connection is lost */
	struct error ignored = { 0 };
	enum db_fate fate;

	forget_after(db, db->depth);
	if (db->depth > 1) {
		db->depth--;
		if (savepoint(db, "ROLLBACK TO", &ignored) < 0 || savepoint(db, "RELEASE", &ignored) < 0)
			db->held->broken = true; /* the outer one fails with what it tries next */
		return;
	}
	if (db->depth == 0)
		return;
	if (PQtransactionStatus(db->held->pg) != PQTRANS_IDLE &&
	    control(db, "ROLLBACK", until, &fate, &ignored) < 0)
		db->held->broken = true;
	release(db);
}
