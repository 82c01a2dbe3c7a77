#include "common/service/call.h"

#include "common/base/clock.h"
#include "common/egress/egress.h"
#include "common/service/internal.h"

void call_init(struct call *call, struct service *s, struct arena *a, struct error *err, struct db *db,
               const struct method *method, const Rpc__Request *request)
{
	const Rpc__Caller *caller = request->caller;
	int64_t now = clock_unix_ms();
	Rpc__Caller *nobody;

	if (!caller) {
		nobody = arena_new(a, Rpc__Caller, 1);
		rpc__caller__init(nobody);
		caller = nobody;
	}
	*call = (struct call){
		.arena = a,
		.scratch = a,
		.err = err,
		.db = db,
		.state = s->state,
		.service = s,
		.method = method,
		.caller = caller,
		.request_id = request->request_id ? request->request_id : "",
		.traceparent = request->traceparent,
		.idempotency_key = request->idempotency_key,
		.now = now,
		.deadline = request->deadline,
		.cancelled = &s->stop_now,
	};
	if (caller->kind == RPC__CALLER__KIND__USER || caller->kind == RPC__CALLER__KIND__SERVICE)
		call->owner_id = caller->owner_id;
	db_init(db, s->pool);
}

void service_call_init(struct call *call, struct service *s, struct arena *a, struct error *err,
                       struct db *db, const char *owner_id, const char *request_id, int64_t deadline_ms)
{
	Rpc__Request *request = arena_new(a, Rpc__Request, 1);

	rpc__request__init(request);
	request->caller = arena_new(a, Rpc__Caller, 1);
	rpc__caller__init(request->caller);
	request->caller->has_kind = true;
	request->caller->kind = RPC__CALLER__KIND__SERVICE;
	request->caller->owner_id = arena_strdup(a, owner_id);
	request->request_id = arena_strdup(a, request_id);
	request->deadline = clock_unix_ms() + deadline_ms;
	call_init(call, s, a, err, db, NULL, request);
}

int call_may_ask(struct call *call, enum waits what, const char *whom)
{
	const struct method *method = call->method;
	const char *why = NULL;

	if (call->db && call->db->depth)
		why = "inside a transaction";
	else if (call->parked && (method->waits == WAITS_DATABASE || method->waits == WAITS_BRIEF))
		why = "but waits for rows, as its contract says";
	else if (call->parked && method->waits == WAITS_PEERS && what == WAITS_OUTSIDE)
		why = "but waits for other services alone, as its contract says";
	if (!why)
		return 0;
	error_clear(call->err);
	return error_internal(call->err, "%s asks %s %s", method ? method->name : "a job", whom, why);
}

static bool is_gone(void *arg)
{
	const struct call *call = arg;

	return atomic_load(call->cancelled);
}

int rpc_call_from(struct peer *peer, struct call *call, const struct method *method,
                  const ProtobufCMessage *in, ProtobufCMessage **ret)
{
	Rpc__Caller caller = *call->caller;
	int result;

	if (call_may_ask(call, WAITS_PEERS, method->name) < 0)
		return -1;
	if (method->access == ACCESS_INTERNAL) { /* between processes of ours, still on the caller's behalf */
		caller.has_kind = true;
		caller.kind = RPC__CALLER__KIND__SERVICE;
		caller.owner_id = (char *)call->owner_id;
	}
	call_goes_away(call);
	result = rpc_call(peer,
	                  &(struct rpc_context){ .arena = call->arena,
	                                         .err = call->err,
	                                         .caller = &caller,
	                                         .request_id = call->request_id,
	                                         .traceparent = call->traceparent,
	                                         .deadline = call->deadline,
	                                         .extra = &call->extra,
	                                         .gone = call->parked ? is_gone : NULL,
	                                         .gone_arg = call },
	                  method, in, ret);
	call_is_back(call);
	return result;
}

int call_fetch(struct call *call, const struct egress_request *req, struct egress_response *ret,
               struct error *err)
{
	struct egress_request own = *req;
	int result;

	if (call_may_ask(call, WAITS_OUTSIDE, "the outside") < 0) {
		if (err != call->err)
			*err = *call->err;
		return -1;
	}
	own.cancelled = call->cancelled;
	call_goes_away(call);
	result = egress_fetch(service_egress(call->service), &own, ret, call->arena, err);
	call_is_back(call);
	return result;
}
