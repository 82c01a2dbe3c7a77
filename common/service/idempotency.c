/*
 * Idempotency-Key: the same key and request within 24 hours gives the first answer again.
 *
 * A short method runs inside one transaction with the row of its key, so that either both are there or neither; an
 * advisory lock tells whether a call with that key runs at this moment. One that waits for more than rows may not hold a connection: its
 * row is written first, without an answer, and completed (or taken back) afterwards; a row without an answer whose
 * writer died may be taken over after LEASE_SECONDS.
 *
 * Only answers are kept: after an error the key is free again.
 */
#include "common/service/idempotency.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"

enum { KEY_MAX = 255, SETTLE_MS = 2000 };
#define LEASE_SECONDS "120"

const struct db_stmt idempotency_statements[] = {
	{ "idempotency_lock",
	  "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text || ' ' || $3::text, 7)) AS free" },
	{ "idempotency_find",
	  "SELECT request_hash, reply, created_at < now() - interval '" LEASE_SECONDS " seconds' AS stale"
	  " FROM idempotency WHERE owner_id = $1 AND key = $2 AND method = $3"
	  " AND created_at > now() - interval '24 hours'" },
	{ "idempotency_claim",
	  "INSERT INTO idempotency (owner_id, key, method, request_hash) VALUES ($1, $2, $3, $4)"
	  " ON CONFLICT (owner_id, key, method) DO UPDATE"
	  " SET request_hash = EXCLUDED.request_hash, reply = NULL, created_at = now()" },
	{ "idempotency_keep",
	  "UPDATE idempotency SET reply = $4 WHERE owner_id = $1 AND key = $2 AND method = $3" },
	{ "idempotency_forget",
	  "DELETE FROM idempotency WHERE owner_id = $1 AND key = $2 AND method = $3 AND reply IS NULL" },
	{ "idempotency_sweep",
	  "DELETE FROM idempotency WHERE (owner_id, key, method) IN (SELECT owner_id, key, method"
	  " FROM idempotency WHERE created_at < now() - interval '24 hours' LIMIT 1000)" },
	{ 0 },
};

#define NAMED(call) (call)->owner_id, (call)->idempotency_key, (call)->method->name

static int in_use(struct error *err)
{
	return error_set(err, ERROR_CONFLICT, "a request with this Idempotency-Key is being worked on");
}

/* 1: there is an answer, in *payload. 0: the key is free and now ours. -1: it may not be used. In a transaction. */
static int look_up(struct call *call, const char *hash, ProtobufCBinaryData *payload)
{
	OWN(pgresult) PGresult *lock = NULL;
	OWN(pgresult) PGresult *row = NULL;

	if (db_exec(call->db, "idempotency_lock", DB_ARGS(NAMED(call)), &lock, call->err) < 0)
		return -1;
	if (strcmp(db_text(lock, 0, "free"), "t"))
		return in_use(call->err);
	if (db_exec(call->db, "idempotency_find", DB_ARGS(NAMED(call)), &row, call->err) < 0)
		return -1;
	if (PQntuples(row)) {
		if (strcmp(db_text(row, 0, "request_hash"), hash))
			return error_set(call->err, ERROR_INVALID,
			                 "this Idempotency-Key was used with another request");
		if (db_text(row, 0, "reply")) {
			*payload = db_bytes(row, 0, "reply", call->arena);
			return 1;
		}
		if (strcmp(db_text(row, 0, "stale"), "t"))
			return in_use(call->err);
	}
	return db_exec(call->db, "idempotency_claim", DB_ARGS(NAMED(call), hash), NULL, call->err);
}

static int keep(struct call *call, ProtobufCBinaryData payload)
{
	return db_exec(call->db, "idempotency_keep", DB_ARGS(NAMED(call), payload), NULL, call->err);
}

/* What makes the answer when there is none yet. */
struct work {
	int (*run)(void *arg, ProtobufCBinaryData *payload);
	void *arg;
};

static int run_within(struct call *call, const char *hash, struct work work, ProtobufCBinaryData *payload)
{
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = look_up(call, hash, payload);
	if (found < 0 || (found == 0 && (work.run(work.arg, payload) < 0 || keep(call, *payload) < 0))) {
		db_rollback(call->db);
		return -1;
	}
	return db_commit(call->db, call->err);
}

static int run_beside(struct call *call, const char *hash, struct work work, ProtobufCBinaryData *payload)
{
	struct error ignored = { 0 };
	int found, failed;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = look_up(call, hash, payload);
	if (found < 0) {
		db_rollback(call->db);
		return -1;
	}
	if (db_commit(call->db, call->err) < 0)
		return -1;
	if (found)
		return 0;
	failed = work.run(work.arg, payload);
	call->db->until = clock_mono_ms() + SETTLE_MS; /* even if the call took all the time it had */
	if (!failed) {
		if (keep(call, *payload) < 0) /* it was done: say so, and let the key go stale */
			log_line(LOG_WARN, "answer not kept", LOG_TEXT("request", call->request_id),
			         LOG_TEXT("detail", call->err->detail));
		error_clear(call->err);
		return 0;
	}
	if (db_exec(call->db, "idempotency_forget", DB_ARGS(NAMED(call)), NULL, &ignored) < 0)
		log_line(LOG_WARN, "key not freed", LOG_TEXT("request", call->request_id),
		         LOG_TEXT("detail", ignored.detail));
	return -1;
}

int idempotency_run(struct call *call, const ProtobufCBinaryData *request,
                    int (*run)(void *arg, ProtobufCBinaryData *payload), void *arg,
                    ProtobufCBinaryData *payload)
{
	struct work work = { run, arg };
	char hash[65];

	if (strlen(call->idempotency_key) > KEY_MAX)
		return error_set(call->err, ERROR_INVALID, "an Idempotency-Key has at most %d characters",
		                 KEY_MAX);
	sha256_hex(hash, request->data, request->len);
	return call->method->waits != WAITS_DATABASE ? run_beside(call, hash, work, payload)
	                                             : run_within(call, hash, work, payload);
}

void idempotency_sweep(struct db_pool *pool)
{
	struct error err = { 0 };
	struct db db;

	db_init(&db, pool);
	if (db_exec(&db, "idempotency_sweep", DB_ARGS(), NULL, &err) < 0)
		log_line(LOG_WARN, "old keys not swept", LOG_TEXT("detail", err.detail));
	db_done(&db);
}
