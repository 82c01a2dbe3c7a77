#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/envelope.h"
#include "common/service/internal.h"

struct task {
	struct share *place; /* in the writers' lane, until it runs */
	struct lane_job job;
	struct service *service;
	struct arena arena;
	Rpc__Request request; /* what call_init() reads; its strings live in the arena */
	const struct method *method;
	void (*fn)(struct call *call, void *arg);
	void *arg;
};

/* A copy of the caller, by way of its packed form, so that no field is forgotten. */
static Rpc__Caller *copy_caller(const Rpc__Caller *caller, struct arena *a)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	size_t size = rpc__caller__get_packed_size(caller);
	uint8_t *packed = arena_alloc(a, size);

	rpc__caller__pack(caller, packed);
	return rpc__caller__unpack(&allocator, size, packed);
}

int service_task_new(const struct call *from, int64_t deadline_ms, struct task **ret, struct error *err)
{
	struct share *place = lane_hold(&from->service->lanes[WAITS_WRITER], caller_owner(from->caller));
	struct task *t;

	if (!place)
		return error_busy(err, 5, "too much long work is under way right now");
	t = calloc(1, sizeof *t);
	if (!t)
		abort();
	t->place = place;
	t->service = from->service;
	t->method = from->method;
	arena_init(&t->arena, 0);
	rpc__request__init(&t->request);
	t->request.request_id = arena_strdup(&t->arena, from->request_id);
	t->request.traceparent = arena_strdup(&t->arena, from->traceparent);
	t->request.caller = copy_caller(from->caller, &t->arena);
	t->request.deadline = clock_unix_ms() + deadline_ms;
	*ret = t;
	return 0;
}

struct arena *service_task_arena(struct task *t)
{
	return &t->arena;
}

static void task_free(struct task *t)
{
	arena_done(&t->arena);
	free(t);
}

static void run_task(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct task *t = (struct task *)((char *)job - offsetof(struct task, job));
	int64_t began = clock_mono_ms();
	struct error err = { 0 };
	struct call call;
	struct db db;

	(void)a; /* it has its own */
	(void)ahead;
	call_init(&call, t->service, &t->arena, &err, &db, t->method, &t->request);
	t->fn(&call, t->arg);
	db_done(&db);
	log_line(err.code == ERROR_INTERNAL ? LOG_ERROR : LOG_INFO, NULL,
	         LOG_TEXT("request", call.request_id), LOG_TEXT("task", t->method ? t->method->name : ""),
	         LOG_TEXT("user", call.owner_id), LOG_TEXT("result", error_name(err.code)),
	         LOG_INT("ms", clock_mono_ms() - began), LOG_TEXT("detail", err.detail));
	task_free(t);
}

void service_task_drop(struct task *t)
{
	if (!t)
		return;
	lane_release(&t->service->lanes[WAITS_WRITER], t->place);
	task_free(t);
}

int service_task_start(struct task *t, void (*fn)(struct call *call, void *arg), void *arg)
{
	t->job.run = run_task;
	t->fn = fn;
	t->arg = arg;
	if (lane_push_held(&t->service->lanes[WAITS_WRITER], &t->job, t->place) == 0)
		return 0;
	service_task_drop(t);
	return -1;
}
