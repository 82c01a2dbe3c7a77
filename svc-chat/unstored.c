#include "svc-chat/unstored.h"

#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/rpc/envelope.h"
#include "common/stream/stream.h"

enum { DEADLINE_MS = 5 * 60 * 1000, GLANCE_MS = 200 };

/* What became of an answer that somebody waits for: shared by its writer and by the call that waits. */
struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int refs;
	bool done;
	atomic_bool unwanted;  /* nobody waits any more */
	struct parked *parked; /* who waits without a thread */
	struct error err;
	ProtobufCBinaryData packed; /* of the whole; from malloc */
};

static struct outcome *outcome_new(void)
{
	struct outcome *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	pthread_mutex_init(&o->lock, NULL);
	cond_init_monotonic(&o->changed);
	o->refs = 1;
	return o;
}

static void outcome_unref(struct outcome *o)
{
	bool last;

	pthread_mutex_lock(&o->lock);
	last = --o->refs == 0;
	pthread_mutex_unlock(&o->lock);
	if (!last)
		return;
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
	free(o->packed.data);
	free(o);
}

/* --- While it comes ----------------------------------------------------------------------------------------------------- */

/* The process is about to end. That nobody wants it any more is told to `stop` by whoever hears of it. */
static void look(struct unstored *c)
{
	if (atomic_load(c->ask.call->cancelled))
		atomic_store(c->stream ? &c->stop : &c->outcome->unwanted, true);
}

static void take_text(void *arg, const char *bytes, size_t size)
{
	struct unstored *c = arg;

	look(c);
	if (c->stream)
		c->form->piece(c, false, bytes, size);
	else
		text_add(&c->content, bytes, size);
}

static void take_reasoning(void *arg, const char *bytes, size_t size)
{
	struct unstored *c = arg;

	look(c);
	if (c->stream)
		c->form->piece(c, true, bytes, size);
	else
		text_add(&c->reasoning, bytes, size);
}

/* Who reads chunks has seen it; there is no word to take it back. */
static void take_back(void *arg)
{
	struct unstored *c = arg;

	c->content.length = 0;
	c->content.at[0] = '\0';
}

/* --- Writing ------------------------------------------------------------------------------------------------------------ */

static void end_chunks(struct unstored *c, const struct call *call, int result)
{
	const char *sentence = call->err->message;

	if (result < 0)
		c->form->fail(c, *sentence ? sentence : "something went wrong on our side");
	else
		c->form->end(c);
	stream_close(c->stream);
}

static void end_whole(struct unstored *c, const struct call *call, int result)
{
	struct outcome *o = c->outcome;

	pthread_mutex_lock(&o->lock);
	if (result == 0) {
		const ProtobufCMessage *whole = c->form->whole(c);

		o->packed.len = protobuf_c_message_get_packed_size(whole);
		o->packed.data = malloc(o->packed.len + 1);
		if (!o->packed.data)
			abort();
		protobuf_c_message_pack(whole, o->packed.data);
	}
	o->err = *call->err;
	o->err.fields = NULL;
	o->done = true;
	if (o->parked)
		call_wake(o->parked);
	pthread_cond_signal(&o->changed);
	pthread_mutex_unlock(&o->lock);
	outcome_unref(o);
}

static void wake(void *task)
{
	service_task_wake(task);
}

static void hear(struct call *call, void *arg);

/* Over; or there is more to come, and no thread waits for it. Who leaves cannot wake a task that may have ended: it looks. */
static void settle(struct unstored *c, struct call *call, int result)
{
	int64_t until = clock_mono_ms() + GLANCE_MS, asked;

	if (result == 0 && !c->searched) {
		c->searched = true;
		result = ask_model(&c->ask);
	}
	if (result <= 0) {
		(c->stream ? end_chunks : end_whole)(c, call, result);
		return;
	}
	asked = ask_until(&c->ask);
	service_task_park(call, asked && asked < until ? asked : until, hear, c);
}

static void hear(struct call *call, void *arg)
{
	struct unstored *c = arg;

	look(c);
	settle(c, call, ask_go_on(&c->ask));
}

static void write_it(struct call *call, void *arg)
{
	struct unstored *c = arg;

	c->ask.call = call;
	c->ask.wake_arg = call->task;
	if (c->stream)
		c->form->begin(c);
	settle(c, call, ask_search(&c->ask));
}

/* --- Waiting ------------------------------------------------------------------------------------------------------------ */

/* The outcome's lock is held. */
static int take_outcome(struct call *call, const struct outcome *o, ProtobufCMessage *out)
{
	ProtobufCAllocator allocator = arena_allocator(call->arena);
	const ProtobufCMessage *whole;

	if (!o->done)
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME, "the answer took too long");
	if (!o->packed.data) {
		*call->err = o->err;
		return -1;
	}
	whole = protobuf_c_message_unpack(out->descriptor, &allocator, o->packed.len, o->packed.data);
	if (!whole)
		return error_internal(call->err, "an answer cannot be read");
	memcpy(out, whole, out->descriptor->sizeof_message);
	return 0;
}

/* With a thread, where there is no place to park in, or the process is about to end. */
static void wait_here(struct call *call, struct outcome *o)
{
	while (!o->done && clock_unix_ms() < call->deadline && !atomic_load(call->cancelled))
		cond_wait_until(&o->changed, &o->lock, clock_mono_ms() + GLANCE_MS);
}

static int resume(struct call *call, void *arg, ProtobufCMessage *out)
{
	struct outcome *o = arg;
	int rc;

	pthread_mutex_lock(&o->lock);
	o->parked = NULL;
	wait_here(call, o);
	rc = take_outcome(call, o, out);
	atomic_store(&o->unwanted, true);
	pthread_mutex_unlock(&o->lock);
	outcome_unref(o);
	return rc;
}

static int wait_for(struct call *call, struct outcome *o, ProtobufCMessage *out)
{
	pthread_mutex_lock(&o->lock);
	if (!o->done)
		o->parked = call_park(call, call->deadline, resume, o);
	if (o->parked) {
		pthread_mutex_unlock(&o->lock);
		return 0;
	}
	pthread_mutex_unlock(&o->lock);
	return resume(call, o, out);
}

/* --- Beginning ------------------------------------------------------------------------------------------------------------ */

int unstored_new(const struct call *call, const struct unstored_form *form, struct unstored **ret)
{
	struct unstored *c;
	struct task *task;

	if (service_task_new(call, DEADLINE_MS, &task, call->err) < 0)
		return -1;
	c = arena_new(service_task_arena(task), struct unstored, 1);
	c->arena = service_task_arena(task);
	c->form = form;
	c->task = task;
	text_init(&c->content, c->arena);
	text_init(&c->reasoning, c->arena);
	c->ask = (struct ask){
		.for_visitor = call->caller->kind != RPC__CALLER__KIND__USER,
		.chat = chat_state(call),
		.stop = &c->stop,
		.wake = wake,
		.on_text = take_text,
		.on_reasoning = take_reasoning,
		.on_take_back = take_back,
		.usage = CHAT__TOKEN_USAGE__INIT,
		.arg = c,
	};
	*ret = c;
	return 0;
}

void unstored_drop(struct unstored *c)
{
	service_task_drop(c->task);
}

static int no_thread(struct call *call)
{
	return error_busy(call->err, 5, "too much is under way right now");
}

int unstored_chunks(struct call *call, struct unstored *c, Rpc__Started **ret)
{
	Rpc__Started *started = arena_new(call->arena, Rpc__Started, 1);
	struct stream *stream;

	rpc__started__init(started);
	if (stream_open(service_streams(call->service), stream_reader(call->caller), &stream, call->err) <
	    0) {
		unstored_drop(c);
		return -1;
	}
	c->stream = stream;
	stream_stop_when_left(stream, &c->stop);
	started->stream = arena_strdup(call->arena, stream_id(stream));
	started->has_after = true;
	if (service_task_start(c->task, write_it, c) < 0) {
		stream_close(stream);
		return no_thread(call);
	}
	*ret = started;
	return 0;
}

int unstored_whole(struct call *call, struct unstored *c, ProtobufCMessage *out)
{
	struct outcome *o = c->outcome = outcome_new();

	c->ask.stop = &o->unwanted;
	o->refs = 2; /* the writer's, and ours */
	if (service_task_start(c->task, write_it, c) < 0) {
		o->refs = 1;
		outcome_unref(o);
		return no_thread(call);
	}
	return wait_for(call, o, out);
}
