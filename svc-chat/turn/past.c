#include "svc-chat/turn/past.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "svc-chat/model/prompt.h"

enum {
	PLACES = 1024,        /* of hashes */
	BYTES_MAX = 16 << 20, /* of all */
	KEPT_MS = 600 * 1000, /* one that nobody asks for */
};

struct pasts {
	pthread_mutex_t lock;
	size_t bytes;
	struct past *of_hash[PLACES];
	struct past *newest, *oldest;
};

/* --- One of them ------------------------------------------------------------------------------------------------------ */

static void *no_less(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* Its words and what a model is told of them, in one block. */
static struct model_message copy_of(const char *role, const char *content, size_t *memory)
{
	struct model_message m = { .role = role, .content = content };
	size_t size = strlen(content) + 1, told;
	struct arena a;
	char *copy;

	arena_init(&a, 0);
	prompt_prepare(&m, &a);
	told = strcmp(m.told, content) == 0 ? 0 : strlen(m.told) + 1;
	copy = no_less(malloc(size + told));
	memcpy(copy, content, size);
	if (told)
		memcpy(copy + size, m.told, told);
	arena_done(&a);
	m.content = copy;
	m.told = told ? copy + size : copy;
	*memory += size + told + sizeof m;
	return m;
}

static void add(struct past *past, const char *role, const char *content)
{
	if (past->count == past->room) {
		past->room = past->room ? 2 * past->room : 4;
		past->messages = no_less(realloc(past->messages, past->room * sizeof *past->messages));
	}
	past->messages[past->count++] = copy_of(role, content, &past->memory);
	past->bytes += strlen(content);
}

static void drop(struct past *past, size_t first)
{
	for (size_t i = 0; i < first; i++) {
		struct model_message *m = &past->messages[i];

		past->bytes -= strlen(m->content);
		past->memory -= sizeof *m + strlen(m->content) + 1;
		past->memory -= m->told == m->content ? 0 : strlen(m->told) + 1;
		free((char *)m->content);
	}
	past->count -= first;
	memmove(past->messages, past->messages + first, past->count * sizeof *past->messages);
}

struct past *past_of(const char *owner, const char *session, const struct model_message *messages,
                     size_t count)
{
	struct past *past;

	for (size_t i = 0; i < count; i++)
		if (messages[i].call_count)
			return NULL;
	past = no_less(calloc(1, sizeof *past));
	memcpy(past->owner, owner, sizeof past->owner);
	memcpy(past->session, session, sizeof past->session);
	past->memory = sizeof *past;
	for (size_t i = 0; i < count; i++)
		add(past, strcmp(messages[i].role, "user") == 0 ? "user" : "assistant", messages[i].content);
	return past;
}

void past_free(struct past *past)
{
	if (!past)
		return;
	for (size_t i = 0; i < past->count; i++)
		free((char *)past->messages[i].content);
	free(past->messages);
	free(past);
}

void past_add(struct past *past, const char *question, const char *answer, size_t bytes)
{
	size_t first = 0, left;

	add(past, "user", question);
	add(past, "assistant", answer);
	left = past->bytes;
	while (past->count - first > STORE_HISTORY || left > bytes)
		left -= strlen(past->messages[first++].content);
	drop(past, first);
}

/* --- All of them ------------------------------------------------------------------------------------------------------ */

static struct past **place_of(struct pasts *pasts, const char *session)
{
	return &pasts->of_hash[fnv1a(session) % PLACES];
}

/* The lock is held. */
static void take_out(struct pasts *pasts, struct past *past)
{
	struct past **link = place_of(pasts, past->session);

	while (*link != past)
		link = &(*link)->next_of_hash;
	*link = past->next_of_hash;
	*(past->newer ? &past->newer->older : &pasts->newest) = past->older;
	*(past->older ? &past->older->newer : &pasts->oldest) = past->newer;
	past->newer = past->older = past->next_of_hash = NULL;
	pasts->bytes -= past->memory;
}

struct pasts *pasts_new(void)
{
	struct pasts *pasts = no_less(calloc(1, sizeof *pasts));

	pthread_mutex_init(&pasts->lock, NULL);
	return pasts;
}

void pasts_free(struct pasts *pasts)
{
	struct past *past;

	if (!pasts)
		return;
	while ((past = pasts->oldest) != NULL) {
		take_out(pasts, past);
		past_free(past);
	}
	pthread_mutex_destroy(&pasts->lock);
	free(pasts);
}

/* The lock is held. Whose does not matter: no two sessions share an id, and a wrong one would not fit what is stored. */
static struct past *find(struct pasts *pasts, const char *session)
{
	struct past *past = *place_of(pasts, session);

	while (past && strcmp(past->session, session) != 0)
		past = past->next_of_hash;
	return past;
}

struct past *pasts_take(struct pasts *pasts, const char *owner, const char *session)
{
	struct past *past;

	pthread_mutex_lock(&pasts->lock);
	past = find(pasts, session);
	if (past && strcmp(past->owner, owner) != 0)
		past = NULL;
	if (past)
		take_out(pasts, past);
	pthread_mutex_unlock(&pasts->lock);
	return past;
}

void pasts_put(struct pasts *pasts, struct past *past)
{
	struct past **place = place_of(pasts, past->session), *gone;

	past->since = clock_mono_ms();
	pthread_mutex_lock(&pasts->lock);
	gone = find(pasts, past->session);
	if (gone) {
		take_out(pasts, gone);
		past_free(gone);
	}
	past->next_of_hash = *place;
	*place = past;
	past->older = pasts->newest;
	*(past->older ? &past->older->newer : &pasts->oldest) = past;
	pasts->newest = past;
	pasts->bytes += past->memory;
	while (pasts->bytes > BYTES_MAX) {
		gone = pasts->oldest;
		take_out(pasts, gone);
		past_free(gone);
	}
	pthread_mutex_unlock(&pasts->lock);
}

void pasts_sweep(struct pasts *pasts)
{
	int64_t since = clock_mono_ms() - KEPT_MS;
	struct past *gone;

	pthread_mutex_lock(&pasts->lock);
	while ((gone = pasts->oldest) != NULL && gone->since < since) {
		take_out(pasts, gone);
		past_free(gone);
	}
	pthread_mutex_unlock(&pasts->lock);
}

void pasts_forget(struct pasts *pasts, const char *session)
{
	struct past *past;

	pthread_mutex_lock(&pasts->lock);
	past = find(pasts, session);
	if (past)
		take_out(pasts, past);
	pthread_mutex_unlock(&pasts->lock);
	past_free(past);
}
