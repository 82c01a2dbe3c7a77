/*
 * Reads that are under way at the same time travel together: one thread sends what all of them wait for in one go
 * (libpq's pipeline mode, one round trip and one transaction for up to 16 statements) and hands the answers out. There
 * is no thread for it: who comes while there is room leads, who comes later queues and is taken along by the next
 * leader, or becomes it. At low load nobody queues, and a read goes its own way as any other statement does.
 *
 * Only for reads outside a transaction. So whatever goes wrong has a simple end: a read that got no answer here is run
 * again on its own, which also finds the right words for the error. One that has queued for PATIENCE_MS (somebody's
 * statement takes longer than it should) does the same.
 */
#include <errno.h>
#include <time.h>

#include "common/db_internal.h"

enum { MOST_TOGETHER = 16, PATIENCE_NS = 5 * 1000 * 1000 };

/* With the lock held: the queue's head joins a batch, or nobody does. */
static struct db_turn *next_in_queue(struct db_batcher *b)
{
	struct db_turn *turn = b->queue;

	if (turn) {
		b->queue = turn->next;
		if (!b->queue)
			b->end = &b->queue;
	}
	return turn;
}

static int gather(struct db_batcher *b, struct db_turn *self, struct db_turn *batch[MOST_TOGETHER])
{
	int count = 0;

	batch[count++] = self;
	while (count < MOST_TOGETHER && b->queue) {
		batch[count] = next_in_queue(b);
		batch[count++]->state = DB_TURN_TAKEN;
	}
	return count;
}

/* --- One batch --------------------------------------------------------------------------------------------------- */

static int send_all(struct db_conn *conn, struct db_turn *const *batch, int count,
                    bool prepares[MOST_TOGETHER])
{
	if (PQenterPipelineMode(conn->pg) != 1)
		return -1;
	for (int i = 0; i < count; i++) {
		const struct db_known *known = batch[i]->known;
		prepares[i] = !conn->prepared[known->index];
		if (prepares[i] && PQsendPrepare(conn->pg, known->stmt->name, known->stmt->sql, 0, NULL) != 1)
			return -1;
		conn->prepared[known->index] = true; /* by the time the next one needs it */
		if (db_send(conn->pg, known->stmt->name, batch[i]->args) != 1)
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
static int receive_all(struct db_conn *conn, struct db_turn *const *batch, int count, const bool *prepares)
{
	OWN(pgresult) PGresult *sync = NULL;

	for (int i = 0; i < count; i++) {
		OWN(pgresult) PGresult *prepared = prepares[i] ? receive(conn->pg) : NULL;
		if (prepares[i] && !prepared)
			conn->prepared[batch[i]->known->index] = false;
		batch[i]->res = receive(conn->pg);
	}
	sync = PQgetResult(conn->pg);
	return PQresultStatus(sync) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1 ? 0 : -1;
}

static void run_batch(struct db_pool *pool, struct db_turn *const *batch, int count)
{
	bool prepares[MOST_TOGETHER];
	struct error err = { 0 };
	struct db_conn *conn = db_borrow(pool, &err);

	if (!conn)
		return;
	if (send_all(conn, batch, count, prepares) < 0 || receive_all(conn, batch, count, prepares) < 0)
		conn->broken = true;
	db_give_back(pool, conn);
}

/* --- Turns ------------------------------------------------------------------------------------------------------- */

/* True when there is nothing to wait for: the caller leads. */
static bool lead_or_queue(struct db_batcher *b, struct db_turn *turn)
{
	bool leads;

	pthread_mutex_lock(&b->lock);
	leads = b->leaders < DB_LEADERS;
	if (leads) {
		b->leaders++;
		turn->state = DB_TURN_LEADS;
	} else {
		turn->state = DB_TURN_WAITS;
		*b->end = turn;
		b->end = &turn->next;
	}
	pthread_mutex_unlock(&b->lock);
	return leads;
}

static void leave_queue(struct db_batcher *b, struct db_turn *turn)
{
	for (struct db_turn **at = &b->queue; *at; at = &(*at)->next) {
		if (*at != turn)
			continue;
		*at = turn->next;
		if (!*at)
			b->end = at;
		return;
	}
}

/* Until a leader has taken us along, or has made us the leader, or it takes too long. */
static void wait_for_turn(struct db_batcher *b, struct db_turn *turn)
{
	struct timespec until;
	bool taken;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PATIENCE_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (sem_timedwait(&turn->ready, &until) < 0) {
		if (errno == EINTR)
			continue;
		pthread_mutex_lock(&b->lock);
		taken = turn->state != DB_TURN_WAITS;
		if (!taken)
			leave_queue(b, turn);
		pthread_mutex_unlock(&b->lock);
		if (!taken)
			return;
		while (sem_wait(&turn->ready) < 0)
			;
		return;
	}
}

/* The next in the queue leads in our place. */
static void pass_on(struct db_batcher *b)
{
	struct db_turn *next;

	pthread_mutex_lock(&b->lock);
	next = next_in_queue(b);
	if (next)
		next->state = DB_TURN_LEADS;
	else
		b->leaders--;
	pthread_mutex_unlock(&b->lock);
	if (next)
		sem_post(&next->ready);
}

/* Take the queue along. Nobody there: 0, and still the leader. */
static int lead(struct db_pool *pool, struct db_turn *self)
{
	struct db_turn *batch[MOST_TOGETHER];
	int count;

	pthread_mutex_lock(&pool->batcher.lock);
	count = gather(&pool->batcher, self, batch);
	pthread_mutex_unlock(&pool->batcher.lock);
	if (count == 1)
		return 0;
	run_batch(pool, batch, count);
	pass_on(&pool->batcher);
	for (int i = 1; i < count; i++)
		sem_post(&batch[i]->ready); /* and with that its turn may be gone */
	return 1;
}

int db_read(struct db_pool *pool, const struct db_known *known, struct db_args args, PGresult **ret,
            struct error *err)
{
	struct db_turn turn = { .known = known, .args = args };
	bool leads_alone = false;
	int result = 0;

	sem_init(&turn.ready, 0, 0);
	if (!lead_or_queue(&pool->batcher, &turn))
		wait_for_turn(&pool->batcher, &turn);
	if (turn.state == DB_TURN_LEADS)
		leads_alone = !lead(pool, &turn);
	if (turn.res)
		*ret = turn.res;
	else
		result = db_run_alone(pool, known, args, ret, err);
	if (leads_alone)
		pass_on(&pool->batcher);
	sem_destroy(&turn.ready);
	return result;
}
