/*
 * Idempotency-Key: the same key and request within 24 hours gives the first answer again.
 *
 * A short method runs inside one transaction with the row of its key, so that either both are there or neither; an
 * advisory lock tells whether a call with that key runs at this moment. One that waits for more than rows may not hold a
 * connection: its row is written first, without an answer, and completed (or taken back) afterwards. A row without an
 * answer after LEASE_SECONDS is one whose writer died: nobody knows what it did.
 *
 * Of a call that is parked, the first has done what it will do, and keeps what it said of that with it; the other has not:
 * its key stays in use until it is settled.
 *
 * After an error the key is free again, unless nobody knows whether it was done: then nothing runs under it any more.
 */
#include "common/service/idempotency.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/rpc/envelope.h"

enum { KEY_MAX = 255, SETTLE_MS = 2000, SWEEP_AT_ONCE = 1000 };
#define LEASE_SECONDS "120"

const struct db_stmt idempotency_statements[] = {
	{ "idempotency_lock",
	  "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text || ' ' || $3::text, 7)) AS free" },
	{ "idempotency_find",
	  "SELECT request_hash, reply, unknown OR created_at < now() - interval '" LEASE_SECONDS
	  " seconds' AS unknown"
	  " FROM idempotency WHERE owner_id = $1 AND key = $2 AND method = $3"
	  " AND created_at > now() - interval '24 hours'" },
	{ "idempotency_claim",
	  "INSERT INTO idempotency (owner_id, key, method, request_hash) VALUES ($1, $2, $3, $4)"
	  " ON CONFLICT (owner_id, key, method) DO UPDATE SET request_hash = EXCLUDED.request_hash, reply = NULL,"
	  " unknown = false, created_at = EXCLUDED.created_at RETURNING created_at" },
	/* of this claim: created_at tells it from a later one */
	{ "idempotency_keep", "UPDATE idempotency SET reply = $5"
	                      " WHERE owner_id = $1 AND key = $2 AND method = $3 AND created_at = $4" },
	{ "idempotency_forget", "DELETE FROM idempotency WHERE owner_id = $1 AND key = $2 AND method = $3"
	                        " AND created_at = $4" },
	{ "idempotency_doubt",
	  "INSERT INTO idempotency (owner_id, key, method, request_hash, unknown) VALUES ($1, $2, $3, $4, true)"
	  " ON CONFLICT (owner_id, key, method) DO UPDATE SET unknown = true, reply = NULL" },
	{ "idempotency_sweep",
	  "DELETE FROM idempotency WHERE (owner_id, key, method) IN (SELECT owner_id, key, method"
	  " FROM idempotency WHERE created_at < now() - interval '24 hours' LIMIT $1)" },
	{ 0 },
};

static int in_use(struct error *err)
{
	return error_set(err, ERROR_CONFLICT, "a request with this Idempotency-Key is being worked on");
}

static int in_doubt(struct error *err)
{
	return error_set(err, ERROR_UNKNOWN_OUTCOME,
	                 "whether the first request with this Idempotency-Key was carried out is not known");
}

struct claim {
	char hash[65]; /* of the request */
	char *at;      /* created_at of its row, as the database writes it; NULL: it has none yet */
};

/* 1: there is an answer, in *payload. 0: the key is free and now ours. -1: it may not be used. In a transaction. */
static int look_up(struct call *call, struct claim *claim, ProtobufCBinaryData *payload)
{
	OWN(pgresult) PGresult *lock = NULL;
	OWN(pgresult) PGresult *row = NULL;
	OWN(pgresult) PGresult *ours = NULL;

	if (db_exec(call->db, "idempotency_lock",
	            DB_ARGS(call->owner_id, call->idempotency_key, call->method->name), &lock, call->err) < 0)
		return -1;
	if (strcmp(db_text(lock, 0, "free"), "t"))
		return in_use(call->err);
	if (db_exec(call->db, "idempotency_find",
	            DB_ARGS(call->owner_id, call->idempotency_key, call->method->name), &row, call->err) < 0)
		return -1;
	if (PQntuples(row)) {
		if (strcmp(db_text(row, 0, "request_hash"), claim->hash))
			return error_set(call->err, ERROR_INVALID,
			                 "this Idempotency-Key was used with another request");
		if (db_text(row, 0, "reply")) {
			*payload = db_bytes(row, 0, "reply", call->arena);
			return 1;
		}
		return strcmp(db_text(row, 0, "unknown"), "t") ? in_use(call->err) : in_doubt(call->err);
	}
	if (db_exec(call->db, "idempotency_claim",
	            DB_ARGS(call->owner_id, call->idempotency_key, call->method->name, claim->hash), &ours,
	            call->err) < 0)
		return -1;
	claim->at = arena_strdup(call->arena, db_text(ours, 0, "created_at"));
	return 0;
}

static int keep(struct call *call, const struct claim *claim, ProtobufCBinaryData payload)
{
	return db_exec(call->db, "idempotency_keep",
	               DB_ARGS(call->owner_id, call->idempotency_key, call->method->name, claim->at, payload),
	               NULL, call->err);
}

/* After a failure: the key is free again, or in doubt for as long as it is known at all. */
static void let_go(struct call *call, const struct claim *claim)
{
	bool doubt = call->err->code == ERROR_UNKNOWN_OUTCOME;
	struct error ignored = { 0 };

	call->db->until = clock_mono_ms() + SETTLE_MS; /* even if the call took all the time it had */
	if ((doubt ? db_exec(call->db, "idempotency_doubt",
	                     DB_ARGS(call->owner_id, call->idempotency_key, call->method->name, claim->hash),
	                     NULL, &ignored)
	           : db_exec(call->db, "idempotency_forget",
	                     DB_ARGS(call->owner_id, call->idempotency_key, call->method->name, claim->at),
	                     NULL, &ignored)) < 0)
		log_line(LOG_WARN, "key not settled", LOG_TEXT("request", call->request_id),
		         LOG_TEXT("detail", ignored.detail));
}

/* What makes the answer when there is none yet. */
struct work {
	idempotency_work *run;
	void *arg;
};

static int run_within(struct call *call, struct claim *claim, struct work work, ProtobufCBinaryData *payload)
{
	bool failed = false;
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = look_up(call, claim, payload);
	if (found == 0) {
		failed = work.run(work.arg, payload) < 0;
		found = failed ? -1 : keep(call, claim, *payload);
	}
	if (found >= 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	if (failed && call->err->code == ERROR_UNKNOWN_OUTCOME)
		let_go(call, claim);
	return -1;
}

static void keep_at_last(struct call *call, const struct claim *claim, ProtobufCBinaryData payload)
{
	call->db->until = clock_mono_ms() + SETTLE_MS;
	if (keep(call, claim, payload) <
	    0) /* it was done: say so; who asks again is told that nobody knows */
		log_line(LOG_WARN, "answer not kept", LOG_TEXT("request", call->request_id),
		         LOG_TEXT("detail", call->err->detail));
	error_clear(call->err);
}

static int run_beside(struct call *call, struct claim *claim, struct work work, ProtobufCBinaryData *payload)
{
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = look_up(call, claim, payload);
	if (found < 0) {
		db_rollback(call->db);
		return -1;
	}
	if (db_commit(call->db, call->err) < 0)
		return -1;
	if (found)
		return 0;
	switch (work.run(work.arg, payload)) {
	case IDEMPOTENCY_DONE: keep_at_last(call, claim, *payload); return 0;
	case IDEMPOTENCY_PARKED: return 0;
	default: let_go(call, claim); return -1;
	}
}

static void leave_out(ProtobufCMessage *in, const char *name)
{
	const ProtobufCFieldDescriptor *f =
	    protobuf_c_message_descriptor_get_field_by_name(in->descriptor, name);

	if (f && f->type == PROTOBUF_C_TYPE_STRING)
		*(char **)((char *)in + f->offset) = NULL;
	else if (f)
		*(protobuf_c_boolean *)((char *)in + f->quantifier_offset) = 0;
}

/* The bytes of a request. An upload's id is made anew each time, and whether its content comes along or came in pieces is
 * the gateway's affair: what was uploaded is told by file_hash. */
static void hash_request(char hash[65], const struct method *method, const ProtobufCBinaryData *request,
                         struct arena *a)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCMessage *in;
	size_t size;
	uint8_t *packed;

	if (!protobuf_c_message_descriptor_get_field_by_name(method->in, "upload_id")) {
		sha256_hex(hash, request->data, request->len);
		return;
	}
	in = protobuf_c_message_unpack(method->in, &allocator, request->len, request->data);
	leave_out(in, "upload_id");
	leave_out(in, "content");
	size = protobuf_c_message_get_packed_size(in);
	packed = arena_alloc(a, size + 1);
	protobuf_c_message_pack(in, packed);
	sha256_hex(hash, packed, size);
}

int idempotency_run(struct call *call, const ProtobufCBinaryData *request, idempotency_work *run, void *arg,
                    ProtobufCBinaryData *payload, struct claim **ret)
{
	struct claim *claim = arena_new(call->arena, struct claim, 1);
	struct work work = { run, arg };
	int rc;

	*ret = NULL;
	if (strlen(call->idempotency_key) > KEY_MAX)
		return error_set(call->err, ERROR_INVALID, "an Idempotency-Key has at most %d characters",
		                 KEY_MAX);
	hash_request(claim->hash, call->method, request, call->arena);
	rc = call->method->waits != WAITS_DATABASE ? run_beside(call, claim, work, payload)
	                                           : run_within(call, claim, work, payload);
	if (rc == 0 && claim->at)
		*ret = claim;
	return rc;
}

void idempotency_settle(struct call *call, struct claim *claim, const ProtobufCBinaryData *payload)
{
	if (payload)
		keep_at_last(call, claim, *payload);
	else
		let_go(call, claim);
}

void idempotency_sweep(struct db_pool *pool)
{
	struct error err = { 0 };
	int64_t rows = SWEEP_AT_ONCE;
	struct db db;

	db_init(&db, pool);
	while (rows == SWEEP_AT_ONCE) {
		if (db_change(&db, "idempotency_sweep", DB_ARGS((int)SWEEP_AT_ONCE), &rows, &err) < 0) {
			log_line(LOG_WARN, "old keys not swept", LOG_TEXT("detail", err.detail));
			break;
		}
	}
	db_done(&db);
}
