/*
 * Work that outlives its request. A task is a job of the writers' lane; while it waits for an event it is no job at all,
 * but keeps its place there, its call and its memory.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/envelope.h"
#include "common/service/internal.h"

struct task {
	struct share *place; /* in the writers' lane, until it ends */
	struct lane_job job;
	struct service *service;
	struct arena arena;
	Rpc__Request request; /* what call_init() reads; its strings live in the arena */
	const struct method *method;
	void (*fn)(struct call *call, void *arg); /* what is run next */
	void *arg;
	int64_t began; /* monotonic ms; 0: not yet */
	struct call call;
	struct error err;
	struct db db;

	bool parks;    /* fn wants to wait */
	int64_t until; /* monotonic ms; 0: for ever */
	nng_aio *timer;
	bool timed;                /* the timer runs, or has run */
	struct task *next, **link; /* of those that were begun; the service's lock guards it */

	pthread_mutex_t lock; /* guards what follows */
	bool parked;          /* nobody runs it, nor is about to */
	bool woken;
};

static struct lane *lane_of(const struct task *t)
{
	return &t->service->lanes[WAITS_WRITER];
}

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
	pthread_mutex_init(&t->lock, NULL);
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
	if (t->timer)
		nng_aio_free(t->timer);
	pthread_mutex_destroy(&t->lock);
	arena_done(&t->arena);
	free(t);
}

/* --- Those that were begun, for tasks_wake() --------------------------------------------------------------------------- */

static void list(struct task *t)
{
	struct service *s = t->service;

	pthread_mutex_lock(&s->lock);
	t->next = s->tasks;
	t->link = &s->tasks;
	if (t->next)
		t->next->link = &t->next;
	s->tasks = t;
	pthread_mutex_unlock(&s->lock);
}

static void unlist(struct task *t)
{
	struct service *s = t->service;

	pthread_mutex_lock(&s->lock);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	pthread_mutex_unlock(&s->lock);
}

void tasks_wake(struct service *s)
{
	pthread_mutex_lock(&s->lock);
	for (struct task *t = s->tasks; t; t = t->next)
		service_task_wake(t);
	pthread_mutex_unlock(&s->lock);
}

/* --- Waiting ----------------------------------------------------------------------------------------------------------- */

void service_task_wake(struct task *t)
{
	bool parked;

	pthread_mutex_lock(&t->lock);
	parked = t->parked;
	t->parked = false;
	t->woken = !parked;
	pthread_mutex_unlock(&t->lock);
	if (parked)
		lane_push_again(lane_of(t), &t->job, t->place);
}

static void on_timer(void *arg)
{
	struct task *t = arg;

	if (nng_aio_result(t->timer) == 0)
		service_task_wake(t);
}

/* The timer does not run. */
static void set_timer(struct task *t, int64_t ms)
{
	if (!t->timer && nng_aio_alloc(&t->timer, on_timer, t) != 0)
		abort();
	t->timed = true;
	nng_sleep_aio(ms > 0 ? (nng_duration)ms : 0, t->timer);
}

static void end_timer(struct task *t)
{
	if (!t->timed)
		return;
	nng_aio_cancel(t->timer);
	nng_aio_wait(t->timer);
	t->timed = false;
}

void service_task_park(const struct call *call, int64_t until, void (*then)(struct call *call, void *arg),
                       void *arg)
{
	struct task *t = call->task;

	t->parks = true;
	t->until = until;
	t->fn = then;
	t->arg = arg;
}

/* False: it was woken before, and goes on. Once it is parked it may be anywhere, or gone. */
static bool park(struct task *t)
{
	bool parked;

	lane_keep(lane_of(t), t->place);
	pthread_mutex_lock(&t->lock);
	parked = t->parked = !t->woken;
	t->woken = false;
	if (parked && t->until)
		set_timer(t, t->until - clock_mono_ms());
	pthread_mutex_unlock(&t->lock);
	if (!parked)
		lane_leave(lane_of(t), t->place);
	return parked;
}

void call_goes_away(const struct call *call)
{
	if (call->task)
		lane_away(lane_of(call->task));
}

void call_is_back(const struct call *call)
{
	if (call->task)
		lane_back(lane_of(call->task));
}

/* --- Running ----------------------------------------------------------------------------------------------------------- */

static void begin(struct task *t)
{
	t->began = clock_mono_ms();
	call_init(&t->call, t->service, &t->arena, &t->err, &t->db, t->method, &t->request);
	t->call.task = t;
	list(t);
}

static void end(struct task *t)
{
	unlist(t);
	end_timer(t);
	db_done(&t->db);
	log_line(t->err.code == ERROR_INTERNAL ? LOG_ERROR : LOG_INFO, NULL,
	         LOG_TEXT("request", t->call.request_id), LOG_TEXT("task", t->method ? t->method->name : ""),
	         LOG_TEXT("user", t->call.owner_id), LOG_TEXT("result", error_name(t->err.code)),
	         LOG_INT("ms", clock_mono_ms() - t->began), LOG_TEXT("detail", t->err.detail));
	task_free(t);
}

static void run_task(struct lane_job *job, struct arena *a, struct db_ahead *ahead)
{
	struct task *t = (struct task *)((char *)job - offsetof(struct task, job));

	(void)ahead;
	if (!t->began)
		begin(t);
	t->call.scratch = a;
	do {
		end_timer(t);
		t->parks = false;
		t->fn(&t->call, t->arg);
		if (!t->parks) {
			end(t);
			return;
		}
	} while (!park(t));
}

void service_task_drop(struct task *t)
{
	if (!t)
		return;
	lane_release(lane_of(t), t->place);
	task_free(t);
}

int service_task_start(struct task *t, void (*fn)(struct call *call, void *arg), void *arg)
{
	t->job.run = run_task;
	t->fn = fn;
	t->arg = arg;
	if (lane_push_held(lane_of(t), &t->job, t->place) == 0)
		return 0;
	service_task_drop(t);
	return -1;
}
