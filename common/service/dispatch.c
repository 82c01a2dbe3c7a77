#include <nng/nng.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/envelope.h"
#include "common/service/idempotency.h"
#include "common/service/internal.h"

/* Of a payload, so that a reply has room for what is round it. */
enum { ANSWER_MAX = RPC_MESSAGE_MAX - 512 };

/* One request on its way through; lives in the lane's arena. */
struct serving {
	struct service *service;
	struct served *served;
	const Rpc__Request *request;
	int64_t began; /* monotonic us */
	ProtobufCMessage *in, *out;
	struct parked parked;
	struct call call;
	struct error err;
	struct db db;
	ProtobufCBinaryData answer;
	struct claim *claim; /* to an Idempotency-Key; or NULL */
	bool not_taken;
};

/* The database has a little less time than the caller: so that its answer, or that there is none, still arrives. */
static int64_t patience_end(int64_t deadline)
{
	int64_t left = deadline - clock_unix_ms();

	return clock_mono_ms() + left - (left < 2500 ? left / 10 : 250);
}

/* --- Who may ----------------------------------------------------------------------------------------------------------- */

static int check_access(const struct method *method, const Rpc__Caller *caller, struct error *err)
{
	bool process = caller->kind == RPC__CALLER__KIND__SERVICE;
	bool owner = caller->owner_id && (process || caller->kind == RPC__CALLER__KIND__USER);

	switch (method->access) {
	case ACCESS_ANYBODY:
	case ACCESS_PUBLIC:
	case ACCESS_VISITOR:
	case ACCESS_INTERNAL:
		return 0; /* no route leads there: who holds the cluster key may, for whomever it acts */
	case ACCESS_USER:
	case ACCESS_PROGRAM:
	case ACCESS_ADMIN:
		if (!owner)
			return error_set(err, ERROR_UNAUTHENTICATED, "this needs somebody who is signed in");
		if (method->access == ACCESS_ADMIN && (!caller->admin || caller->api_key_id))
			return error_set(err, ERROR_FORBIDDEN,
			                 "this is for administrators who are signed in");
		return 0;
	}
	return error_internal(err, "%s: no such access", method->name);
}

static int check_request(struct serving *v)
{
	if (!v->served) { /* of a contract that is newer than this program: another replica may know it */
		v->not_taken = true;
		return error_busy(&v->err, 1, "%s does not know this method",
		                  v->service->config->contract->name);
	}
	if (atomic_load(&v->service->draining)) {
		v->not_taken = true;
		return error_busy(&v->err, 1, "%s is about to stop", v->service->config->contract->name);
	}
	if (v->request->deadline <= clock_unix_ms())
		return error_busy(&v->err, 1, "time was up before this was begun");
	return check_access(v->served->method, v->call.caller, &v->err);
}

/* --- Doing it ---------------------------------------------------------------------------------------------------------- */

/* The answer, packed in the arena. One that is too large to be sent is told before anything is committed. */
static int pack(struct serving *v, ProtobufCBinaryData *payload)
{
	payload->len = protobuf_c_message_get_packed_size(v->out);
	if (payload->len > ANSWER_MAX && v->call.method->reads)
		return error_set(&v->err, ERROR_TOO_LARGE,
		                 "the answer is too large; ask for less at a time (limit)");
	if (payload->len > ANSWER_MAX)
		return error_internal(&v->err, "an answer of %zu bytes", payload->len);
	payload->data = arena_alloc(v->call.arena, payload->len);
	protobuf_c_message_pack(v->out, payload->data);
	return 0;
}

static int judge(struct serving *v, int result, ProtobufCBinaryData *payload)
{
	if (result < 0)
		return v->err.code
		           ? -1
		           : error_internal(&v->err, "%s failed without a reason", v->call.method->name);
	error_clear(&v->err); /* something on the way failed, and the handler went round it */
	return pack(v, payload);
}

/* The handler, and its packed answer: what idempotency_run() runs. */
static int run_handler(void *arg, ProtobufCBinaryData *payload)
{
	struct serving *v = arg;
	const ProtobufCMessageDescriptor *type = v->call.method->out;

	v->out = arena_alloc(v->call.arena, type->sizeof_message);
	protobuf_c_message_init(type, v->out);
	if (judge(v, v->call.method->handler(&v->call, v->in, v->out), payload) < 0)
		return -1;
	return v->parked.resume ? IDEMPOTENCY_PARKED : IDEMPOTENCY_DONE;
}

/* What a parked call has waited for is there, or its time is up. */
static void go_on(struct serving *v)
{
	call_resume *resume = v->parked.resume;

	v->parked.resume = NULL;
	(void)judge(v, resume(&v->call, v->parked.arg, v->out), &v->answer);
}

/* It has ended after it was parked: what was kept under its key when it was, is not the answer. */
static void settle(struct serving *v)
{
	if (v->claim && !v->parked.resume)
		idempotency_settle(&v->call, v->claim, v->err.code ? NULL : &v->answer);
}

/* What it told others of itself has to be taken back all the same. */
static void clean_up(struct serving *v)
{
	struct error failure = v->err;

	error_clear(&v->err);
	v->call.parked = NULL; /* it does not park again */
	go_on(v);
	v->err = failure;
}

static int unpack(struct serving *v)
{
	const struct method *method = v->served->method;
	ProtobufCAllocator allocator = arena_allocator(v->call.arena);
	const ProtobufCBinaryData *payload = &v->request->payload;

	v->in = protobuf_c_message_unpack(method->in, &allocator, payload->len, payload->data);
	return v->in ? 0 : error_set(&v->err, ERROR_MALFORMED, "the request cannot be read");
}

static void handle(struct serving *v)
{
	const struct method *method = v->served->method;
	const char *key = v->call.idempotency_key;

	if (method->idempotency_key && key && *key && v->call.owner_id)
		(void)!idempotency_run(&v->call, &v->request->payload, run_handler, v, &v->answer, &v->claim);
	else
		(void)run_handler(v, &v->answer);
}

/* A brief call: false when it is to be run again, once it has its rows. */
static bool handle_ahead(struct serving *v, struct db_ahead *ahead)
{
	error_clear(&v->err); /* of the run before, which was for the notes alone */
	v->call.extra = NULL;
	v->db.ahead = ahead;
	(void)run_handler(v, &v->answer);
	if (ahead->mistake) {
		error_clear(&v->err);
		error_internal(&v->err, "a brief method %s", ahead->mistake);
		ahead->waits = false;
	}
	return !ahead->waits;
}

/* --- Telling it -------------------------------------------------------------------------------------------------------- */

static void fill_fields(Rpc__Reply *reply, const struct field_error *fields, struct arena *a)
{
	size_t n = 0;

	for (const struct field_error *f = fields; f; f = f->next)
		n++;
	reply->fields = arena_new(a, Rpc__FieldError *, n);
	for (const struct field_error *f = fields; f; f = f->next) {
		Rpc__FieldError *out = arena_new(a, Rpc__FieldError, 1);

		rpc__field_error__init(out);
		out->where = (char *)f->where;
		out->field = (char *)f->field;
		out->msg = (char *)f->msg;
		out->type = (char *)f->type;
		reply->fields[reply->n_fields++] = out;
	}
}

static void reply(struct slot *slot, struct serving *v, struct arena *a)
{
	Rpc__Reply out = RPC__REPLY__INIT;

	out.has_code = true;
	out.code = v->err.code;
	if (v->err.code) {
		out.message = v->err.message;
		out.has_retry_after = v->err.retry_after != 0;
		out.retry_after = v->err.retry_after;
		out.has_not_taken = out.not_taken = v->not_taken;
		out.extra = v->call.extra;
		fill_fields(&out, v->err.fields, a);
	} else {
		out.has_payload = true;
		out.payload = v->answer;
	}
	slot_reply(slot, &out, 0);
}

static void count(struct serving *v, int64_t us)
{
	struct metric *result;
	char labels[160];

	if (!v->served)
		return;
	result = atomic_load(&v->served->results[v->err.code]);
	if (!result) {
		snprintf(labels, sizeof labels, "method=\"%s\",result=\"%s\"", v->served->method->name,
		         error_name(v->err.code));
		result = metrics_get(v->service->metrics, METRIC_COUNTER, "rpc_requests_total", labels,
		                     "Calls served, by method and result.");
		atomic_store(&v->served->results[v->err.code], result);
	}
	metric_add(result, 1);
	metric_observe(v->served->duration, us);
}

static void tell(const struct serving *v, int64_t us)
{
	enum log_level level = v->err.code == ERROR_INTERNAL ? LOG_ERROR
	                       : v->err.code >= ERROR_UPSTREAM && v->err.code <= ERROR_UNKNOWN_OUTCOME
	                           ? LOG_WARN
	                           : LOG_INFO;
	const char *method = v->served ? v->served->method->name : "unknown";

	if (v->err.detail[0])
		log_line(level, NULL, LOG_TEXT("request", v->call.request_id), LOG_TEXT("method", method),
		         LOG_TEXT("user", v->call.owner_id), LOG_TEXT("result", error_name(v->err.code)),
		         LOG_INT("ms", us / 1000), LOG_TEXT("detail", v->err.detail));
	else
		log_line(level, NULL, LOG_TEXT("request", v->call.request_id), LOG_TEXT("method", method),
		         LOG_TEXT("user", v->call.owner_id), LOG_TEXT("result", error_name(v->err.code)),
		         LOG_INT("ms", us / 1000));
}

/* --- From first to last ------------------------------------------------------------------------------------------------ */

static void refuse_unread(struct slot *slot, const char *why)
{
	Rpc__Reply out = RPC__REPLY__INIT;

	out.has_code = true;
	out.code = ERROR_MALFORMED;
	out.message = (char *)why;
	slot_reply(slot, &out, 0);
}

/* NULL: it is answered, or parked. v->in is NULL when it was refused. */
static struct serving *begin(struct slot *slot, struct arena *a)
{
	struct serving *v = arena_new(a, struct serving, 1);
	ProtobufCAllocator allocator = arena_allocator(a);
	Rpc__Request *request = rpc__request__unpack(&allocator, slot->packed.len, slot->packed.data);

	if (!request || !request->has_deadline) {
		refuse_unread(slot,
		              request ? "a request without a deadline" : "a message that cannot be read");
		return NULL;
	}
	v->service = slot->service;
	v->began = clock_mono_us();
	/* It came in our monotonic clock (common/rpc/offset.h); handlers have it in Unix time. */
	request->deadline += clock_unix_ms() - v->began / 1000;
	v->request = request;
	if (builtin(slot, v->request, a))
		return NULL;
	v->served = service_method(v->service, v->request->method);
	call_init(&v->call, v->service, a, &v->err, &v->db, v->served ? v->served->method : NULL, v->request);
	v->db.until = patience_end(v->call.deadline);
	v->parked.slot = slot;
	v->call.parked = &v->parked;
	v->call.cancelled = &slot->gone;
	if (check_request(v) == 0)
		(void)!unpack(v);
	return v;
}

static void end(struct slot *slot, struct serving *v, struct arena *a)
{
	int64_t took;

	db_done(&v->db);
	reply(slot, v, a);
	took = clock_mono_us() - v->began;
	count(v, took);
	tell(v, took);
}

/* false: it is to be run again. */
static bool run(struct serving *v, struct db_ahead *ahead)
{
	bool resumed;

	if (!v->in)
		return true;
	if (ahead)
		return handle_ahead(v, ahead);
	resumed = v->parked.resume != NULL;
	if (resumed)
		go_on(v);
	else
		handle(v);
	if (v->err.code && v->parked.resume)
		clean_up(v);
	if (resumed)
		settle(v);
	return !v->parked.resume;
}

void dispatch(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct slot *slot = (struct slot *)((char *)job - offsetof(struct slot, job));
	struct serving *v = slot->serving;

	slot->serving = NULL;
	if (v && v->parked.resume) {
		parked_wakes(&v->parked, a);
		v->call.arena = v->call.scratch = a;
	}
	if (!v)
		slot_begun(slot);
	if (!v && !(v = begin(slot, a)))
		return;
	if (run(v, ahead)) {
		end(slot, v, a);
		return;
	}
	slot->serving = v;
	if (v->parked.resume)
		parked_sleep(&v->parked, a);
}
