/* Keeping turns alive, going on with those of the dead, and sweeping. These statements serve many owners at once. */
#include <string.h>

#include "common/base/id.h"
#include "svc-chat/store.h"
#include "svc-chat/store_sql.h"

/* After a restart of the database the living come first. */
#define LAPSED                                                                  \
	"lease_until < now() AND status IN ('generating', 'queued', 'waiting')" \
	" AND pg_postmaster_start_time() < now() - make_interval(secs => $1)"
/* What cannot be gone on with. */
#define ENDS                                                                                     \
	"(m.stop OR m.attempt >= $2 OR EXISTS (SELECT FROM step s WHERE s.owner_id = m.owner_id" \
	" AND s.message_id = m.id AND s.kind = 'model' AND s.state = 'open'))"

const struct db_stmt store_keep_statements[] = {
	{ "tell", "SELECT pg_notify('" STORE_CHANNEL "', $1)" },
	{ "renew",
	  "WITH held AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[],"
	  " $6::bytea[], $7::bytea[], $8::int[], $9::int[], $10::bool[])"
	  " AS t (owner_id, id, attempt, content, reasoning, sources, passages, round, step, speaks)),"
	  " mine AS (SELECT m.owner_id, m.id FROM message m JOIN held h ON m.owner_id = h.owner_id"
	  " AND m.id = h.id AND m.attempt = h.attempt WHERE m.status IN ('generating', 'queued', 'waiting')"
	  " FOR NO KEY UPDATE OF m SKIP LOCKED),"
	  " retrieved AS (INSERT INTO step (owner_id, message_id, number, round, kind, state, content)"
	  " SELECT h.owner_id, h.id, 0, 0, 'retrieve', 'done', h.passages FROM held h JOIN mine"
	  " ON mine.owner_id = h.owner_id AND mine.id = h.id WHERE h.passages IS NOT NULL"
	  " ON CONFLICT DO NOTHING),"
	  " speaking AS (INSERT INTO step (owner_id, message_id, number, round, kind, state)"
	  " SELECT h.owner_id, h.id, h.step, h.round, 'model', 'open' FROM held h JOIN mine"
	  " ON mine.owner_id = h.owner_id AND mine.id = h.id WHERE h.speaks ON CONFLICT DO NOTHING)"
	  " UPDATE message m SET lease_until = " STORE_LEASE ", content = coalesce(h.content, m.content),"
	  " reasoning = coalesce(h.reasoning, m.reasoning), sources = coalesce(h.sources, m.sources)"
	  " FROM held h JOIN mine ON mine.owner_id = h.owner_id AND mine.id = h.id"
	  " WHERE m.owner_id = h.owner_id AND m.id = h.id RETURNING m.id, m.status, m.stop" },
	{ "still_held",
	  "SELECT attempt = $3 AND status IN ('generating', 'queued', 'waiting') AS held FROM message"
	  " WHERE owner_id = $1 AND id = $2" },
	{ "let_go", "UPDATE message SET lease_until = NULL"
	            " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND status = 'waiting'" },
	{ "release", "UPDATE message SET lease_until = now()"
	             " WHERE owner_id = $1 AND id = $2 AND attempt = $3 AND lease_until IS NOT NULL" },

	{ "end_orphans",
	  "WITH lapsed AS (SELECT m.owner_id, m.id FROM message m WHERE " LAPSED " AND " ENDS
	  " LIMIT 100 FOR NO KEY UPDATE OF m SKIP LOCKED),"
	  " passed AS (DELETE FROM step s USING lapsed l WHERE s.owner_id = l.owner_id AND s.message_id = l.id"
	  " AND s.kind IN ('retrieve', 'model'))"
	  " UPDATE message m SET status = CASE WHEN stop THEN 'stopped' ELSE 'interrupted' END,"
	  " lease_until = NULL, attempt = attempt + 1,"
	  " error = CASE WHEN stop THEN NULL ELSE 'the answer was interrupted; this is what there was' END"
	  " FROM lapsed l WHERE m.owner_id = l.owner_id AND m.id = l.id RETURNING m.owner_id, m.session_id" },
	{ "take_over", "WITH lapsed AS (SELECT m.owner_id, m.id FROM message m WHERE " LAPSED " AND NOT " ENDS
	               " ORDER BY m.number LIMIT $3 FOR NO KEY UPDATE OF m SKIP LOCKED)"
	               " UPDATE message m SET attempt = attempt + 1, lease_until = " STORE_LEASE
	               " FROM lapsed l WHERE m.owner_id = l.owner_id AND m.id = l.id"
	               " RETURNING m.owner_id, m.session_id, m.id, m.stream, m.attempt, m.status" },

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

/* The parameters of `renew`: an array for each of its columns. */
struct columns {
	char **owner, **id, **attempt, **content, **reasoning, **sources, **passages, **round, **step,
	    **speaks;
};

static char *number(int n, struct arena *a)
{
	return arena_printf(a, "%d", n);
}

/* As bytea is written in an array. */
static char *bytes(ProtobufCBinaryData b, struct arena *a)
{
	char *text;

	if (!b.data)
		return NULL;
	text = arena_alloc(a, 2 * b.len + 3);
	memcpy(text, "\\x", 3);
	hex_encode(text + 2, b.data, b.len);
	return text;
}

static void fill(struct columns *c, size_t i, const struct store_held *h, struct arena *a)
{
	c->owner[i] = (char *)h->owner;
	c->id[i] = (char *)h->message_id;
	c->attempt[i] = number(h->attempt, a);
	c->content[i] = (char *)h->content;
	c->reasoning[i] = (char *)h->reasoning;
	c->sources[i] = bytes(h->sources, a);
	c->passages[i] = bytes(h->passages, a);
	c->round[i] = number(h->round, a);
	c->step[i] = number(h->step, a);
	c->speaks[i] = (char *)(h->speaks ? "t" : "f");
}

static void note_renewed(const PGresult *res, struct store_held *held, size_t count)
{
	for (int row = 0; row < PQntuples(res); row++) {
		const char *id = db_text(res, row, "id");
		size_t i = 0;

		while (i < count && strcmp(held[i].message_id, id) != 0)
			i++;
		if (i == count)
			continue;
		held[i].renewed = true;
		held[i].stop = *db_text(res, row, "stop") == 't';
		held[i].begins = strcmp(db_text(res, row, "status"), "generating") == 0;
	}
}

int store_renew(struct db *db, struct store_held *held, size_t count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	struct columns c;
	char ***columns[] = { &c.owner,   &c.id,       &c.attempt, &c.content, &c.reasoning,
		              &c.sources, &c.passages, &c.round,   &c.step,    &c.speaks };
	const char *arrays[10];

	for (size_t i = 0; i < 10; i++)
		*columns[i] = arena_new(a, char *, count);
	for (size_t i = 0; i < count; i++)
		fill(&c, i, &held[i], a);
	for (size_t i = 0; i < 10; i++)
		arrays[i] = db_text_array(*columns[i], count, a);
	if (db_exec(db, "renew",
	            DB_ARGS(arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5], arrays[6],
	                    arrays[7], arrays[8], arrays[9]),
	            &res, err) < 0)
		return -1;
	note_renewed(res, held, count);
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

int store_end_orphans(struct db *db, int grace_seconds, struct store_ended **ended, size_t *count,
                      struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "end_orphans", DB_ARGS(grace_seconds, STORE_ATTEMPTS), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ended = arena_new(a, struct store_ended, *count);
	for (size_t i = 0; i < *count; i++) {
		(*ended)[i].owner = arena_strdup(a, db_text(res, (int)i, "owner_id"));
		(*ended)[i].session = arena_strdup(a, db_text(res, (int)i, "session_id"));
	}
	return 0;
}

static char *copy(const PGresult *res, size_t row, const char *column, struct arena *a)
{
	return arena_strdup(a, db_text(res, (int)row, column));
}

int store_take_over(struct db *db, int grace_seconds, int most, struct store_orphan **ret, size_t *count,
                    struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "take_over", DB_ARGS(grace_seconds, STORE_ATTEMPTS, most), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct store_orphan, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct store_orphan){
			.owner = copy(res, i, "owner_id", a),
			.session = copy(res, i, "session_id", a),
			.message_id = copy(res, i, "id", a),
			.stream = copy(res, i, "stream", a),
			.attempt = (int)db_int(res, (int)i, "attempt"),
			.queued = strcmp(db_text(res, (int)i, "status"), "queued") == 0,
			.rests = strcmp(db_text(res, (int)i, "status"), "waiting") == 0,
		};
	return 0;
}

int store_sweep(struct db *db, int64_t *streams, struct error *err)
{
	if (db_change(db, "sweep_events", DB_ARGS(), streams, err) < 0)
		return -1;
	return db_exec(db, "sweep_keys", DB_ARGS(), NULL, err);
}
