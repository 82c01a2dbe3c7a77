/* Keeping turns alive, going on with those of the dead, and sweeping: a statement for each owner that has such turns. */
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "svc-chat/store.h"
#include "svc-chat/store_sql.h"

/* After a restart of the database the living come first. */
#define LAPSED(grace)                                                           \
	"lease_until < now() AND status IN ('generating', 'queued', 'waiting')" \
	" AND pg_postmaster_start_time() < now() - make_interval(secs => " grace ")"
/* What cannot be gone on with. One that was let go has lost no writer, and waits for its user's word, or for its end. */
#define ENDS                                                                                       \
	"(lease_until > " STORE_LET_GO " AND (stop OR attempt >= $3 OR EXISTS (SELECT 1 FROM step" \
	" WHERE owner_id = $1 AND message_id = message.id AND kind = 'model' AND state = 'open')))"

#define MINE                                                                                          \
	"mine AS (SELECT id FROM message WHERE owner_id = $1 AND id = $2::uuid AND attempt = $3::int" \
	" AND status IN ('generating', 'queued', 'waiting') FOR NO KEY UPDATE SKIP LOCKED)"
#define RENEWED                                                                                     \
	" UPDATE message SET lease_until = " STORE_LEASE ", content = coalesce($4::text, content)," \
	" reasoning = coalesce($5::text, reasoning), sources = coalesce($6::bytea, sources)"        \
	" WHERE owner_id = $1 AND id = (SELECT id FROM mine) RETURNING status, stop"

enum { OWNERS_MAX = 100 };

const struct db_stmt store_keep_statements[] = {
	{ "tell", "SELECT pg_notify('" STORE_CHANNEL "', $1)" },
	/* One turn a statement: of several in arrays a sharded cluster makes a list that it cannot read itself. */
	{ "renew", "WITH " MINE RENEWED },
	/* With the step that has begun: once a turn, since what may be NULL has it planned anew each time. */
	{ "renew_noted",
	  "WITH " MINE
	  ", retrieved AS (INSERT INTO step (owner_id, message_id, number, round, kind, state, content)"
	  " SELECT $1, mine.id, 0, 0, 'retrieve', 'done', $7::bytea FROM mine WHERE $7::bytea IS NOT NULL"
	  " ON CONFLICT DO NOTHING),"
	  " speaking AS (INSERT INTO step (owner_id, message_id, number, round, kind, state)"
	  " SELECT $1, mine.id, $9::int, $8::int, 'model', 'open' FROM mine WHERE $10::bool ON CONFLICT DO NOTHING)" RENEWED },
	{ "still_held",
	  "SELECT attempt = $3 AND status IN ('generating', 'queued', 'waiting') AS held FROM message"
	  " WHERE owner_id = $1 AND id = $2" },
	/* What it waited for may have come meanwhile. */
	{ "let_go",
	  "UPDATE message SET lease_until = CASE WHEN status = 'waiting' AND NOT stop THEN NULL"
	  " ELSE " STORE_LET_GO " END"
	  " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND status IN ('waiting', 'generating')" },
	{ "release", "UPDATE message SET lease_until = now()"
	             " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND lease_until IS NOT NULL" },

	/* Of all owners, since it asks which: it only reads, and by an index of those under way. */
	{ "lapsed_owners",
	  "SELECT owner_id FROM message WHERE " LAPSED("$1") " GROUP BY owner_id"
	                                                     " ORDER BY min(lease_until) LIMIT $2" },
	{ "end_orphans",
	  "WITH lapsed AS (SELECT id FROM message WHERE owner_id = $1 AND " LAPSED(
	      "$2") " AND " ENDS " LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED),"
	            " passed AS (DELETE FROM step s USING lapsed l WHERE s.owner_id = $1 AND s.message_id = l.id"
	            " AND s.kind IN ('retrieve', 'model'))"
	            " UPDATE message m SET status = CASE WHEN stop THEN 'stopped' ELSE 'interrupted' END,"
	            " lease_until = NULL, attempt = attempt + 1,"
	            " error = CASE WHEN stop THEN NULL ELSE 'the answer was interrupted; this is what there was' END"
	            " FROM lapsed l WHERE m.owner_id = $1 AND m.id = l.id RETURNING m.session_id" },
	{ "take_over", "WITH lapsed AS (SELECT id FROM message WHERE owner_id = $1 AND " LAPSED(
	                   "$2") " AND NOT " ENDS " ORDER BY number LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)"
	                         " UPDATE message m SET attempt = attempt + (lease_until > " STORE_LET_GO
	                         ")::int, lease_until = " STORE_LEASE
	                         " FROM lapsed l WHERE m.owner_id = $1 AND m.id = l.id"
	                         " RETURNING m.session_id, m.id, m.stream, m.attempt, m.status, m.stop" },

	{ "sweep_events", "DELETE FROM stream_log WHERE expires_at < now()" },
	{ "sweep_keys", "UPDATE message SET key = NULL, request_hash = NULL"
	                " WHERE key IS NOT NULL AND created_at < now() - interval '1 day'" },
	{ NULL, NULL },
};

int store_tell(struct db *db, const char *what, const char *id, struct error *err)
{
	char payload[64];

	snprintf(payload, sizeof payload, "%s %s", what, id);
	return db_exec(db, "tell", DB_ARGS((const char *)payload), NULL, err);
}

/* --- Renewing --------------------------------------------------------------------------------------------------------- */

/* None is not the same as none found. */
static struct db_arg bytes(ProtobufCBinaryData b)
{
	return b.data ? DB_ARG(b) : db_arg_text(NULL);
}

static struct db_step renewal(const struct store_held *h, struct arena *a)
{
	const struct db_arg args[] = { DB_ARG(h->owner),   DB_ARG(h->message_id), DB_ARG(h->attempt),
		                       DB_ARG(h->content), DB_ARG(h->reasoning),  bytes(h->sources),
		                       bytes(h->passages), DB_ARG(h->round),      DB_ARG(h->step),
		                       DB_ARG(h->speaks) };
	bool noted = h->passages.data || h->speaks;
	struct db_args all = { arena_memdup(a, args, sizeof args), noted ? sizeof args / sizeof *args : 6 };

	return (struct db_step){ noted ? "renew_noted" : "renew", all, NULL };
}

static void note_renewed(const PGresult *res, struct store_held *held)
{
	if (PQntuples(res) == 0)
		return;
	held->renewed = true;
	held->stop = *db_text(res, 0, "stop") == 't';
	held->begins = strcmp(db_text(res, 0, "status"), "generating") == 0;
}

int store_renew(struct db *db, struct store_held *held, size_t count, struct arena *a, struct error *err)
{
	for (size_t from = 0; from < count;) {
		struct db_step steps[DB_TOGETHER_MAX];
		int n = 0, rc;

		for (; n < DB_TOGETHER_MAX && from + (size_t)n < count; n++)
			steps[n] = renewal(&held[from + (size_t)n], a);
		rc = db_together(db, steps, n, err);
		for (int i = 0; rc == 0 && i < n; i++)
			note_renewed(steps[i].res, &held[from + (size_t)i]);
		db_steps_done(steps, n);
		if (rc < 0)
			return -1;
		from += (size_t)n;
	}
	return 0;
}

int store_still_held(struct db *db, const struct store_held *held, bool *gone, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "still_held", DB_ARGS(held->owner, held->message_id, held->attempt), &res, err) < 0)
		return -1;
	*gone = PQntuples(res) == 0;
	return !*gone && *db_text(res, 0, "held") == 't';
}

int store_release(struct db *db, const struct store_held *held, struct error *err)
{
	return db_exec(db, "release", DB_ARGS(held->owner, held->message_id, held->attempt), NULL, err);
}

int store_let_go(struct db *db, const struct store_held *held, struct error *err)
{
	return db_exec(db, "let_go", DB_ARGS(held->owner, held->message_id, held->attempt), NULL, err);
}

/* --- After dead replicas ---------------------------------------------------------------------------------------------- */

int store_lapsed_owners(struct db *db, int grace_seconds, const char ***ret, size_t *count, struct arena *a,
                        struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "lapsed_owners", DB_ARGS(grace_seconds, (int)OWNERS_MAX), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, const char *, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = arena_strdup(a, db_text(res, (int)i, "owner_id"));
	return 0;
}

int store_end_orphans(struct db *db, const char *owner, int grace_seconds, const char ***sessions,
                      size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "end_orphans", DB_ARGS(owner, grace_seconds, STORE_ATTEMPTS), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*sessions = arena_new(a, const char *, *count);
	for (size_t i = 0; i < *count; i++)
		(*sessions)[i] = arena_strdup(a, db_text(res, (int)i, "session_id"));
	return 0;
}

static char *copy(const PGresult *res, size_t row, const char *column, struct arena *a)
{
	return arena_strdup(a, db_text(res, (int)row, column));
}

int store_take_over(struct db *db, const char *owner, int grace_seconds, int most, struct store_orphan **ret,
                    size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "take_over", DB_ARGS(owner, grace_seconds, STORE_ATTEMPTS, most), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct store_orphan, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct store_orphan){
			.session = copy(res, i, "session_id", a),
			.message_id = copy(res, i, "id", a),
			.stream = copy(res, i, "stream", a),
			.attempt = (int)db_int(res, (int)i, "attempt"),
			.queued = strcmp(db_text(res, (int)i, "status"), "queued") == 0,
			.rests = strcmp(db_text(res, (int)i, "status"), "waiting") == 0,
			.stop = *db_text(res, (int)i, "stop") == 't',
		};
	return 0;
}

int store_sweep(struct db *db, int64_t *streams, struct error *err)
{
	if (db_change(db, "sweep_events", DB_ARGS(), streams, err) < 0)
		return -1;
	return db_exec(db, "sweep_keys", DB_ARGS(), NULL, err);
}
