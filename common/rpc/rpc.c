#include "common/rpc/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/rpc/internal.h"
#include "rpc.client.h"

enum { DEADLINE_MS = 30 * 1000, NEXT_SLACK_MS = 5000, GONE_MS = 2000, REOPEN_MAX = 3 };

static const struct rpc_pace usual_pace = {
	.ask_every = 1000, .ask_wait = 1500, .send = 1000, .grace = 1000, .revival = 5000, .look = 1000
};

static void peer_free(struct peer *peer)
{
	for (int i = 0; i < peer->count; i++)
		replica_free(peer->replicas[i]);
	pthread_cond_destroy(&peer->changed);
	pthread_mutex_destroy(&peer->lock);
	sem_destroy(&peer->wake);
	sem_destroy(&peer->resolve_wake);
	free(peer->addresses);
	free(peer);
}

int peer_open(const struct peer_config *config, struct peer **ret, struct error *err)
{
	struct peer *peer = calloc(1, sizeof *peer);

	if (!peer || !(peer->addresses = strdup(config->addresses)))
		abort();
	snprintf(peer->service, sizeof peer->service, "%s", config->service);
	memcpy(peer->key, config->key, KEY_SIZE);
	envelope_denial_key(config->key, peer->denial_key);
	peer->metrics = config->metrics;
	peer->pace = config->pace ? *config->pace : usual_pace;
	peer->alive_at = INT64_MIN / 2;
	sem_init(&peer->wake, 0, 0);
	sem_init(&peer->resolve_wake, 0, 0);
	pthread_mutex_init(&peer->lock, NULL);
	cond_init_monotonic(&peer->changed);
	if (addresses_open(peer, err) < 0) {
		peer_free(peer);
		return -1;
	}
	peer->watcher = thread_start(watch, peer);
	if (peer->by_name)
		peer->resolver = thread_start(resolver, peer);
	*ret = peer;
	return 0;
}

void peer_close(struct peer *peer)
{
	if (!peer)
		return;
	atomic_store(&peer->stopping, true);
	sem_post(&peer->wake);
	sem_post(&peer->resolve_wake);
	pthread_join(peer->watcher, NULL);
	if (peer->by_name)
		pthread_join(peer->resolver, NULL);
	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count;
	     i++) { /* NNG 1.5.2 may hang when it closes while an answer arrives */
		if (peer->replicas[i]->probing && atomic_load(&peer->replicas[i]->pipes) <= 0)
			nng_aio_cancel(peer->replicas[i]->probe->aio);
		while (peer->replicas[i]->probing)
			pthread_cond_wait(&peer->changed, &peer->lock);
	}
	pthread_mutex_unlock(&peer->lock);
	peer_free(peer);
}

int peer_ready(struct peer *peer)
{
	int ready = 0;

	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count; i++)
		ready += replica_usable(peer->replicas[i]);
	pthread_mutex_unlock(&peer->lock);
	return ready;
}

static int call_typed(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
                      uint64_t wanted, const ProtobufCMessage *in, ProtobufCMessage **ret);

/* --- One try ------------------------------------------------------------------------------------------------------------- */

static void take_error(const struct call_out *call, const Rpc__Reply *reply)
{
	struct error *err = call->ctx->err;
	struct field_error **end = &err->fields;
	bool known = reply->code < ERROR_CODES;

	error_set(err, known ? (enum error_code)reply->code : ERROR_INTERNAL, "%s",
	          reply->message ? reply->message : error_name((enum error_code)reply->code));
	err->retry_after = reply->retry_after;
	error_detail(err, "%s said so", call->method->name);
	for (size_t i = 0; i < reply->n_fields; i++) {
		struct field_error *bad = arena_new(call->ctx->arena, struct field_error, 1);

		bad->where = reply->fields[i]->where ? reply->fields[i]->where : "body";
		bad->field = reply->fields[i]->field ? reply->fields[i]->field : "";
		bad->msg = reply->fields[i]->msg ? reply->fields[i]->msg : "";
		bad->type = reply->fields[i]->type ? reply->fields[i]->type : "value_error";
		*end = bad;
		end = &bad->next;
	}
	if (call->ctx->extra && reply->extra)
		*call->ctx->extra = reply->extra;
}

/* What a try can come to, and what is made of it. */
enum outcome {
	ANSWERED,
	REFUSED,      /* the service's own error */
	NOT_TAKEN,    /* refused before anything was done */
	NOT_SENT,     /* no connection took it */
	NO_SESSION,   /* it does not know our session any more, so it did nothing */
	READ_LOST,    /* sent, and the connection went, or another process has it, or none of ours answered */
	WRITE_LOST,   /* the same, and it may have been done */
	TIMED_OUT,    /* sent, and no answer in time */
	UNREADABLE,   /* the answer is of one of ours, and cannot be read */
	NO_TIME_LEFT, /* never sent: it was too late */
};

static const struct {
	enum error_code code; /* ERROR_NONE: none, or the service's own */
	bool again;           /* may be tried again */
	bool spent;           /* but not with that process */
	const char *sentence; /* %s: the service */
} outcomes[] = {
	[ANSWERED] = { ERROR_NONE, false, false, NULL },
	[REFUSED] = { ERROR_NONE, false, false, NULL },
	[NOT_TAKEN] = { ERROR_NONE, true, true, NULL },
	[NOT_SENT] = { ERROR_UNAVAILABLE, true, true, "%s is not reachable right now" },
	[NO_SESSION] = { ERROR_UNAVAILABLE, true, false, "%s is not reachable right now" },
	[READ_LOST] = { ERROR_UNAVAILABLE, true, true, "%s is not reachable right now" },
	[WRITE_LOST] = { ERROR_UNKNOWN_OUTCOME, false, true,
	                 "%s was lost before it answered: whether it was done is not known" },
	[TIMED_OUT] = { ERROR_UNKNOWN_OUTCOME, false, true, "%s did not answer in time" },
	[UNREADABLE] = { ERROR_INTERNAL, false, false,
	                 "something went wrong on our side; the log knows more" },
	[NO_TIME_LEFT] = { ERROR_UNAVAILABLE, false, false, "time was up before %s was asked" },
};

/* *reply is filled where there is one, *why where the log should know. */
static enum outcome judge(const struct call_out *call, struct exchange *x, Rpc__Reply **reply,
                          const char **why)
{
	enum outcome lost = call->method->reads ? READ_LOST : WRITE_LOST;

	*why = nng_strerror(x->result);
	if (!x->receiving)
		return NOT_SENT;
	if (x->result)
		return x->result == NNG_ETIMEDOUT ? TIMED_OUT : lost;
	switch (exchange_reply(x, call->ctx->arena, reply)) {
	case REPLY_GOOD: return !(*reply)->code ? ANSWERED : (*reply)->not_taken ? NOT_TAKEN : REFUSED;
	case REPLY_NO_SESSION: *why = "the session has to be opened anew"; return NO_SESSION;
	case REPLY_ELSEWHERE: *why = "another process took it, and did not know the session"; return lost;
	case REPLY_FORGED: *why = "the answer is none of ours"; return lost;
	case REPLY_MALFORMED: break;
	}
	*why = "the answer cannot be read";
	return UNREADABLE;
}

/* The outcome as an error of ours; the service's own is there already. Returns its code. */
static enum error_code tell(const struct call_out *call, enum outcome outcome)
{
	struct error *err = call->ctx->err;

	if (!outcomes[outcome].code)
		return err->code;
	error_clear(err);
	error_set(err, outcomes[outcome].code, outcomes[outcome].sentence, call->peer->service);
	err->retry_after = err->code == ERROR_UNAVAILABLE;
	return err->code;
}

/* A try that may be repeated is so only this often where it might go on for ever. */
static bool worth_another(struct call_out *call, enum outcome outcome)
{
	if (outcome == READ_LOST && call->lost++)
		return false;
	if (outcome == NO_SESSION && call->reopened++ == REOPEN_MAX)
		return false;
	return outcomes[outcome].again && !call->gone && clock_mono_ms() < call->until;
}

/* Only the process that has the request is told, in the session that it came in: another one finds nothing there. */
static void tell_gone(struct call_out *call, const struct exchange *x)
{
	Rpc__GoneRequest in = RPC__GONE_REQUEST__INIT;
	struct error ignored = { 0 };
	struct rpc_context ctx = { .arena = call->ctx->arena,
		                   .err = &ignored,
		                   .caller = call->ctx->caller,
		                   .request_id = call->ctx->request_id,
		                   .deadline = clock_unix_ms() + GONE_MS };
	ProtobufCMessage *out;

	in.has_session = in.has_counter = true;
	in.session = x->session.id;
	in.counter = x->counter;
	(void)!call_typed(call->peer, &ctx, &rpc_client_methods[RPC_METHOD_GONE], x->process, &in.base, &out);
	call->gone = true;
}

/* Until there is an answer, or none can come. Who is gone is told again and again: the first time it may overtake the
 * request. */
static void await(struct call_out *call, struct exchange *x)
{
	const struct rpc_context *ctx = call->ctx;

	while (sem_wait_until(&x->wake, ctx->gone ? clock_mono_ms() + call->peer->pace.look : INT64_MAX) < 0)
		if (ctx->gone && ctx->gone(ctx->gone_arg))
			tell_gone(call, x);
}

/* true: shall be tried again (the error is set, in case nobody is there). */
static bool try_once(struct call_out *call, ProtobufCBinaryData *ret)
{
	struct error *err = call->ctx->err;
	struct exchange *x = begin_try(call);
	Rpc__Reply *reply = NULL;
	enum outcome outcome;
	const char *why;

	if (!x) {
		if (!err->code)
			tell(call, NOT_SENT);
		return false;
	}
	error_clear(err); /* of an earlier try */
	exchange_start(x, &call->request, call->peer->pace.send, call->until);
	await(call, x);
	outcome = judge(call, x, &reply, &why);
	if (outcome == ANSWERED)
		*ret = reply->payload;
	else if (reply)
		take_error(call, reply);
	else
		tell(call, outcome);
	if (outcomes[outcome].code)
		error_detail(err, "%s at %s: %s", call->method->name, x->replica->address, why);
	end_try(call, x, reply, outcome == NO_SESSION, outcomes[outcome].spent, err->code);
	return worth_another(call, outcome);
}

/* --- Calls ----------------------------------------------------------------------------------------------------------------- */

static int make_call(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
                     uint64_t wanted, ProtobufCBinaryData in, ProtobufCBinaryData *ret)
{
	int64_t now = clock_unix_ms(), deadline = ctx->deadline ? ctx->deadline : now + DEADLINE_MS;
	struct call_out call = { .peer = peer, .ctx = ctx, .method = method, .wanted = wanted };
	Rpc__Request *request = &call.request;

	if (deadline <= now) {
		tell(&call, NO_TIME_LEFT);
		return -1;
	}
	call.began = clock_mono_ms();
	call.until = call.began + (deadline - now);
	rpc__request__init(request);
	request->has_method = request->has_deadline = request->has_payload = true;
	request->method = method->id;
	request->payload = in;
	request->deadline = INT64_MAX; /* of the most bytes; each try says it in its replica's clock */
	request->request_id = (char *)ctx->request_id;
	request->traceparent = (char *)ctx->traceparent;
	request->idempotency_key = (char *)ctx->idempotency_key;
	request->caller = (Rpc__Caller *)ctx->caller;
	if (envelope_size(&request->base) > RPC_MESSAGE_MAX)
		return error_set(ctx->err, ERROR_TOO_LARGE,
		                 "this is too large to be passed on (at most %d MiB)", RPC_MESSAGE_MAX >> 20);
	while (try_once(&call, ret))
		;
	return ctx->err->code ? -1 : 0;
}

static int call_typed(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
                      uint64_t wanted, const ProtobufCMessage *in, ProtobufCMessage **ret)
{
	ProtobufCAllocator allocator = arena_allocator(ctx->arena);
	ProtobufCBinaryData packed, answer = { 0 };

	packed.len = protobuf_c_message_get_packed_size(in);
	packed.data = arena_alloc(ctx->arena, packed.len);
	protobuf_c_message_pack(in, packed.data);
	if (make_call(peer, ctx, method, wanted, packed, &answer) < 0)
		return -1;
	*ret = protobuf_c_message_unpack(method->out, &allocator, answer.len, answer.data);
	return *ret ? 0 : error_internal(ctx->err, "the answer of %s cannot be read", method->name);
}

int rpc_call(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
             const ProtobufCMessage *in, ProtobufCMessage **ret)
{
	return call_typed(peer, ctx, method, 0, in, ret);
}

static int next(struct peer *peer, const struct rpc_context *ctx, Rpc__NextRequest *in, int64_t patience_ms,
                Rpc__NextReply **ret)
{
	struct rpc_context own = *ctx;
	ProtobufCMessage *out = NULL;

	own.deadline = clock_unix_ms() + patience_ms;
	if (call_typed(peer, &own, &rpc_client_methods[RPC_METHOD_NEXT], strtoull(in->stream, NULL, 16),
	               &in->base, &out) < 0)
		return -1;
	*ret = (Rpc__NextReply *)out;
	return 0;
}

int rpc_next(struct peer *peer, const struct rpc_context *ctx, const char *stream, int64_t after, int wait_ms,
             Rpc__NextReply **ret)
{
	Rpc__NextRequest in = RPC__NEXT_REQUEST__INIT;

	in.stream = (char *)stream;
	in.has_after = in.has_wait = true;
	in.after = after;
	in.wait = wait_ms;
	return next(peer, ctx, &in, wait_ms + NEXT_SLACK_MS, ret);
}

int rpc_leave(struct peer *peer, const struct rpc_context *ctx, const char *stream)
{
	Rpc__NextRequest in = RPC__NEXT_REQUEST__INIT;
	Rpc__NextReply *nothing;

	in.stream = (char *)stream;
	in.has_leaves = in.leaves = true;
	return next(peer, ctx, &in, NEXT_SLACK_MS, &nothing);
}
