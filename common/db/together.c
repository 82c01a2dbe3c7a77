/*
 * Several statements as one transaction in one round trip (libpq's pipeline mode), each of which sees what the ones before
 * it did, and what others committed before it began. Without BEGIN and COMMIT what stands before a sync is one
 * transaction, too, but not to the workers of a sharded cluster: there each statement would be one of its own.
 */
#include "common/db/internal.h"

const struct db_stmt db_transaction_statements[] = {
	{ "begin", "BEGIN" },
	{ "commit", "COMMIT" },
	{ NULL, NULL },
};

static int send_all(struct db_conn *conn, struct db_step *const steps, const struct db_known **known,
                    int count, bool *prepares)
{
	if (PQenterPipelineMode(conn->pg) != 1)
		return -1;
	for (int i = 0; i < count; i++) {
		prepares[i] = !conn->prepared[known[i]->index];
		if (prepares[i] &&
		    PQsendPrepare(conn->pg, known[i]->stmt->name, known[i]->stmt->sql, 0, NULL) != 1)
			return -1;
		conn->prepared[known[i]->index] = true; /* by the time the next one needs it */
		if (db_send(conn->pg, known[i]->stmt->name, steps[i].args) != 1)
			return -1;
	}
	return PQpipelineSync(conn->pg) == 1 ? 0 : -1;
}

/*
 * Everything up to and with the sync. *failed: the first answer that is none, *which: to what (the last: the commit). -1: no
 * sync came.
 */
static int receive_all(struct db_conn *conn, struct db_step *steps, const struct db_known **known, int count,
                       const bool *prepares, int64_t until, PGresult **failed, int *which)
{
	OWN(pgresult) PGresult *sync = NULL;

	*which = -1;
	for (int i = 0; i < count; i++) {
		OWN(pgresult) PGresult *prepared = prepares[i] ? db_receive(conn, until) : NULL;
		bool ready = !prepares[i] || db_succeeded(prepared);

		if (prepares[i]) /* of one that stands here twice the first tells */
			conn->prepared[known[i]->index] = ready;
		steps[i].res = db_receive(conn, until);
		if (*which < 0 && (!ready || !db_succeeded(steps[i].res))) {
			*which = i;
			*failed = ready ? steps[i].res : TAKE(prepared);
			if (ready)
				steps[i].res = NULL;
		}
	}
	sync = db_next(conn->pg, until, &conn->late);
	return PQresultStatus(sync) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1 ? 0 : -1;
}

static void clear_all(struct db_step *steps, int count)
{
	for (int i = 0; i < count; i++) {
		PQclear(steps[i].res);
		steps[i].res = NULL;
	}
}

/* What failed halfway is still open. */
static void roll_back(struct db_conn *conn, int64_t until)
{
	OWN(pgresult) PGresult *res = NULL;

	if (PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
		return;
	res = db_answer(conn->pg, PQsendQuery(conn->pg, "ROLLBACK"), until, &conn->late);
	conn->broken = conn->broken || !db_succeeded(res);
}

/* Before the commit the database's no means that nothing has happened; of the commit itself, only some of its words do. */
static enum db_fate fate_of(enum db_fate said, bool commit, const PGresult *failed, const struct error *err)
{
	if (commit && said == DB_REFUSED && db_failed_with(err, DB_CONFUSED, NULL))
		return DB_LOST;
	if (!commit && said == DB_LOST && failed && PQresultErrorField(failed, PG_DIAG_SQLSTATE))
		return DB_UNSENT;
	return said;
}

static int run(struct db_conn *conn, struct db_step *steps, const struct db_known **known, int count,
               int64_t until, enum db_fate *fate, struct error *err)
{
	OWN(pgresult) PGresult *failed = NULL;
	bool prepares[DB_TOGETHER_MAX + 2];
	int which = 0, synced = -1;
	bool commit;

	db_waited(conn);
	if (send_all(conn, steps, known, count, prepares) == 0)
		synced = receive_all(conn, steps, known, count, prepares, until, &failed, &which);
	if (synced == 0 && which < 0)
		return 0;
	commit = synced == 0 && which == count - 1;
	*fate = db_failed(conn, steps[which < 0 ? count - 1 : which].stmt, failed, err);
	*fate = fate_of(*fate, commit, failed, err);
	conn->broken = synced < 0 || *fate != DB_REFUSED;
	if (!conn->broken)
		roll_back(conn, until);
	clear_all(steps, count);
	return -1;
}

/* Within somebody's transaction: one after the other, and undone together. */
static int run_within(struct db *db, struct db_step *steps, int count, struct error *err)
{
	if (db_begin(db, err) < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		if (db_exec(db, steps[i].stmt, steps[i].args, &steps[i].res, err) < 0) {
			clear_all(steps, i);
			db_rollback(db);
			return -1;
		}
	}
	if (db_commit(db, err) == 0)
		return 0;
	clear_all(steps, count);
	db_rollback(db);
	return -1;
}

/* As a transaction of their own. */
static int run_all(struct db *db, struct db_step *steps, const struct db_known **known, int count,
                   struct error *err)
{
	enum db_fate fate = DB_REFUSED;

	for (int attempt = 1; attempt <= 2; attempt++) {
		int64_t until = db_wait_end(db);
		struct db_conn *conn = db_borrow(db->pool, until, err);
		int failed;

		if (!conn)
			return -1;
		failed = run(conn, steps, known, count, until, &fate, err);
		db_give_back(db->pool, conn);
		if (!failed)
			return 0;
		if (fate == DB_LOST)
			return db_nobody_knows(err);
		if (fate == DB_REFUSED || attempt == 2)
			return -1;
		error_clear(err);
	}
	return -1;
}

int db_together(struct db *db, struct db_step *steps, int count, struct error *err)
{
	struct db_step all[DB_TOGETHER_MAX + 2];
	const struct db_known *known[DB_TOGETHER_MAX + 2];
	int end = count + 1;

	all[0] = (struct db_step){ "begin", DB_ARGS(), NULL };
	for (int i = 0; i < count; i++) {
		steps[i].res = NULL;
		all[i + 1] = steps[i];
	}
	all[end] = (struct db_step){ "commit", DB_ARGS(), NULL };
	for (int i = 0; i <= end; i++) {
		known[i] = db_statement(db->pool, all[i].stmt);
		if (!known[i])
			return error_internal(err, "no statement is named %s", all[i].stmt);
	}
	if (db->ahead)
		return db_ahead_mistake(db->ahead, "writes", err);
	if (db->held)
		return run_within(db, steps, count, err);
	if (run_all(db, all, known, count + 2, err) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		steps[i].res = TAKE(all[i + 1].res);
	clear_all(all, count + 2);
	return 0;
}

void db_steps_done(struct db_step *steps, int count)
{
	clear_all(steps, count);
}
