#include "gateway/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/client.h"
#include "common/base/hash.h"
#include "common/base/id.h"

enum { SHARDS = 16, ROWS = 128, WAYS = 8 };

struct bucket {
	uint64_t key;      /* 0: unused */
	int64_t filled_ms; /* when `tokens` was true */
	float tokens, size;
};

struct shard {
	pthread_mutex_t lock;
	struct bucket rows[ROWS][WAYS];
};

struct rates {
	uint64_t seed; /* so that nobody can choose addresses that share a row */
	struct shard shards[SHARDS];
};

struct rates *rates_new(void)
{
	struct rates *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	random_bytes(&r->seed, sizeof r->seed);
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&r->shards[i].lock, NULL);
	return r;
}

void rates_free(struct rates *r)
{
	if (!r)
		return;
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&r->shards[i].lock);
	free(r);
}

/* The finalizer of MurmurHash3 (Austin Appleby, public domain): every bit of x changes half of the result. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

static uint64_t key_of(const struct rates *r, const char *ip, unsigned what)
{
	return mix(mix(client_number(ip) ^ r->seed) + what) | 1;
}

static float tokens_now(const struct bucket *b, int64_t now_ms)
{
	float tokens = b->tokens + (float)(now_ms - b->filled_ms) * b->size / 60000.0f;

	return tokens < b->size ? tokens : b->size;
}

/* The client's bucket, or a fresh one in the place of the fullest: a full bucket is the same as none. */
static struct bucket *find(struct bucket row[WAYS], uint64_t key, float size, int64_t now_ms)
{
	struct bucket *best = &row[0];
	float missing_least = 0;

	for (int i = 0; i < WAYS; i++) {
		struct bucket *b = &row[i];
		float missing = b->key ? b->size - tokens_now(b, now_ms) : -1;

		if (b->key == key && b->size == size)
			return b;
		if (i == 0 || missing < missing_least) {
			best = b;
			missing_least = missing;
		}
	}
	*best = (struct bucket){ .key = key, .filled_ms = now_ms, .tokens = size, .size = size };
	return best;
}

/* Fills the client's bucket up to now, and changes it by `tokens` where that leaves some. 0, or the seconds to wait. */
static int change(struct rates *r, uint64_t key, float size, float tokens, int64_t now_ms)
{
	struct shard *s = &r->shards[(key >> 8) % SHARDS];
	struct bucket *b;
	int wait = 0;

	pthread_mutex_lock(&s->lock);
	b = find(s->rows[(key >> 16) % ROWS], key, size, now_ms);
	b->tokens = tokens_now(b, now_ms);
	b->filled_ms = now_ms;
	if (b->tokens + tokens >= 0)
		b->tokens += tokens;
	else
		wait = 1 + (int)((1 - b->tokens) * 60 / size);
	pthread_mutex_unlock(&s->lock);
	return wait;
}

int rates_take(struct rates *r, const char *ip, unsigned what, int per_minute, int64_t now_ms)
{
	return change(r, key_of(r, ip, what), (float)per_minute, -1, now_ms);
}

int rates_take_named(struct rates *r, const char *who, unsigned what, int per_minute, int64_t now_ms)
{
	uint64_t key = mix(mix(fnv1a(who) ^ r->seed) + mix(what + UINT64_C(1)));

	return change(r, key | 1, (float)per_minute, -1, now_ms);
}

void rates_give(struct rates *r, const char *ip, unsigned what, int per_minute, int64_t now_ms)
{
	(void)change(r, key_of(r, ip, what), (float)per_minute, 1, now_ms);
}
