#include "common/db/ahead.h"

#include <string.h>

#include "common/db/internal.h"

void db_ahead_init(struct db_ahead *ahead, struct arena *a)
{
	*ahead = (struct db_ahead){ .arena = a };
}

void db_ahead_again(struct db_ahead *ahead)
{
	ahead->next = 0;
	ahead->waits = false;
}

void db_ahead_done(struct db_ahead *ahead)
{
	for (int i = 0; i < ahead->count; i++)
		PQclear(ahead->reads[i].res);
	ahead->count = 0;
}

/* --- Noting ------------------------------------------------------------------------------------------------------ */

int db_ahead_mistake(struct db_ahead *ahead, const char *what, struct error *err)
{
	ahead->mistake = what;
	return error_internal(err, "work that is run again %s", what);
}

static const char *value_of(const struct db_arg *arg)
{
	return arg->inlined ? arg->number : arg->text;
}

static size_t size_of(const struct db_arg *arg)
{
	return arg->binary ? arg->size : value_of(arg) ? strlen(value_of(arg)) + 1 : 0;
}

static bool same(struct db_args a, struct db_args b)
{
	if (a.count != b.count)
		return false;
	for (int i = 0; i < a.count; i++) {
		const struct db_arg *x = &a.args[i], *y = &b.args[i];
		size_t size = size_of(x);

		if (size != size_of(y) || (size && memcmp(value_of(x), value_of(y), size) != 0))
			return false;
	}
	return true;
}

static struct db_args copy(struct db_args args, struct arena *a)
{
	struct db_arg *copies = arena_new(a, struct db_arg, (size_t)args.count);

	for (int i = 0; i < args.count; i++) {
		copies[i] = args.args[i];
		if (copies[i].text)
			copies[i].text = arena_memdup(a, copies[i].text, size_of(&copies[i]));
	}
	return (struct db_args){ copies, args.count };
}

static struct db_read *refuse(struct db_ahead *ahead, const char *why, struct error *err)
{
	db_ahead_mistake(ahead, why, err);
	return NULL;
}

struct db_read *db_ahead_next(struct db *db, const struct db_known *known, struct db_args args,
                              struct error *err)
{
	struct db_ahead *ahead = db->ahead;
	struct db_read *read = &ahead->reads[ahead->next];

	if (!known->reads)
		return refuse(ahead, "writes", err);
	if (!ahead->waits && ahead->next < ahead->count) {
		ahead->next++;
		return read->known == known && same(read->args, args)
		           ? read
		           : refuse(ahead, "asked for something else the second time", err);
	}
	if (!ahead->waits && ahead->count == DB_AHEAD_MAX)
		return refuse(ahead, "reads too often", err);
	if (!ahead->waits) {
		*read = (struct db_read){ .known = known,
			                  .args = copy(args, ahead->arena),
			                  .until = db_wait_end(db),
			                  .arena = ahead->arena };
		ahead->pool = db->pool;
		ahead->count++;
		ahead->waits = true;
	}
	error_busy(err, 1, "not read yet");
	return NULL;
}

/* --- Fetching: all in one go (libpq's pipeline mode), one round trip and one transaction --------------------------- */

static int send_all(struct db_conn *conn, struct db_read *const *reads, int count,
                    bool prepares[DB_BATCH_MAX])
{
	if (PQenterPipelineMode(conn->pg) != 1)
		return -1;
	for (int i = 0; i < count; i++) {
		const struct db_known *known = reads[i]->known;

		prepares[i] = !conn->prepared[known->index];
		if (prepares[i] && PQsendPrepare(conn->pg, known->stmt->name, known->stmt->sql, 0, NULL) != 1)
			return -1;
		conn->prepared[known->index] = true; /* by the time the next one needs it */
		if (db_send(conn->pg, known->stmt->name, reads[i]->args) != 1)
			return -1;
	}
	return PQpipelineSync(conn->pg) == 1 ? 0 : -1;
}

/* The answer to one message: NULL unless it succeeded. */
static PGresult *receive(struct db_conn *conn, int64_t until)
{
	OWN(pgresult) PGresult *res = db_next(conn->pg, until, &conn->late);
	OWN(pgresult) PGresult *end = res ? db_next(conn->pg, until, &conn->late) : NULL;

	return db_succeeded(res) && !end ? TAKE(res) : NULL;
}

/* Everything up to and with the sync; -1 when the connection cannot be used any more. */
static int receive_all(struct db_conn *conn, struct db_read *const *reads, int count, const bool *prepares,
                       int64_t until)
{
	OWN(pgresult) PGresult *sync = NULL;

	for (int i = 0; i < count; i++) {
		OWN(pgresult) PGresult *prepared = prepares[i] ? receive(conn, until) : NULL;

		if (prepares[i] && !prepared)
			conn->prepared[reads[i]->known->index] = false;
		reads[i]->res = receive(conn, until);
	}
	sync = db_next(conn->pg, until, &conn->late);
	return PQresultStatus(sync) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1 ? 0 : -1;
}

static int fetch(struct db_conn *conn, struct db_read *const *reads, int count, int64_t until,
                 struct error *err)
{
	bool prepares[DB_BATCH_MAX];

	db_waited(conn);
	if (send_all(conn, reads, count, prepares) == 0 &&
	    receive_all(conn, reads, count, prepares, until) == 0)
		return 0;
	conn->broken = true;
	error_clear(err);
	db_failed(conn, "a batch", NULL, err);
	return -1;
}

static int unanswered(struct db_read **reads, int count)
{
	int left = 0;

	for (int i = 0; i < count; i++) {
		if (!reads[i]->res)
			reads[left++] = reads[i];
	}
	return left;
}

/*
 * A connection that breaks is tried for once more with another; then, or when there is none, all that have no answer
 * are told so at once: one after the other they would wait for longer than anybody cares. What the database itself
 * refused, and what came after that in the same transaction, is left to be run alone, which also finds the right words.
 */
void db_batch_run(struct db_ahead *const *calls, int count)
{
	struct db_read *reads[DB_BATCH_MAX];
	struct error err = { 0 };
	struct db_conn *conn;
	int64_t until = 0;
	bool done = count < 2; /* a single one runs alone */

	for (int i = 0; i < count; i++) {
		reads[i] = &calls[i]->reads[calls[i]->count - 1];
		/* Of the one that waits longest: who is in a hurry must not cost the others their answers. */
		until = reads[i]->until > until ? reads[i]->until : until;
	}
	for (int attempt = 1; attempt <= 2 && !done && (conn = db_borrow(calls[0]->pool, until, &err));
	     attempt++) {
		done = fetch(conn, reads, count, until, &err) == 0;
		db_give_back(calls[0]->pool, conn);
		count = done ? count : unanswered(reads, count);
	}
	for (int i = 0; i < count && !done; i++)
		reads[i]->failed = arena_memdup(reads[i]->arena, &err, sizeof err);
}
