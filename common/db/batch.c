/*
 * Reads of fibers on one thread travel together: each pauses with what it asks, and the thread sends it all in one go
 * (libpq's pipeline mode: one round trip and one transaction for up to 16 statements), waits once and lets them go on.
 *
 * Only for reads outside a transaction. So whatever goes wrong has a simple end: a read that got no answer here is run
 * again on its own, which also finds the right words for the error.
 */
#include "common/base/fiber.h"
#include "common/db/internal.h"

static _Thread_local struct db_batch *gathering;

void db_batch_gather(struct db_batch *batch)
{
	gathering = batch;
}

static int send_all(struct db_conn *conn, struct db_turn *const *turns, int count,
                    bool prepares[DB_BATCH_MAX])
{
	if (PQenterPipelineMode(conn->pg) != 1)
		return -1;
	for (int i = 0; i < count; i++) {
		const struct db_known *known = turns[i]->known;
		prepares[i] = !conn->prepared[known->index];
		if (prepares[i] && PQsendPrepare(conn->pg, known->stmt->name, known->stmt->sql, 0, NULL) != 1)
			return -1;
		conn->prepared[known->index] = true; /* by the time the next one needs it */
		if (db_send(conn->pg, known->stmt->name, turns[i]->args) != 1)
			return -1;
	}
	return PQpipelineSync(conn->pg) == 1 ? 0 : -1;
}

/* The answer to one message: NULL unless it succeeded. */
static PGresult *receive(PGconn *pg)
{
	OWN(pgresult) PGresult *res = PQgetResult(pg);
	OWN(pgresult) PGresult *end = res ? PQgetResult(pg) : NULL;

	return db_succeeded(res) && !end ? TAKE(res) : NULL;
}

/* Everything up to and with the sync; -1 when the connection cannot be used any more. */
static int receive_all(struct db_conn *conn, struct db_turn *const *turns, int count, const bool *prepares)
{
	OWN(pgresult) PGresult *sync = NULL;

	for (int i = 0; i < count; i++) {
		OWN(pgresult) PGresult *prepared = prepares[i] ? receive(conn->pg) : NULL;
		if (prepares[i] && !prepared)
			conn->prepared[turns[i]->known->index] = false;
		turns[i]->res = receive(conn->pg);
	}
	sync = PQgetResult(conn->pg);
	return PQresultStatus(sync) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1 ? 0 : -1;
}

void db_batch_run(struct db_batch *batch)
{
	bool prepares[DB_BATCH_MAX];
	struct error err = { 0 };
	int count = batch->count;
	struct db_conn *conn;

	batch->count = 0;
	if (count < 2) /* it runs on its own */
		return;
	conn = db_borrow(batch->pool, &err);
	if (!conn)
		return;
	if (send_all(conn, batch->turns, count, prepares) < 0 ||
	    receive_all(conn, batch->turns, count, prepares) < 0)
		conn->broken = true;
	db_give_back(batch->pool, conn);
}

/* Whether this read can wait for others; they all go over a connection of one pool. */
static bool joins(struct db_pool *pool)
{
	struct db_batch *b = gathering;

	return b && fiber_here() && b->count < DB_BATCH_MAX && (b->count == 0 || b->pool == pool);
}

PGresult *db_batch_read(struct db_pool *pool, const struct db_known *known, struct db_args args)
{
	struct db_turn turn = { .known = known, .args = args };

	if (joins(pool)) {
		gathering->pool = pool;
		gathering->turns[gathering->count++] = &turn;
		fiber_pause();
	}
	return turn.res;
}
