#include "svc-chat/unstored.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/thread.h"
#include "common/json/json_write.h"
#include "common/rpc/envelope.h"
#include "common/stream/stream.h"
#include "shapes.h"

enum { DEADLINE_MS = 5 * 60 * 1000, GLANCE_MS = 200 };

/* What became of a completion that somebody waits for: shared by its writer and by the call that waits. */
struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int refs;
	bool done;
	atomic_bool unwanted;  /* nobody waits any more */
	struct parked *parked; /* who waits without a thread */
	struct error err;
	ProtobufCBinaryData packed; /* of the Completion; from malloc */
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

/* --- The answer ------------------------------------------------------------------------------------------------------- */

static const char *finish_reason(const char *finish)
{
	if (finish && strcmp(finish, "length") == 0)
		return "length";
	return finish && strcmp(finish, "filtered") == 0 ? "content_filter" : "stop";
}

static void add_usage(const struct ask *r, Chat__Completion *out)
{
	Chat__CompletionUsage *usage = arena_new(r->call->arena, Chat__CompletionUsage, 1);

	chat__completion_usage__init(usage);
	usage->has_prompt_tokens = usage->has_completion_tokens = usage->has_total_tokens = true;
	usage->prompt_tokens = r->usage.prompt_tokens;
	usage->completion_tokens = r->usage.completion_tokens;
	usage->total_tokens = usage->prompt_tokens + usage->completion_tokens;
	out->usage = usage;
}

static void add_choice(const struct unstored *c, Chat__Completion *out)
{
	Chat__CompletionChoice *choice = arena_new(c->arena, Chat__CompletionChoice, 1);
	Chat__CompletionAnswer *answer = arena_new(c->arena, Chat__CompletionAnswer, 1);

	chat__completion_choice__init(choice);
	chat__completion_answer__init(answer);
	answer->role = (char *)"assistant";
	answer->content = c->content.at;
	answer->reasoning_content = c->reasoning.length ? c->reasoning.at : NULL;
	choice->has_index = true;
	choice->message = answer;
	choice->finish_reason = (char *)finish_reason(c->ask.result.finish);
	out->choices = arena_new(c->arena, Chat__CompletionChoice *, 1);
	out->choices[out->n_choices++] = choice;
}

static void describe(const struct unstored *c, Chat__Completion *out)
{
	char id[UUID_TEXT];

	uuid_make(id);
	chat__completion__init(out);
	out->id = arena_printf(c->arena, "chatcmpl-%s", id);
	out->object = (char *)"chat.completion";
	out->has_created = true;
	out->created = clock_unix_ms() / 1000;
	out->model = (char *)c->model;
	add_choice(c, out);
	add_usage(&c->ask, out);
	out->sources = ask_sources(&c->ask, &out->n_sources);
	out->citations = arena_new(c->arena, char *, out->n_sources + 1);
	for (size_t i = 0; i < out->n_sources; i++)
		out->citations[out->n_citations++] = out->sources[i]->document_name;
}

/* --- In chunks ---------------------------------------------------------------------------------------------------------- */

static void begin_chunks(struct unstored *c)
{
	char id[UUID_TEXT];
	struct text head;

	uuid_make(id);
	text_init(&head, c->arena);
	text_addf(&head,
	          "{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion.chunk\",\"created\":%" PRId64
	          ",\"model\":",
	          id, clock_unix_ms() / 1000);
	text_add_json(&head, c->model, strlen(c->model));
	c->head = head.at;
	stream_append(c->stream, "chunk",
	              arena_printf(c->arena,
	                           "%s,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
	                           "\"content\":\"\"},\"finish_reason\":null}]}",
	                           c->head));
}

static void emit(const struct unstored *c, const char *member, const char *bytes, size_t size)
{
	struct arena a;
	struct text t;

	arena_init(&a, 0);
	text_init(&t, &a);
	text_addf(&t, "%s,\"choices\":[{\"index\":0,\"delta\":{\"%s\":", c->head, member);
	text_add_json(&t, bytes, size);
	text_adds(&t, "},\"finish_reason\":null}]}");
	stream_append(c->stream, "chunk", t.at);
	arena_done(&a);
}

static void end_chunks(const struct unstored *c)
{
	Chat__Completion whole;
	struct text t;

	describe(c, &whole);
	text_init(&t, c->arena);
	text_addf(&t, "%s,\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}],\"citations\":",
	          c->head, whole.choices[0]->finish_reason);
	json_from_field(&t, &shape_chat__completion, &whole.base, "citations");
	text_adds(&t, ",\"sources\":");
	json_from_field(&t, &shape_chat__completion, &whole.base, "sources");
	text_addc(&t, '}');
	stream_append(c->stream, "chunk", t.at);
	if (!c->tells_usage)
		return;
	text_init(&t, c->arena);
	text_addf(&t, "%s,\"choices\":[],\"usage\":", c->head);
	json_from_field(&t, &shape_chat__completion, &whole.base, "usage");
	text_addc(&t, '}');
	stream_append(c->stream, "chunk", t.at);
}

static void tell_error(const struct unstored *c, const struct error *err)
{
	const char *sentence = err->message[0] ? err->message : "something went wrong on our side";
	struct text t;

	text_init(&t, c->arena);
	text_adds(&t, "{\"error\":{\"message\":");
	text_add_json(&t, sentence, strlen(sentence));
	text_adds(&t, ",\"type\":\"server_error\",\"param\":null,\"code\":null}}");
	stream_append(c->stream, "error", t.at);
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
		emit(c, "content", bytes, size);
	else
		text_add(&c->content, bytes, size);
}

static void take_reasoning(void *arg, const char *bytes, size_t size)
{
	struct unstored *c = arg;

	look(c);
	if (c->stream)
		emit(c, "reasoning_content", bytes, size);
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

static void end_stream(struct unstored *c, const struct call *call, int result)
{
	if (result < 0)
		tell_error(c, call->err);
	else
		end_chunks(c);
	stream_close(c->stream);
}

static void end_whole(struct unstored *c, const struct call *call, int result)
{
	struct outcome *o = c->outcome;
	Chat__Completion whole;

	pthread_mutex_lock(&o->lock);
	if (result == 0) {
		describe(c, &whole);
		o->packed.len = chat__completion__get_packed_size(&whole);
		o->packed.data = malloc(o->packed.len + 1);
		if (!o->packed.data)
			abort();
		chat__completion__pack(&whole, o->packed.data);
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

	if (result <= 0) {
		(c->stream ? end_stream : end_whole)(c, call, result);
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
	if (c->stream)
		begin_chunks(c);
	settle(c, call, ask_search(&c->ask) < 0 ? -1 : ask_begin(&c->ask, wake, call->task));
}

/* --- Waiting ------------------------------------------------------------------------------------------------------------ */

/* The outcome's lock is held. */
static int take_outcome(struct call *call, const struct outcome *o, Chat__CompletionReply *out)
{
	ProtobufCAllocator allocator = arena_allocator(call->arena);

	if (!o->done)
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME, "the answer took too long");
	if (!o->packed.data) {
		*call->err = o->err;
		return -1;
	}
	out->completion = chat__completion__unpack(&allocator, o->packed.len, o->packed.data);
	return out->completion ? 0 : error_internal(call->err, "a completion cannot be read");
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
	rc = take_outcome(call, o, (Chat__CompletionReply *)out);
	atomic_store(&o->unwanted, true);
	pthread_mutex_unlock(&o->lock);
	outcome_unref(o);
	return rc;
}

static int wait_for(struct call *call, struct outcome *o, Chat__CompletionReply *out)
{
	pthread_mutex_lock(&o->lock);
	if (!o->done)
		o->parked = call_park(call, call->deadline, resume, o);
	if (o->parked) {
		pthread_mutex_unlock(&o->lock);
		return 0;
	}
	pthread_mutex_unlock(&o->lock);
	return resume(call, o, &out->base);
}

/* --- Beginning ------------------------------------------------------------------------------------------------------------ */

int unstored_new(struct call *call, struct unstored **ret)
{
	struct unstored *c;
	struct task *task;

	if (service_task_new(call, DEADLINE_MS, &task, call->err) < 0)
		return -1;
	c = arena_new(service_task_arena(task), struct unstored, 1);
	c->arena = service_task_arena(task);
	c->task = task;
	text_init(&c->content, c->arena);
	text_init(&c->reasoning, c->arena);
	c->ask = (struct ask){
		.for_visitor = call->caller->kind != RPC__CALLER__KIND__USER,
		.chat = chat_state(call),
		.stop = &c->stop,
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

static int start_chunks(struct call *call, struct unstored *c, Chat__CompletionReply *out)
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
	out->started = started;
	return 0;
}

int unstored_start(struct call *call, struct unstored *c, Chat__CompletionReply *out)
{
	struct outcome *o;

	if (c->streams)
		return start_chunks(call, c, out);
	c->outcome = o = outcome_new();
	c->ask.stop = &o->unwanted;
	o->refs = 2; /* the writer's, and ours */
	if (service_task_start(c->task, write_it, c) < 0) {
		o->refs = 1;
		outcome_unref(o);
		return no_thread(call);
	}
	return wait_for(call, o, out);
}
