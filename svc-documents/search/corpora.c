#include "svc-documents/search/corpora.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	PLACES = 256,        /* of hashes */
	BYTES_MAX = 8 << 20, /* of all; and an eighth of it of one */
	FRESH_MS = 60 * 1000,
};

struct kept_corpus {
	struct stored_corpus corpus; /* first: what is handed out is the entry */
	struct corpus_counts counts;
	char *key;
	size_t key_size, bytes;
	int64_t until;
	int holders;
	bool listed; /* else gone with its last holder */
	struct arena arena;
};

struct corpora {
	pthread_mutex_t lock;
	size_t bytes;
	struct kept_corpus *known[PLACES];
};

struct corpora *corpora_new(void)
{
	struct corpora *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void drop(struct kept_corpus *e)
{
	arena_done(&e->arena);
	free(e);
}

/* The lock is held. */
static void forget(struct corpora *c, struct kept_corpus **place)
{
	struct kept_corpus *e = *place;

	*place = NULL;
	if (!e)
		return;
	c->bytes -= e->bytes;
	e->listed = false;
	if (!e->holders)
		drop(e);
}

void corpora_free(struct corpora *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < PLACES; i++)
		forget(c, &c->known[i]);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* --- Keys ------------------------------------------------------------------------------------------------------------- */

/* The bytes of owner and ids, one after the other; all of an owner's is the owner alone. */
static void each(const struct scope *scope, void (*fn)(void *arg, const char *text, size_t size), void *arg)
{
	fn(arg, scope->owner, strlen(scope->owner));
	for (size_t i = 0; scope->ids && i < scope->count; i++)
		fn(arg, scope->ids[i], strlen(scope->ids[i]));
}

struct measured {
	uint32_t hash;
	size_t size;
};

static void measure(void *arg, const char *text, size_t size)
{
	struct measured *m = arg;

	for (size_t i = 0; i < size; i++)
		m->hash = (m->hash ^ (unsigned char)text[i]) * 16777619u;
	m->size += size;
}

static struct measured measured(const struct scope *scope)
{
	struct measured m = { .hash = 2166136261u };

	each(scope, measure, &m);
	return m;
}

/* What is left of a key to be compared; NULL: it is another. */
static void compare(void *arg, const char *text, size_t size)
{
	const char **rest = arg;

	*rest = *rest && memcmp(*rest, text, size) == 0 ? *rest + size : NULL;
}

static void write_key(void *arg, const char *text, size_t size)
{
	char **end = arg;

	memcpy(*end, text, size);
	*end += size;
}

static bool is_of(const struct kept_corpus *e, const struct scope *scope, size_t size)
{
	const char *rest = e->key;

	if (e->key_size != size)
		return false;
	each(scope, compare, &rest);
	return rest != NULL;
}

static bool same(const struct corpus_counts *a, const struct corpus_counts *b)
{
	return a->version == b->version && a->documents == b->documents && a->chunks == b->chunks &&
	       a->terms == b->terms && a->small == b->small;
}

/* --- Finding and keeping ---------------------------------------------------------------------------------------------- */

const struct stored_corpus *corpora_find(struct corpora *c, const struct scope *scope,
                                         const struct corpus_counts *counts, int64_t now)
{
	struct measured m = measured(scope);
	struct kept_corpus *e;

	pthread_mutex_lock(&c->lock);
	e = c->known[m.hash % PLACES];
	if (e && e->until > now && same(&e->counts, counts) && is_of(e, scope, m.size))
		e->holders++;
	else
		e = NULL;
	pthread_mutex_unlock(&c->lock);
	return e ? &e->corpus : NULL;
}

static void copy(struct kept_corpus *e, const struct stored_corpus *from)
{
	struct corpus_document *documents = arena_new(&e->arena, struct corpus_document, from->count);
	const char **models = arena_new(&e->arena, const char *, from->count);

	for (size_t i = 0; i < from->count; i++) {
		documents[i] = from->documents[i];
		documents[i].id = arena_strdup(&e->arena, from->documents[i].id);
		documents[i].name = arena_strdup(&e->arena, from->documents[i].name);
		models[i] = arena_strdup(&e->arena, from->models[i]);
		e->bytes += sizeof *documents + sizeof *models + strlen(documents[i].id) +
		            strlen(documents[i].name) + (models[i] ? strlen(models[i]) : 0);
	}
	e->corpus = (struct stored_corpus){ documents, models, from->count, from->of_owner };
}

static struct kept_corpus *new_entry(const struct scope *scope, size_t key_size,
                                     const struct stored_corpus *corpus)
{
	struct kept_corpus *e = calloc(1, sizeof *e);
	char *end;

	if (!e)
		abort();
	arena_init(&e->arena, 0);
	e->key = end = arena_alloc(&e->arena, key_size);
	e->key_size = key_size;
	e->bytes = sizeof *e + key_size;
	e->listed = true;
	each(scope, write_key, &end);
	copy(e, corpus);
	return e;
}

void corpora_keep(struct corpora *c, const struct scope *scope, const struct corpus_counts *counts,
                  const struct stored_corpus *corpus, int64_t now)
{
	struct measured m = measured(scope);
	struct kept_corpus *e = new_entry(scope, m.size, corpus);

	e->counts = *counts;
	e->until = now + FRESH_MS;
	if (e->bytes > BYTES_MAX / 8) {
		drop(e);
		return;
	}
	pthread_mutex_lock(&c->lock);
	if (c->bytes + e->bytes > BYTES_MAX) /* rare: begin again */
		for (size_t i = 0; i < PLACES; i++)
			forget(c, &c->known[i]);
	forget(c, &c->known[m.hash % PLACES]);
	c->known[m.hash % PLACES] = e;
	c->bytes += e->bytes;
	pthread_mutex_unlock(&c->lock);
}

void corpora_release(struct corpora *c, const struct stored_corpus *held)
{
	struct kept_corpus *e = (struct kept_corpus *)held;

	if (!e)
		return;
	pthread_mutex_lock(&c->lock);
	if (--e->holders == 0 && !e->listed)
		drop(e);
	pthread_mutex_unlock(&c->lock);
}
