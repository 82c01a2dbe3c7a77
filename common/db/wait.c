/* Waiting for PostgreSQL, each time with an end: libpq alone waits for ever when a backend is stopped or unreachable. */
#include <errno.h>
#include <poll.h>

#include "common/base/clock.h"
#include "common/db/internal.h"

int64_t db_wait_end(const struct db *db)
{
	int64_t most = clock_mono_ms() + (db->patience ? db->patience : DB_WAIT_MS);

	return db->until && db->until < most ? db->until : most;
}

/*
 * Until libpq has an answer in hand, or the connection is found broken, which PQgetResult then tells without waiting.
 * -1 when the time is up first. What is still to be sent is sent meanwhile: a backend that does not read must not hold
 * us up either.
 */
static int wait_readable(PGconn *pg, int64_t until)
{
	for (;;) {
		int unsent = PQflush(pg);
		struct pollfd fd = { .fd = PQsocket(pg),
			             .events = (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN) };
		int64_t left = until - clock_mono_ms();

		if (unsent < 0 || (unsent == 0 && !PQisBusy(pg)) || fd.fd < 0)
			return 0;
		if (left <= 0)
			return -1;
		if (poll(&fd, 1, (int)left) < 0 && errno != EINTR)
			return 0;
		if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) && PQconsumeInput(pg) != 1)
			return 0;
	}
}

PGresult *db_next(PGconn *pg, int64_t until, bool *late)
{
	if (*late || wait_readable(pg, until) < 0) {
		*late = true;
		return NULL;
	}
	return PQgetResult(pg);
}

PGresult *db_receive(struct db_conn *conn, int64_t until)
{
	PGresult *res = db_next(conn->pg, until, &conn->late), *more;

	while (res && (more = db_next(conn->pg, until, &conn->late)) != NULL)
		PQclear(more);
	return res;
}

/*
 * Not PQexec's way, which keeps the last result: after "FATAL: terminating connection" comes libpq's own "connection
 * closed", and only the first tells that nothing was done. But an error after a success means that the connection broke
 * before the end: then the last one it is, and nobody knows.
 */
PGresult *db_answer(PGconn *pg, int sent, int64_t until, bool *late)
{
	PGresult *answer = NULL, *next;
	bool done = false;

	while (sent && (next = db_next(pg, until, late)) != NULL) {
		if (answer && !done) {
			PQclear(next);
			continue;
		}
		done = done || db_succeeded(next);
		PQclear(answer);
		answer = next;
	}
	if (*late) { /* whatever came, the end of it did not */
		PQclear(answer);
		return NULL;
	}
	return answer;
}
