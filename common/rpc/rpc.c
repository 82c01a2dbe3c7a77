#include "common/rpc/rpc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/rpc/envelope.h"
#include "common/rpc/internal.h"
#include "rpc.client.h"

enum { DEADLINE_MS = 30 * 1000, NEXT_SLACK_MS = 5000 };

int peer_open(const struct peer_config *config, struct peer **ret, struct error *err)
{
	struct peer *peer = calloc(1, sizeof *peer);

	if (!peer || !(peer->addresses = strdup(config->addresses)))
		abort();
	snprintf(peer->service, sizeof peer->service, "%s", config->service);
	memcpy(peer->key, config->key, KEY_SIZE);
	peer->metrics = config->metrics;
	sem_init(&peer->look, 0, 0);
	pthread_mutex_init(&peer->lock, NULL);
	cond_init_monotonic(&peer->changed);
	if (watcher_start(peer, err) < 0) {
		free(peer->addresses);
		free(peer);
		return -1;
	}
	*ret = peer;
	return 0;
}

void peer_close(struct peer *peer)
{
	if (!peer)
		return;
	watcher_stop(peer);
	pthread_cond_destroy(&peer->changed);
	pthread_mutex_destroy(&peer->lock);
	sem_destroy(&peer->look);
	free(peer->addresses);
	free(peer);
}

int peer_ready(struct peer *peer)
{
	int ready = 0;

	pthread_mutex_lock(&peer->lock);
	for (int i = 0; i < peer->count; i++)
		ready += replica_usable(peer->replicas[i]) && peer->replicas[i]->id;
	pthread_mutex_unlock(&peer->lock);
	return ready;
}

/* --- Choosing a replica ------------------------------------------------------------------------------------------------ */

/* One call, and what has become of it so far. */
struct trip {
	struct peer *peer;
	const struct rpc_context *ctx;
	const struct method *method;
	Rpc__Request request;
	uint64_t wanted; /* the replica that a stream's id names; 0: any */
	uint32_t tried;  /* places in the table that could not do it */
	int lost;        /* how often it was sent without an answer */
	int64_t until;   /* monotonic */
};

static struct replica *least_busy(struct peer *peer, uint32_t tried)
{
	struct replica *best = NULL;

	peer->turn++;
	for (int i = 0; i < peer->count; i++) {
		int place = (int)(((unsigned)peer->turn + (unsigned)i) % (unsigned)peer->count);
		struct replica *r = peer->replicas[place];

		if (replica_usable(r) && !(tried & UINT32_C(1) << place) &&
		    (!best || r->outstanding < best->outstanding))
			best = r;
	}
	return best;
}

/* The replica of that id, even when it drains. *unsure: it may be one that has not told its id yet. */
static struct replica *of_id(struct peer *peer, uint64_t id, uint32_t tried, bool *unsure)
{
	*unsure = false;
	for (int i = 0; i < peer->count; i++) {
		struct replica *r = peer->replicas[i];
		bool connected = atomic_load(&r->pipes) > 0;

		if (r->ejected || r->stranger || tried & UINT32_C(1) << i)
			continue;
		if (connected && r->id == id)
			return r;
		*unsure = *unsure || (!r->id && (connected || !r->met));
	}
	return NULL;
}

static struct replica *choose(struct trip *t, bool last_chance)
{
	struct replica *r = NULL;
	bool unsure = false;

	if (t->wanted)
		r = of_id(t->peer, t->wanted, t->tried, &unsure);
	if (!r && (!unsure || last_chance))
		r = least_busy(t->peer, t->tried);
	if (!r && t->lost) /* a read, and nobody else: whom we lost may be back */
		r = least_busy(t->peer, 0);
	return r;
}

static void wait_for_change(struct peer *peer)
{
	/* Connections come without a signal (no lock may be taken there), so look often. */
	cond_wait_until(&peer->changed, &peer->lock, clock_mono_ms() + 20);
}

static void land(struct flight *f)
{
	sem_post(&f->done);
}

static void link_busy(struct replica *r, struct flight *f)
{
	f->next = r->busy;
	f->link = &r->busy;
	if (f->next)
		f->next->link = &f->next;
	r->busy = f;
}

static void unlink_busy(struct flight *f)
{
	*f->link = f->next;
	if (f->next)
		f->next->link = f->link;
}

/* A flight with the best replica; waits a little for a first one. NULL when there is none. */
static struct flight *board(struct trip *t)
{
	int64_t until = clock_mono_ms() + (t->tried && !t->lost ? 0 : GRACE_MS);
	struct peer *peer = t->peer;
	struct flight *f = NULL;
	struct replica *r;

	if (until > t->until)
		until = t->until;
	pthread_mutex_lock(&peer->lock);
	while (!(r = choose(t, clock_mono_ms() >= until)) && clock_mono_ms() < until)
		wait_for_change(peer);
	if (r) {
		f = r->idle;
		if (f)
			r->idle = f->next;
		else
			f = flight_new(r, land);
	}
	if (f) {
		f->reads = t->method->reads;
		r->outstanding++;
		link_busy(r, f);
	}
	pthread_mutex_unlock(&peer->lock);
	return f;
}

static void count(struct replica *r, enum error_code code)
{
	struct peer *peer = r->peer;
	char labels[ADDRESS_MAX + 128];

	if (!peer->metrics)
		return;
	if (!r->results[code]) {
		snprintf(labels, sizeof labels, "service=\"%s\",replica=\"%s\",result=\"%s\"", peer->service,
		         r->address, error_name(code));
		r->results[code] = metrics_get(peer->metrics, METRIC_COUNTER, "rpc_client_calls_total",
		                               labels, "Calls to other services, by replica and result.");
	}
	if (!r->gauge) {
		snprintf(labels, sizeof labels, "service=\"%s\",replica=\"%s\"", peer->service, r->address);
		r->gauge = metrics_get(peer->metrics, METRIC_GAUGE, "rpc_client_outstanding", labels,
		                       "Calls to other services under way.");
	}
	metric_add(r->results[code], 1);
	metric_set(r->gauge, r->outstanding);
}

static void leave(struct trip *t, struct flight *f, const Rpc__Reply *reply, bool stranger,
                  enum error_code code)
{
	struct replica *r = f->replica;

	pthread_mutex_lock(&t->peer->lock);
	unlink_busy(f);
	r->outstanding--;
	if (reply)
		replica_answered(r, reply);
	else if (stranger)
		r->stranger = true;
	else if (f->receiving && f->result == NNG_ETIMEDOUT)
		replica_silent(r);
	if (!reply || reply->not_taken) {
		for (int i = 0; i < t->peer->count; i++)
			t->tried |= (uint32_t)(t->peer->replicas[i] == r) << i;
	}
	count(r, code);
	f->next = r->idle;
	r->idle = f;
	pthread_mutex_unlock(&t->peer->lock);
}

/* --- One try ------------------------------------------------------------------------------------------------------------- */

static enum error_code take_error(const struct trip *t, const Rpc__Reply *reply)
{
	struct error *err = t->ctx->err;
	struct field_error **end = &err->fields;
	bool known = reply->code < ERROR_CODES;

	error_set(err, known ? (enum error_code)reply->code : ERROR_INTERNAL, "%s",
	          reply->message ? reply->message : error_name((enum error_code)reply->code));
	err->retry_after = reply->retry_after;
	error_detail(err, "%s said so", t->method->name);
	for (size_t i = 0; i < reply->n_fields; i++) {
		struct field_error *bad = arena_new(t->ctx->arena, struct field_error, 1);

		bad->where = reply->fields[i]->where ? reply->fields[i]->where : "body";
		bad->field = reply->fields[i]->field ? reply->fields[i]->field : "";
		bad->msg = reply->fields[i]->msg ? reply->fields[i]->msg : "";
		bad->type = reply->fields[i]->type ? reply->fields[i]->type : "value_error";
		*end = bad;
		end = &bad->next;
	}
	if (t->ctx->extra && reply->extra)
		*t->ctx->extra = reply->extra;
	return err->code;
}

static int unreachable(const struct trip *t)
{
	return error_busy(t->ctx->err, 1, "%s is not reachable right now", t->peer->service);
}

/* Sent, and no answer: what is to be said of it. */
static void no_answer(const struct trip *t, const struct flight *f)
{
	struct error *err = t->ctx->err;

	if (t->method->reads && f->result != NNG_ETIMEDOUT)
		unreachable(t); /* it changes nothing, so it may be asked again */
	else if (f->result == NNG_ETIMEDOUT)
		error_set(err, ERROR_UNKNOWN_OUTCOME, "%s did not answer in time", t->peer->service);
	else
		error_set(err, ERROR_UNKNOWN_OUTCOME,
		          "%s was lost before it answered: whether it was done is not known",
		          t->peer->service);
	error_detail(err, "%s at %s: %s", t->method->name, f->replica->address, nng_strerror(f->result));
}

/* 1: over, with *ret or an error; 0: may be tried with another replica, should there be one (the error is set). */
static int try_once(struct trip *t, ProtobufCBinaryData *ret)
{
	struct error *err = t->ctx->err;
	struct flight *f = board(t);
	Rpc__Reply *reply = NULL;
	enum error_code code = ERROR_NONE;
	bool stranger = false, again = true;

	if (!f) {
		if (!err->code)
			unreachable(t);
		return 1;
	}
	error_clear(err); /* of an earlier try */
	flight_start(f, &t->request, t->peer->key, GRACE_MS, t->until);
	while (sem_wait(&f->done) < 0 && errno == EINTR)
		;
	if (f->reply)
		reply = flight_reply(f, t->peer->key, t->ctx->arena, &stranger, err);

	if (reply && !reply->code) {
		*ret = reply->payload;
		again = false;
	} else if (reply) {
		code = take_error(t, reply);
		again = reply->not_taken;
	} else if (stranger) {
		error_clear(err);
		code = ERROR_UNAVAILABLE;
		unreachable(t);
		error_detail(err, "%s does not share our PARLEY_SECRET", f->replica->address);
	} else if (err->code) { /* signed by one of ours, and not readable */
		code = err->code = ERROR_INTERNAL;
		error_detail(err, "the answer of %s cannot be read", t->method->name);
		again = false;
	} else if (f->receiving) {
		no_answer(t, f);
		code = err->code;
		again = t->method->reads && f->result != NNG_ETIMEDOUT && !t->lost++;
	} else {
		unreachable(t);
		code = err->code;
		error_detail(err, "%s: %s", f->replica->address, nng_strerror(f->result));
	}
	leave(t, f, reply, stranger, code);
	return !again || clock_mono_ms() >= t->until;
}

/* --- Calls ----------------------------------------------------------------------------------------------------------------- */

static int travel(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
                  uint64_t wanted, ProtobufCBinaryData in, ProtobufCBinaryData *ret)
{
	int64_t now = clock_unix_ms(), deadline = ctx->deadline ? ctx->deadline : now + DEADLINE_MS;
	struct trip t = { .peer = peer, .ctx = ctx, .method = method, .wanted = wanted };

	if (deadline <= now)
		return error_set(ctx->err, ERROR_UNKNOWN_OUTCOME, "time is up");
	t.until = clock_mono_ms() + (deadline - now);
	rpc__request__init(&t.request);
	t.request.has_method = t.request.has_deadline = t.request.has_payload = true;
	t.request.method = method->id;
	t.request.deadline = deadline;
	t.request.payload = in;
	t.request.request_id = (char *)ctx->request_id;
	t.request.traceparent = (char *)ctx->traceparent;
	t.request.idempotency_key = (char *)ctx->idempotency_key;
	t.request.caller = (Rpc__Caller *)ctx->caller;
	if (envelope_size(&t.request.base) > RPC_MESSAGE_MAX)
		return error_set(ctx->err, ERROR_TOO_LARGE,
		                 "this is too large to be passed on (at most %d MiB)", RPC_MESSAGE_MAX >> 20);
	while (!try_once(&t, ret))
		;
	return ctx->err->code ? -1 : 0;
}

int rpc_call_packed(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
                    ProtobufCBinaryData in, ProtobufCBinaryData *ret)
{
	return travel(peer, ctx, method, 0, in, ret);
}

static int call(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
                uint64_t wanted, const ProtobufCMessage *in, ProtobufCMessage **ret)
{
	ProtobufCAllocator allocator = arena_allocator(ctx->arena);
	ProtobufCBinaryData packed, answer = { 0 };

	packed.len = protobuf_c_message_get_packed_size(in);
	packed.data = arena_alloc(ctx->arena, packed.len);
	protobuf_c_message_pack(in, packed.data);
	if (travel(peer, ctx, method, wanted, packed, &answer) < 0)
		return -1;
	*ret = protobuf_c_message_unpack(method->out, &allocator, answer.len, answer.data);
	return *ret ? 0 : error_internal(ctx->err, "the answer of %s cannot be read", method->name);
}

int rpc_call(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
             const ProtobufCMessage *in, ProtobufCMessage **ret)
{
	return call(peer, ctx, method, 0, in, ret);
}

int rpc_next(struct peer *peer, const struct rpc_context *ctx, const char *stream, int64_t after, int wait_ms,
             Rpc__NextReply **ret)
{
	Rpc__NextRequest in = RPC__NEXT_REQUEST__INIT;
	struct rpc_context own = *ctx;
	ProtobufCMessage *out = NULL;

	in.stream = (char *)stream;
	in.has_after = in.has_wait = true;
	in.after = after;
	in.wait = wait_ms;
	own.deadline = clock_unix_ms() + wait_ms + NEXT_SLACK_MS;
	if (call(peer, &own, &rpc_client_methods[RPC_METHOD_NEXT], strtoull(stream, NULL, 16), &in.base,
	         &out) < 0)
		return -1;
	*ret = (Rpc__NextReply *)out;
	return 0;
}
