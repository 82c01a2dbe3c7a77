#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/db/internal.h"
#include "common/db/quota.h"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 1000, CONNECT_MS = 5000 };

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* --- Statements -------------------------------------------------------------------------------------------------- */

static struct db_known *place_of(const struct db_pool *pool, const char *name)
{
	for (unsigned i = fnv1a(name);; i++) {
		struct db_known *at = &pool->known[i & pool->known_mask];
		if (!at->stmt || strcmp(at->stmt->name, name) == 0)
			return at;
	}
}

const struct db_known *db_statement(const struct db_pool *pool, const char *name)
{
	const struct db_known *known = place_of(pool, name);

	return known->stmt ? known : NULL;
}

static int learn(struct db_pool *pool, const struct db_stmt *table, struct error *err)
{
	for (const struct db_stmt *s = table; s->name; s++) {
		struct db_known *at = place_of(pool, s->name);

		if (at->stmt)
			return error_internal(err, "two statements are named %s", s->name);
		*at = (struct db_known){ .stmt = s,
			                 .index = pool->known_count++,
			                 .reads = strncasecmp(s->sql, "SELECT ", 7) == 0 };
	}
	return 0;
}

static int learn_statements(struct db_pool *pool, const struct db_stmt *const *tables, struct error *err)
{
	unsigned count = 3, room = 16; /* with those of our own */

	for (const struct db_stmt *const *t = tables; t && *t; t++) {
		for (const struct db_stmt *s = *t; s->name; s++)
			count++;
	}
	while (room < 2 * count)
		room *= 2;
	pool->known = must(calloc(room, sizeof *pool->known));
	pool->known_mask = room - 1;
	for (const struct db_stmt *const *t = tables; t && *t; t++)
		if (learn(pool, *t, err) < 0)
			return -1;
	return learn(pool, quota_statements, err) < 0 ? -1 : learn(pool, db_transaction_statements, err);
}

/* --- Connections ------------------------------------------------------------------------------------------------- */

static struct db_conn *conn_open(struct db_pool *pool, struct error *err)
{
	PGconn *pg = db_connect(pool->url, pool->schema, DB_STATEMENT_MS, err);
	struct db_conn *conn;

	if (!pg)
		return NULL;
	conn = must(calloc(1, sizeof *conn + (size_t)pool->known_count * sizeof *conn->prepared));
	conn->pg = pg;
	PQsetnonblocking(pg, 1); /* see wait.c */
	conn->waits = pool->waits;
	return conn;
}

static void conn_close(struct db_conn *conn)
{
	PQfinish(conn->pg);
	free(conn);
}

/* An idle connection has nothing to say but that it ends. Costs one poll(). */
static bool conn_alive(const struct db_conn *conn)
{
	struct pollfd fd = { .fd = PQsocket(conn->pg), .events = POLLIN };

	return poll(&fd, 1, 0) == 0;
}

/* How long nobody tries to connect after so many failures; by chance a little more, so that processes spread. */
static int pause_after(int failures)
{
	int pause = FIRST_PAUSE_MS << (failures < 6 ? failures - 1 : 5);
	unsigned chance;

	random_bytes(&chance, sizeof chance);
	pause = pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
	return pause + (int)(chance % (unsigned)(pause / 4 + 1));
}

/* One line when it is away and one when it is back, with libpq's words: the log of every service says what is the matter. */
static void found_again(struct db_pool *pool)
{
	if (pool->lost_at)
		log_line(LOG_WARN, "the database is back", LOG_TEXT("schema", pool->schema),
		         LOG_INT("away_ms", clock_mono_ms() - pool->lost_at));
	pool->lost_at = 0;
}

static void lost(struct db_pool *pool, const char *words)
{
	snprintf(pool->words, sizeof pool->words, "%.*s", (int)sizeof pool->words - 1, words);
	if (!pool->lost_at)
		log_line(LOG_WARN, "the database is away", LOG_TEXT("schema", pool->schema),
		         LOG_TEXT("reason", pool->words));
	pool->lost_at = pool->lost_at ? pool->lost_at : clock_mono_ms();
}

/* Called with the lock held and a place counted in pool->open; gives the lock up while it connects. */
static struct db_conn *open_in_place(struct db_pool *pool, struct error *err)
{
	struct db_conn *conn;

	if (pool->failures > 0) /* one tries, the others need not wait for the same disappointment */
		pool->retry_at = clock_mono_ms() + CONNECT_MS;
	pthread_mutex_unlock(&pool->lock);
	conn = conn_open(pool, err);
	pthread_mutex_lock(&pool->lock);
	if (conn) {
		pool->failures = 0;
		pool->retry_at = 0;
		found_again(pool);
		return conn;
	}
	lost(pool, err->detail);
	pool->open--;
	pool->failures++;
	pool->retry_at = clock_mono_ms() + pause_after(pool->failures);
	pthread_cond_broadcast(
	    &pool->given_back); /* who waits for a connection: there are none to wait for */
	return NULL;
}

/* An idle connection, or a fresh one while there is room; else waits for one to come back. */
static struct db_conn *take_locked(struct db_pool *pool, int64_t until, bool *fresh, struct error *err)
{
	int64_t patience = clock_mono_ms() + DB_BORROW_MS;

	if (clock_mono_ms() >= until) {
		error_busy(err, 1, "the time for this is up");
		return NULL;
	}
	if (until > patience)
		until = patience;
	for (;;) {
		*fresh = pool->idle_count == 0;
		if (pool->idle_count > 0)
			return pool->idle[--pool->idle_count];
		if (pool->open < pool->max && clock_mono_ms() < pool->retry_at) {
			error_busy(err, 1, "the database is away");
			error_detail(err, "%s", pool->words);
			return NULL;
		}
		if (pool->open < pool->max) {
			pool->open++;
			return open_in_place(pool, err);
		}
		if (cond_wait_until(&pool->given_back, &pool->lock, until) < 0) {
			error_busy(err, 1, "the database is busy");
			return NULL;
		}
	}
}

struct db_conn *db_borrow(struct db_pool *pool, int64_t until, struct error *err)
{
	struct db_conn *conn;
	bool fresh;

	for (;;) {
		pthread_mutex_lock(&pool->lock);
		conn = take_locked(pool, until, &fresh, err);
		pthread_mutex_unlock(&pool->lock);
		if (!conn || fresh || conn_alive(conn))
			return conn;
		conn->broken = true;
		db_give_back(pool, conn);
	}
}

/* With the lock held: closes what is idle. */
static void close_idle(struct db_pool *pool)
{
	while (pool->idle_count > 0) {
		conn_close(pool->idle[--pool->idle_count]);
		pool->open--;
	}
}

void db_give_back(struct db_pool *pool, struct db_conn *conn)
{
	bool keep = !conn->broken && PQtransactionStatus(conn->pg) == PQTRANS_IDLE;

	pthread_mutex_lock(&pool->lock);
	if (keep)
		pool->heard_at = clock_mono_ms();
	if (conn->broken && !conn->late) {
		close_idle(pool); /* a database that stops or moves breaks them all, one after the other */
		pthread_cond_broadcast(&pool->given_back);
	}
	if (keep)
		pool->idle[pool->idle_count++] = conn;
	else
		pool->open--;
	pthread_cond_signal(&pool->given_back);
	pthread_mutex_unlock(&pool->lock);
	if (!keep)
		conn_close(conn);
}

/* --- The pool ---------------------------------------------------------------------------------------------------- */

/* A statement that is there before we prepare it, or not there afterwards: other clients share the connection. */
static int not_ours_alone(struct error *err)
{
	struct error before = *err;

	if (!db_failed_with(err, DB_PREPARED_TWICE, NULL) && !db_failed_with(err, DB_NOT_PREPARED, NULL))
		return -1;
	error_clear(err);
	error_set(err, ERROR_INVALID, "%s", DB_NOT_ALONE);
	error_detail(err, "%s", before.detail);
	return -1;
}

static int send_statements(const struct db_pool *pool, struct db_conn *conn)
{
	if (PQenterPipelineMode(conn->pg) != 1)
		return -1;
	for (unsigned i = 0; i <= pool->known_mask; i++) {
		const struct db_stmt *stmt = pool->known[i].stmt;
		if (stmt && PQsendPrepare(conn->pg, stmt->name, stmt->sql, 0, NULL) != 1)
			return -1;
	}
	return PQpipelineSync(conn->pg) == 1 ? 0 : -1;
}

/* -1: no sync came. *failed: the first answer that is none, *which: to what. */
static int receive_prepared(const struct db_pool *pool, struct db_conn *conn, PGresult **failed,
                            const char **which)
{
	int64_t until = clock_mono_ms() + DB_WAIT_MS;
	OWN(pgresult) PGresult *sync = NULL;

	for (unsigned i = 0; i <= pool->known_mask; i++) {
		const struct db_known *known = &pool->known[i];
		OWN(pgresult) PGresult *res = known->stmt ? db_receive(conn, until) : NULL;
		if (!known->stmt)
			continue;
		conn->prepared[known->index] = db_succeeded(res);
		if (!db_succeeded(res) && !*which) {
			*which = known->stmt->name;
			*failed = TAKE(res);
		}
	}
	sync = db_next(conn->pg, until, &conn->late);
	return PQresultStatus(sync) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1 ? 0 : -1;
}

/* Every statement, on one connection and in one round trip: a typo shows now. */
static int prepare_all(const struct db_pool *pool, struct db_conn *conn, struct error *err)
{
	OWN(pgresult) PGresult *failed = NULL;
	const char *which = NULL;

	if (send_statements(pool, conn) == 0 && receive_prepared(pool, conn, &failed, &which) == 0 && !which)
		return 0;
	db_failed(conn, which ? which : "-", failed, err);
	conn->broken = true;
	return not_ours_alone(err);
}

static int first_connection(struct db_pool *pool, int wait_ms, struct error *err)
{
	int64_t until = clock_mono_ms() + wait_ms;
	struct db_conn *conn;
	int failed;

	while (!(conn = db_borrow(pool, INT64_MAX, err))) {
		if (clock_mono_ms() >= until)
			return -1;
		error_clear(err);
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000000 }, NULL);
	}
	failed = db_check_alone(conn->pg, pool->url, pool->schema, err);
	if (failed == 0)
		failed = prepare_all(pool, conn, err);
	db_give_back(pool, conn);
	return failed;
}

int db_pool_open(const struct db_config *config, int wait_ms, struct db_pool **ret, struct error *err)
{
	struct db_pool *pool = must(calloc(1, sizeof *pool));

	assert(config->connections > 0);
	pool->url = must(strdup(config->url));
	pool->schema = must(strdup(config->schema));
	pool->waits = config->waits;
	pool->max = config->connections;
	pool->idle = must(calloc((size_t)pool->max, sizeof(struct db_conn *)));
	pthread_mutex_init(&pool->lock, NULL);
	cond_init_monotonic(&pool->given_back);
	if (learn_statements(pool, config->statements, err) < 0 || first_connection(pool, wait_ms, err) < 0) {
		db_pool_free(pool);
		return -1;
	}
	*ret = pool;
	return 0;
}

/* Until everything borrowed is back; false when somebody keeps theirs for too long. */
static bool all_given_back(struct db_pool *pool)
{
	int64_t until = clock_mono_ms() + DB_BORROW_MS;
	bool all;

	pthread_mutex_lock(&pool->lock);
	while (pool->idle_count < pool->open && cond_wait_until(&pool->given_back, &pool->lock, until) == 0)
		;
	all = pool->idle_count == pool->open;
	pthread_mutex_unlock(&pool->lock);
	return all;
}

void db_pool_free(struct db_pool *pool)
{
	if (!pool || !all_given_back(pool))
		return; /* the process ends anyway; who still holds a connection must not find it freed */
	close_idle(pool);
	pthread_cond_destroy(&pool->given_back);
	pthread_mutex_destroy(&pool->lock);
	free(pool->idle);
	free(pool->known);
	free((char *)pool->url);
	free((char *)pool->schema);
	free(pool);
}

int db_pool_ready(struct db_pool *pool)
{
	int64_t until = clock_mono_ms() + DB_PING_MS;
	OWN(pgresult) PGresult *res = NULL;
	struct error err = { 0 };
	struct db_conn *conn;
	bool all_busy, heard;
	int ready;

	pthread_mutex_lock(&pool->lock);
	all_busy = pool->idle_count == 0 && pool->open == pool->max;
	heard = clock_mono_ms() - pool->heard_at < DB_STUCK_MS;
	pthread_mutex_unlock(&pool->lock);
	if (all_busy)
		return heard; /* they work; unless none has been heard of for long */
	conn = db_borrow(pool, until, &err);
	if (!conn)
		return 0;
	res = db_answer(conn->pg, PQsendQuery(conn->pg, ""), until, &conn->late);
	ready = PQresultStatus(res) == PGRES_EMPTY_QUERY;
	conn->broken = !ready;
	db_give_back(pool, conn);
	return ready;
}
