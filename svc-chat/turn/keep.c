#include "svc-chat/turn/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/thread.h"

/* --- The list ------------------------------------------------------------------------------------------------------- */

struct writer *keeper_new(const char *owner, const char *session, const char *message_id,
                          const char *stream_id)
{
	struct writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		abort();
	snprintf(writer->owner, sizeof writer->owner, "%s", owner);
	snprintf(writer->session, sizeof writer->session, "%s", session);
	snprintf(writer->message_id, sizeof writer->message_id, "%s", message_id);
	snprintf(writer->stream_id, sizeof writer->stream_id, "%s", stream_id ? stream_id : "");
	writer->attempt = 1;
	writer->since = writer->renewed = clock_mono_ms();
	writer->step = 1; /* 0 is what was retrieved */
	pthread_mutex_init(&writer->lock, NULL);
	arena_init(&writer->arena, 0);
	text_init(&writer->content, &writer->arena);
	text_init(&writer->reasoning, &writer->arena);
	return writer;
}

void keeper_free(struct writer *writer)
{
	past_free(writer->past);
	pthread_mutex_destroy(&writer->lock);
	arena_done(&writer->arena);
	free(writer);
}

/* There is no thread for it now: the keeper tries again. */
static void not_started(struct keeper *k, struct writer *writer)
{
	pthread_mutex_lock(&k->lock);
	writer->running = false;
	pthread_mutex_unlock(&k->lock);
}

void keeper_add(struct keeper *k, struct writer *writer, struct task *task)
{
	pthread_mutex_lock(&k->lock);
	writer->next = k->first;
	k->first = writer;
	writer->running = task != NULL;
	pthread_mutex_unlock(&k->lock);
	if (task && service_task_start(task, k->write, writer) < 0)
		not_started(k, writer);
}

void keeper_enter(struct keeper *k, struct keeper_entry *entry, const char *session)
{
	pthread_mutex_lock(&k->lock);
	*entry = (struct keeper_entry){ .session = session, .next = k->entering, .link = &k->entering };
	if (entry->next)
		entry->next->link = &entry->next;
	k->entering = entry;
	pthread_mutex_unlock(&k->lock);
}

void keeper_entered(struct keeper *k, struct keeper_entry *entry)
{
	pthread_mutex_lock(&k->lock);
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

static bool is_entering(const struct keeper *k, const char *session)
{
	const struct keeper_entry *entry = k->entering;

	while (entry && strcmp(entry->session, session) != 0)
		entry = entry->next;
	return entry != NULL;
}

void keeper_await_entered(struct keeper *k, const char *session, int64_t deadline)
{
	int64_t until = clock_mono_ms() + (deadline - clock_unix_ms());
	int late = 0;

	pthread_mutex_lock(&k->lock);
	while (is_entering(k, session) && !late)
		late = cond_wait_until(&k->changed, &k->lock, until);
	pthread_mutex_unlock(&k->lock);
}

void keeper_run(struct keeper *k, struct writer *writer, const struct call *call)
{
	pthread_mutex_lock(&k->lock);
	writer->call = call;
	pthread_mutex_unlock(&k->lock);
}

/* The lock is held: a guest that takes itself out, and then is gone, waits until we are through with it. */
static void wake_guests(struct writer *writer)
{
	for (struct keeper_guest *guest = writer->guests; guest; guest = guest->next) {
		guest->link = NULL;
		call_wake(guest->parked);
	}
}

void keeper_remove(struct keeper *k, struct writer *writer)
{
	struct writer **link = &k->first;

	pthread_mutex_lock(&k->lock);
	while (*link != writer)
		link = &(*link)->next;
	*link = writer->next;
	wake_guests(writer);
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	keeper_free(writer);
}

void keeper_look_soon(struct keeper *k, int64_t ms)
{
	int64_t when = clock_mono_ms() + ms;

	if (when >= k->look_at)
		return;
	k->look_at = when;
	pthread_cond_signal(&k->due);
}

void keeper_rest(struct keeper *k, struct writer *writer)
{
	pthread_mutex_lock(&k->lock);
	writer->call = NULL;
	writer->begun = NULL; /* what was said meanwhile is loaded anew */
	past_free(writer->past);
	writer->past = NULL;
	writer->running = false;
	/* One that was told to stop meanwhile is ended by a writer, which starts soon. */
	writer->queued = writer->rests = !writer->called && !atomic_load(&writer->stop);
	if (!writer->queued)
		keeper_look_soon(k, 0);
	writer->called = false;
	writer->rests_since = clock_mono_ms();
	wake_guests(writer);
	writer->guests = NULL;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

struct pasts *keeper_pasts(struct keeper *k)
{
	return k->pasts;
}

struct writer *keeper_find(struct keeper *k, const char *message_id)
{
	struct writer *writer = k->first;

	while (writer && strcmp(writer->message_id, message_id) != 0)
		writer = writer->next;
	return writer;
}

/* --- What happens to turns ------------------------------------------------------------------------------------------ */

void keeper_speaks(struct keeper *k, struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->spoke = clock_mono_ms();
	writer->changed = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_mutex_lock(&k->lock);
	keeper_look_soon(k, KEEPER_SPEAKS_MS);
	pthread_mutex_unlock(&k->lock);
}

void keeper_let_begin(struct keeper *k, struct writer *writer)
{
	writer->queued = writer->rests = false;
	keeper_look_soon(k, 0);
}

int keeper_begin(struct keeper *k, const char *message_id)
{
	struct writer *writer;

	pthread_mutex_lock(&k->lock);
	writer = keeper_find(k, message_id);
	if (writer && writer->queued)
		keeper_let_begin(k, writer);
	else if (writer)
		writer->called = writer->running;
	pthread_mutex_unlock(&k->lock);
	return writer != NULL;
}

void keeper_seek(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->seeks = true;
	keeper_look_soon(k, 0);
	pthread_mutex_unlock(&k->lock);
}

void writer_stop(struct writer *writer, enum writer_end why)
{
	int none = WRITER_GOES_ON;

	atomic_compare_exchange_strong(&writer->why, &none, (int)why);
	atomic_store(&writer->stop, true);
}

void keeper_tell_end(struct keeper *k, struct writer *writer, enum writer_end why)
{
	writer_stop(writer, why);
	if (writer->call)
		service_task_wake(writer->call->task);
	if (writer->queued)
		keeper_let_begin(k, writer);
}

void keeper_stop(struct keeper *k, const char *message_id)
{
	struct writer *writer;

	pthread_mutex_lock(&k->lock);
	writer = keeper_find(k, message_id);
	if (writer)
		keeper_tell_end(k, writer, WRITER_STOPPED);
	pthread_mutex_unlock(&k->lock);
}

void keeper_deleted(struct keeper *k, const char *session)
{
	pthread_mutex_lock(&k->lock);
	for (struct writer *writer = k->first; writer; writer = writer->next)
		if (strcmp(writer->session, session) == 0)
			keeper_tell_end(k, writer, WRITER_DELETED);
	pthread_mutex_unlock(&k->lock);
	pasts_forget(k->pasts, session);
}

void keeper_disabled(struct keeper *k, const char *owner)
{
	pthread_mutex_lock(&k->lock);
	for (struct writer *writer = k->first; writer; writer = writer->next)
		if (strcmp(writer->owner, owner) == 0)
			keeper_tell_end(k, writer, WRITER_DISABLED);
	pthread_mutex_unlock(&k->lock);
}

static bool is_listed(const char *owner, char (*list)[UUID_TEXT], size_t n)
{
	while (n > 0 && strcmp(list[n - 1], owner) != 0)
		n--;
	return n > 0;
}

size_t keeper_owners(struct keeper *k, int64_t before, char (*list)[UUID_TEXT], size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&k->lock);
	for (struct writer *writer = k->first; writer && n < max; writer = writer->next)
		if (writer->since < before && !writer->rests && !is_listed(writer->owner, list, n))
			memcpy(list[n++], writer->owner, UUID_TEXT);
	pthread_mutex_unlock(&k->lock);
	return n;
}

/* --- Who waits for them --------------------------------------------------------------------------------------------- */

bool keeper_holds(struct keeper *k, const char *message_id)
{
	struct writer *writer;
	bool here;

	pthread_mutex_lock(&k->lock);
	writer = keeper_find(k, message_id);
	here = writer && !writer->rests;
	pthread_mutex_unlock(&k->lock);
	return here;
}

bool keeper_await(struct keeper *k, const char *message_id, struct keeper_guest *guest)
{
	struct writer *writer;

	pthread_mutex_lock(&k->lock);
	writer = keeper_find(k, message_id);
	if (writer && writer->rests)
		writer = NULL;
	if (writer) {
		guest->next = writer->guests;
		guest->link = &writer->guests;
		if (guest->next)
			guest->next->link = &guest->next;
		writer->guests = guest;
	}
	pthread_mutex_unlock(&k->lock);
	return writer != NULL;
}

void keeper_forget(struct keeper *k, struct keeper_guest *guest)
{
	pthread_mutex_lock(&k->lock);
	if (guest->link) {
		*guest->link = guest->next;
		if (guest->next)
			guest->next->link = guest->link;
		guest->link = NULL;
	}
	pthread_mutex_unlock(&k->lock);
}

void keeper_wait(struct keeper *k, const char *message_id, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	struct writer *writer;
	int late = 0;

	pthread_mutex_lock(&k->lock);
	while ((writer = keeper_find(k, message_id)) != NULL && !writer->rests && !late)
		late = cond_wait_until(&k->changed, &k->lock, until);
	pthread_mutex_unlock(&k->lock);
}
