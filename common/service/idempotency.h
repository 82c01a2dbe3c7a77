/*
 * idempotency: the first answer under a caller's Idempotency-Key, given again for 24 hours.
 *
 * Where a method with idempotency_key waits for rows alone, its handler runs inside a transaction that first claims (owner,
 * key, method, hash of the request) in the schema's table `idempotency` and at last stores the packed answer there. Any
 * other holds no connection meanwhile: its claim is committed before it runs, and answered afterwards. What failed may be
 * tried again under its key, but for what has an unknown outcome: nothing runs twice, and the answer stays
 * ERROR_UNKNOWN_OUTCOME. Of an upload name, size and content are the request.
 */
#ifndef PARLEY_IDEMPOTENCY_H
#define PARLEY_IDEMPOTENCY_H

#include "common/db/db.h"
#include "common/service/call.h"

extern const struct db_stmt idempotency_statements[];

/* A key that a call has taken for its request; in the call's arena. */
struct claim;

/* IDEMPOTENCY_PARKED: the end is told by idempotency_settle(); *payload is what is known by now. -1 with call->err. */
enum { IDEMPOTENCY_DONE, IDEMPOTENCY_PARKED };
typedef int idempotency_work(void *arg, ProtobufCBinaryData *payload);

/*
 * *payload is the first packed answer under the call's key to these bytes of a request; when there is none yet, what
 * run(arg, payload) makes, and *ret is the claim to the key (else NULL). -1 with call->err: the key is another request's, is being worked on, or run() failed.
 * What a parked call that waits for rows alone has made is kept in its transaction; any other keeps nothing before its end.
 */
int idempotency_run(struct call *call, const ProtobufCBinaryData *request, idempotency_work *run, void *arg,
                    ProtobufCBinaryData *payload, struct claim **ret) CHECKED;
/* The end of a call that was parked: its answer (NULL: it failed, with call->err). */
void idempotency_settle(struct call *call, struct claim *claim, const ProtobufCBinaryData *payload);

void idempotency_sweep(struct db_pool *pool); /* drops old keys */

#endif
