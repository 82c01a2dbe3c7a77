#include "svc-documents/search/cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct entry {
	struct cached cached; /* first: what is handed out is the entry */
	uint64_t key;         /* hash of all that follows */
	char document[37];
	int64_t generation;
	size_t bytes;
	int holders;
	bool listed;                 /* still to be found; else gone with its last holder */
	struct entry *next;          /* in its bucket */
	struct entry *newer, *older; /* by when it was asked for */
};

struct cache {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest;
	size_t bytes, room;
};

struct cache *cache_new(size_t bytes)
{
	struct cache *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	pthread_mutex_init(&c->lock, NULL);
	c->room = bytes;
	return c;
}

static void drop(struct entry *e)
{
	free(e->cached.words.at);
	free(e);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (struct entry *e = c->newest, *older; e; e = older) {
		older = e->older;
		drop(e);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static uint64_t key_of(const char *document, int64_t generation, uint32_t number)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)generation << 20 ^ number;

	for (; *document; document++)
		h = (h ^ (unsigned char)*document) * 0x100000001b3u;
	return h ^ h >> 32;
}

static struct entry *find(struct cache *c, uint64_t key, const char *document, int64_t generation,
                          uint32_t number)
{
	struct entry *e = c->buckets[key % BUCKETS];

	while (e && (e->key != key || e->generation != generation || e->cached.chunk.number != number ||
	             strcmp(e->document, document) != 0))
		e = e->next;
	return e;
}

/* Out of the order of use. */
static void unlink_entry(struct cache *c, struct entry *e)
{
	if (e->newer)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
	e->newer = e->older = NULL;
}

static void push(struct cache *c, struct entry *e)
{
	e->older = c->newest;
	if (c->newest)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

static void remove_entry(struct cache *c, struct entry *e)
{
	struct entry **at = &c->buckets[e->key % BUCKETS];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlink_entry(c, e);
	c->bytes -= e->bytes;
	e->listed = false;
	if (e->holders == 0)
		drop(e);
}

const struct cached *cache_find(struct cache *c, const char *document_id, int64_t generation, uint32_t number)
{
	uint64_t key = key_of(document_id, generation, number);
	struct entry *e;

	pthread_mutex_lock(&c->lock);
	e = find(c, key, document_id, generation, number);
	if (e) {
		e->holders++;
		if (e != c->newest) {
			unlink_entry(c, e);
			push(c, e);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return e ? &e->cached : NULL;
}

/* The chunk with its strings behind it, in one block. */
static struct entry *copy(const struct stored_chunk *chunk, struct words words)
{
	size_t id = strlen(chunk->id) + 1, heading = chunk->heading ? strlen(chunk->heading) + 1 : 0;
	size_t bytes = sizeof(struct entry) + chunk->size + 1 + id + heading;
	struct entry *e = calloc(1, bytes);
	char *at;

	if (!e)
		abort();
	at = (char *)(e + 1);
	e->cached = (struct cached){ *chunk, words };
	e->cached.chunk.text = memcpy(at, chunk->text, chunk->size);
	e->cached.chunk.id = memcpy(at + chunk->size + 1, chunk->id, id);
	if (heading)
		e->cached.chunk.heading = memcpy(at + chunk->size + 1 + id, chunk->heading, heading);
	e->bytes = bytes + words.bytes;
	return e;
}

const struct cached *cache_add(struct cache *c, const char *document_id, int64_t generation,
                               const struct stored_chunk *chunk, struct words words)
{
	struct entry *e = copy(chunk, words), *there;

	strncpy(e->document, document_id, sizeof e->document - 1);
	e->generation = generation;
	e->key = key_of(document_id, generation, chunk->number);
	e->holders = 1;
	pthread_mutex_lock(&c->lock);
	there = find(c, e->key, document_id, generation, chunk->number);
	if (!there) {
		e->listed = true;
		e->next = c->buckets[e->key % BUCKETS];
		c->buckets[e->key % BUCKETS] = e;
		push(c, e);
		c->bytes += e->bytes;
		for (struct entry *o = c->oldest, *newer; c->bytes > c->room && o != e; o = newer) {
			newer = o->newer;
			remove_entry(c, o);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return &e->cached;
}

void cache_release(struct cache *c, const struct cached *held)
{
	struct entry *e = (struct entry *)held;

	pthread_mutex_lock(&c->lock);
	if (--e->holders == 0 && !e->listed)
		drop(e);
	pthread_mutex_unlock(&c->lock);
}
