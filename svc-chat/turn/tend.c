#include "svc-chat/turn/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/db/throttle.h"
#include "svc-chat/turn/write.h"

enum {
	TICK_MS = 250,
	RENEW_MS = 2000,
	LOOK_MS = 2000,       /* after the dead, and the forgotten */
	DUE_AT_ONCE = 16,     /* are renewed, */
	RENEWED_IN_PARTS = 4, /* and of a crowd this part; */
	LATE_MS = 4000,       /* but none waits longer: after a pause of ours, or on a slow disk */
	SWEEP_MS = 60 * 1000,
	RENEW_DEADLINE_MS = 5000,
	TAKEN_OVER_MAX = 8, /* at a time */
};

/* --- Renewing --------------------------------------------------------------------------------------------------------- */

/* What is stored of a turn: a copy, since the turn may end meanwhile. */
static void copy_of(struct writer *writer, struct store_held *copy, struct arena *a)
{
	*copy = (struct store_held){ .owner = arena_strdup(a, writer->owner),
		                     .message_id = arena_strdup(a, writer->message_id),
		                     .attempt = writer->attempt };
	pthread_mutex_lock(&writer->lock);
	copy->round = writer->round;
	copy->step = writer->step;
	copy->speaks = writer->spoke != 0;
	writer->noted |= copy->speaks;
	if (writer->spoke && writer->passages.data) {
		copy->passages.data = arena_memdup(a, writer->passages.data, writer->passages.len);
		copy->passages.len = writer->passages.len;
	}
	if (writer->changed) {
		copy->content = arena_strndup(a, writer->content.at, writer->content.length);
		if (writer->reasoning.length)
			copy->reasoning = arena_strndup(a, writer->reasoning.at, writer->reasoning.length);
		if (writer->sources.data) {
			copy->sources.data = arena_memdup(a, writer->sources.data, writer->sources.len);
			copy->sources.len = writer->sources.len;
		}
	}
	writer->changed = false;
	writer->spoke = 0;
	pthread_mutex_unlock(&writer->lock);
}

/* The keeper's lock is held. Of one that has just begun it is looked again. */
static bool is_to_be_noted(struct keeper *k, struct writer *writer, int64_t now)
{
	int64_t due;

	pthread_mutex_lock(&writer->lock);
	due = writer->spoke ? writer->spoke + KEEPER_SPEAKS_MS : INT64_MAX;
	pthread_mutex_unlock(&writer->lock);
	if (due > now && due != INT64_MAX)
		keeper_look_soon(k, due - now);
	return due <= now;
}

/* Of a crowd some at a time: it would hold up those whose readers wait for a word. */
static bool is_due(const struct writer *writer, int64_t now, size_t due, size_t held)
{
	int64_t since = now - writer->renewed;

	return since >= LATE_MS || (since >= RENEW_MS && due < DUE_AT_ONCE + held / RENEWED_IN_PARTS);
}

/* Those whose time it is, and those that have just begun to speak. */
static size_t copies(struct keeper *k, struct store_held **ret, struct arena *a)
{
	int64_t now = clock_mono_ms();
	size_t held = 0, n = 0, due = 0;

	pthread_mutex_lock(&k->lock);
	for (const struct writer *writer = k->first; writer; writer = writer->next)
		held++;
	*ret = arena_new(a, struct store_held, held);
	for (struct writer *writer = k->first; writer; writer = writer->next) {
		bool its_time = is_due(writer, now, due, held);

		due += its_time;
		if (!its_time && !is_to_be_noted(k, writer, now))
			continue;
		writer->renewed = now;
		copy_of(writer, *ret + n++, a);
	}
	pthread_mutex_unlock(&k->lock);
	return n;
}

/* It was not stored: as if it had just changed. */
static void again(struct writer *writer, const struct store_held *copy)
{
	pthread_mutex_lock(&writer->lock);
	writer->changed = true;
	if (copy->speaks && !writer->spoke)
		writer->spoke = clock_mono_ms();
	pthread_mutex_unlock(&writer->lock);
}

/* Twice in a row it was not reached: is it lost? */
static void look_for(struct keeper *k, struct call *call, const struct store_held *copy)
{
	bool gone;
	int held = store_still_held(call->db, copy, &gone, call->err);
	struct writer *writer;

	if (held != 0)
		return;
	pthread_mutex_lock(&k->lock);
	writer = keeper_find(k, copy->message_id);
	if (writer && writer->attempt == copy->attempt)
		keeper_tell_end(k, writer, gone ? WRITER_DELETED : WRITER_LOST);
	pthread_mutex_unlock(&k->lock);
}

static void renew(struct keeper *k, struct call *call)
{
	struct store_held *held;
	size_t n = copies(k, &held, call->arena), missing = 0;
	int failed = n ? store_renew(call->db, held, n, call->arena, call->err) : 0;

	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < n; i++) {
		struct writer *writer = keeper_find(k, held[i].message_id);

		if (!writer || writer->attempt != held[i].attempt)
			continue;
		if (failed || !held[i].renewed)
			again(writer, &held[i]);
		writer->missed = failed ? writer->missed : held[i].renewed ? 0 : writer->missed + 1;
		if (held[i].stop)
			keeper_tell_end(k, writer, WRITER_STOPPED);
		else if (held[i].begins && writer->queued)
			keeper_let_begin(k, writer);
		if (writer->missed > 1)
			held[missing++] = held[i];
	}
	pthread_mutex_unlock(&k->lock);
	for (size_t i = 0; i < missing && !failed; i++)
		look_for(k, call, &held[i]);
}

/* --- Starting --------------------------------------------------------------------------------------------------------- */

/* The lock is held: of those that may begin and were not looked at in this round, the one that is here longest. */
static struct writer *ready(struct keeper *k)
{
	struct writer *ready = NULL;

	for (struct writer *writer = k->first; writer; writer = writer->next)
		if (!writer->queued && !writer->running && writer->round_of_starts != k->rounds_of_starts &&
		    (!ready || writer->since <= ready->since))
			ready = writer;
	return ready;
}

/* The lock is held. It stays ready where its owner has no place now. */
static void start_one(struct keeper *k, struct writer *writer)
{
	struct error err = { 0 };
	struct call call;
	struct arena a;
	struct task *task;
	struct db db;
	int room;

	arena_init(&a, 0);
	service_call_init(&call, k->service, &a, &err, &db, writer->owner, writer->message_id, 0);
	room = service_task_new(&call, WRITE_DEADLINE_MS, &task, &err);
	arena_done(&a);
	if (room < 0)
		return;
	writer->running = true; /* by the time it looks */
	writer->called = false;
	writer->running = service_task_start(task, k->write, writer) == 0;
}

/* A writer for each that may begin: who has no place does not keep others from theirs. */
static void start(struct keeper *k)
{
	struct writer *writer;

	pthread_mutex_lock(&k->lock);
	k->rounds_of_starts++;
	while ((writer = ready(k)) != NULL) {
		writer->round_of_starts = k->rounds_of_starts;
		start_one(k, writer);
	}
	pthread_mutex_unlock(&k->lock);
}

/* --- After the dead ----------------------------------------------------------------------------------------------------- */

static void tell_begin(struct keeper *k, struct call *call, const char *next)
{
	if (next && !keeper_begin(k, next) && store_tell(call->db, "begin", next, call->err) < 0)
		log_line(LOG_WARN, "a turn begins later", LOG_TEXT("detail", call->err->detail));
}

static int end_orphans(struct keeper *k, struct call *call, const char *owner)
{
	const char **sessions, *next;
	size_t n;

	if (store_end_orphans(call->db, owner, STORE_LEASE_SECONDS, &sessions, &n, call->arena, call->err) <
	    0)
		return -1;
	if (n)
		log_line(LOG_WARN, "ended turns whose writers died", LOG_INT("turns", (int64_t)n));
	for (size_t i = 0; i < n; i++) {
		if (store_next_turn(call->db, owner, sessions[i], &next, call->arena, call->err) < 0)
			return -1;
		tell_begin(k, call, next);
	}
	return 0;
}

/* At most `most` of that owner's. How many, or -1. */
static int take_over_of(struct keeper *k, struct call *call, const char *owner, int most)
{
	struct store_orphan *orphans;
	size_t n;

	if (store_take_over(call->db, owner, STORE_LEASE_SECONDS, most, &orphans, &n, call->arena,
	                    call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct writer *writer =
		    keeper_new(owner, orphans[i].session, orphans[i].message_id, orphans[i].stream);

		writer->attempt = orphans[i].attempt;
		if (orphans[i].stop)
			writer_stop(writer, WRITER_STOPPED);
		writer->rests = orphans[i].rests && !orphans[i].stop;
		writer->queued = orphans[i].queued || writer->rests;
		writer->rests_since = clock_mono_ms();
		keeper_add(k, writer, NULL);
	}
	if (n)
		log_line(LOG_INFO, "goes on with turns that nobody held", LOG_INT("turns", (int64_t)n));
	return (int)n;
}

static void take_over(struct keeper *k, struct call *call)
{
	int room = TAKEN_OVER_MAX, taken;
	const char **owners;
	size_t n;

	if (store_lapsed_owners(call->db, STORE_LEASE_SECONDS, &owners, &n, call->arena, call->err) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (end_orphans(k, call, owners[i]) < 0)
			return;
		if (room && (taken = take_over_of(k, call, owners[i], room)) < 0)
			return;
		else if (room)
			room -= taken;
	}
}

/* One that waits though nothing is before it (what told it to begin was lost with somebody). */
static void begin_forgotten(struct keeper *k, struct call *call)
{
	struct writer *waiting[TAKEN_OVER_MAX];
	const char *owners[TAKEN_OVER_MAX], *sessions[TAKEN_OVER_MAX], *next;
	size_t n;

	pthread_mutex_lock(&k->lock);
	n = keeper_waiting(k, waiting, TAKEN_OVER_MAX);
	for (size_t i = 0; i < n; i++) {
		owners[i] = arena_strdup(call->arena, waiting[i]->owner);
		sessions[i] = arena_strdup(call->arena, waiting[i]->session);
	}
	pthread_mutex_unlock(&k->lock);
	for (size_t i = 0; i < n; i++) {
		if (store_next_turn(call->db, owners[i], sessions[i], &next, call->arena, call->err) < 0)
			return;
		tell_begin(k, call, next);
	}
}

/* The lock is held: one that waits for people who do not come, out of the list; or NULL. */
static struct writer *take_forgotten(struct keeper *k)
{
	int64_t now = clock_mono_ms();

	for (struct writer **link = &k->first; *link; link = &(*link)->next) {
		struct writer *writer = *link;

		if (writer->rests && now - writer->rests_since > k->held_ms) {
			*link = writer->next;
			return writer;
		}
	}
	return NULL;
}

static void let_go(struct keeper *k, struct call *call)
{
	struct writer *writer;

	for (;;) {
		pthread_mutex_lock(&k->lock);
		writer = take_forgotten(k);
		pthread_mutex_unlock(&k->lock);
		if (!writer)
			return;
		if (store_let_go(call->db,
		                 &(struct store_held){ .owner = writer->owner,
		                                       .message_id = writer->message_id,
		                                       .attempt = writer->attempt },
		                 call->err) < 0)
			error_clear(call->err); /* its lease ends: it is held again for a while */
		if (writer->stream)
			stream_forget(writer->stream);
		keeper_free(writer);
	}
}

/* --- The keeper --------------------------------------------------------------------------------------------------------- */

/* One piece of work on the database, with a call of its own. */
static void with_call(struct keeper *k, void (*work)(struct keeper *k, struct call *call))
{
	struct error err = { 0 };
	struct arena a;
	struct call call;
	struct db db;

	arena_init(&a, 0);
	service_call_init(&call, k->service, &a, &err, &db, NULL, "keeper", RENEW_DEADLINE_MS);
	work(k, &call);
	if (err.code != ERROR_NONE)
		log_line(LOG_WARN, "turns not kept", LOG_TEXT("result", error_name(err.code)),
		         LOG_TEXT("detail", err.detail));
	db_done(&db);
	arena_done(&a);
}

static void look_after_all(struct keeper *k, struct call *call)
{
	take_over(k, call);
	error_clear(call->err);
	begin_forgotten(k, call);
	error_clear(call->err);
	let_go(k, call);
}

static void sweep(struct keeper *k, struct call *call)
{
	int64_t gone;

	pasts_sweep(k->pasts);
	if (store_sweep(call->db, &gone, call->err) < 0 || throttle_sweep(call->db, call->err) < 0)
		return; /* told by with_call() */
	if (gone)
		log_line(LOG_DEBUG, "dropped old streams", LOG_INT("streams", gone));
}

/* The lock is held. */
static void pass_cancels_on(struct keeper *k)
{
	for (struct writer *writer = k->first; writer; writer = writer->next)
		if (writer->call && atomic_load(writer->call->cancelled) && !atomic_load(&writer->stop))
			keeper_tell_end(k, writer, WRITER_INTERRUPTED);
}

static void *keep(void *arg)
{
	struct keeper *k = arg;
	int64_t looked = 0, swept = 0, now;
	bool seeks;

	pthread_mutex_lock(&k->lock);
	while (!k->ending) {
		now = clock_mono_ms();
		k->look_at = now + TICK_MS;
		seeks = k->seeks;
		k->seeks = false;
		pass_cancels_on(k);
		pthread_mutex_unlock(&k->lock);
		with_call(k, renew);
		if (seeks || now - looked >= LOOK_MS) {
			with_call(k, look_after_all);
			looked = now;
		}
		start(k);
		if (now - swept >= SWEEP_MS) {
			with_call(k, sweep);
			swept = now;
		}
		pthread_mutex_lock(&k->lock);
		while (!k->ending && clock_mono_ms() < k->look_at)
			(void)cond_wait_until(&k->due, &k->lock, k->look_at);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* What is missed in between, the next renewal tells. */
static void on_notify(void *arg, const char *channel, const char *payload)
{
	struct keeper *k = arg;
	const char *space = payload ? strchr(payload, ' ') : NULL;

	(void)channel;
	if (!space)
		return;
	if (strncmp(payload, "stop ", 5) == 0)
		keeper_stop(k, space + 1);
	else if (strncmp(payload, "begin ", 6) == 0)
		keeper_begin(k, space + 1);
	else if (strncmp(payload, "deleted ", 8) == 0)
		keeper_deleted(k, space + 1);
}

int keeper_open(struct service *s, void (*write)(struct call *call, void *writer), int64_t held_seconds,
                struct keeper **ret, struct error *err)
{
	static const char *const channels[] = { STORE_CHANNEL, NULL };
	struct keeper *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->service = s;
	k->write = write;
	k->held_ms = held_seconds * 1000;
	pthread_mutex_init(&k->lock, NULL);
	cond_init_monotonic(&k->changed);
	cond_init_monotonic(&k->due);
	k->pasts = pasts_new();
	if (db_listen(service_database_url(s), channels, on_notify, k, &k->listener, err) < 0) {
		pasts_free(k->pasts);
		free(k);
		return -1;
	}
	*ret = k; /* before there is a thread that works with it */
	k->thread = thread_start(keep, k);
	return 0;
}

void keeper_close(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->ending = true;
	pthread_cond_signal(&k->due);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	while (k->first) { /* taken over in the last moment: their leases end, and others go on with them */
		struct writer *left = k->first;

		k->first = left->next;
		keeper_free(left);
	}
	db_listener_free(k->listener);
	pasts_free(k->pasts);
	pthread_cond_destroy(&k->changed);
	pthread_cond_destroy(&k->due);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
