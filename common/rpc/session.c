#include "common/rpc/session.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"

enum { WORD = 64, WORDS = SESSION_WINDOW / WORD };

/* One that is open. The window is a ring of bits: the counter's place in it says whether it was seen. */
struct place {
	struct session session;
	unsigned char sender[SESSION_SENDER];
	uint64_t used; /* the table's clock; 0: never */
	uint64_t made;
	uint64_t newest;
	uint64_t seen[WORDS];
};

struct sessions {
	pthread_mutex_t lock;
	unsigned char key[KEY_SIZE];
	uint64_t clock; /* of what happened in which order */
	int count, max;
	uint64_t ids[SESSIONS_MAX]; /* of the places, close together: looked through for every message */
	struct place *places[SESSIONS_MAX];
};

void session_derive(const unsigned char cluster_key[KEY_SIZE], const unsigned char sender[SESSION_SENDER],
                    uint64_t id, struct session *ret)
{
	static const char *const purposes[] = { "parley rpc request", "parley rpc reply" };

	ret->id = id;
	for (int i = 0; i < 2; i++) {
		unsigned char info[sizeof id + 32];
		size_t length = strlen(purposes[i]);

		memcpy(info, &id, sizeof id);
		memcpy(info + sizeof id, purposes[i], length);
		key_derive(cluster_key, sender, SESSION_SENDER, info, sizeof id + length,
		           i ? ret->reply : ret->request);
	}
}

struct sessions *sessions_new(const unsigned char cluster_key[KEY_SIZE], int max)
{
	struct sessions *table = calloc(1, sizeof *table);

	if (!table)
		abort();
	pthread_mutex_init(&table->lock, NULL);
	memcpy(table->key, cluster_key, KEY_SIZE);
	table->max = max < SESSIONS_MAX ? max : SESSIONS_MAX;
	return table;
}

static void forget(struct sessions *table, int i)
{
	OPENSSL_cleanse(table->places[i], sizeof *table->places[i]);
	free(table->places[i]);
	table->count--;
	table->places[i] = table->places[table->count];
	table->ids[i] = table->ids[table->count];
}

void sessions_forget(struct sessions *table)
{
	pthread_mutex_lock(&table->lock);
	while (table->count)
		forget(table, 0);
	pthread_mutex_unlock(&table->lock);
}

void sessions_free(struct sessions *table)
{
	if (!table)
		return;
	sessions_forget(table);
	pthread_mutex_destroy(&table->lock);
	OPENSSL_cleanse(table, sizeof *table);
	free(table);
}

/* --- With the lock held ----------------------------------------------------------------------------------------------- */

static struct place *find(struct sessions *table, uint64_t id)
{
	for (int i = 0; i < table->count; i++) {
		if (table->ids[i] == id)
			return table->places[i];
	}
	return NULL;
}

static bool goes_before(const struct place *a, const struct place *b)
{
	if (!a->used || !b->used)
		return !a->used && (b->used || a->made < b->made);
	return a->used < b->used;
}

static void make_room(struct sessions *table)
{
	int first = 0;

	if (table->count < table->max)
		return;
	for (int i = 1; i < table->count; i++) {
		if (goes_before(table->places[i], table->places[first]))
			first = i;
	}
	forget(table, first);
}

static struct place *make(struct sessions *table, const unsigned char sender[SESSION_SENDER])
{
	struct place *p = calloc(1, sizeof *p);
	uint64_t id;

	if (!p)
		abort();
	make_room(table);
	do
		random_bytes(&id, sizeof id);
	while (!id || find(table, id));
	session_derive(table->key, sender, id, &p->session);
	memcpy(p->sender, sender, SESSION_SENDER);
	p->made = ++table->clock;
	table->ids[table->count] = id;
	table->places[table->count++] = p;
	return p;
}

static uint64_t bit_of(uint64_t counter)
{
	return UINT64_C(1) << counter % WORD;
}

/* Between the newest and this one nothing was seen yet. */
static void advance(struct place *p, uint64_t counter)
{
	if (counter - p->newest >= SESSION_WINDOW)
		memset(p->seen, 0, sizeof p->seen);
	else
		for (uint64_t i = p->newest; i != counter;) {
			i++; /* counter may be the last there is: no test for "at most" would ever end */
			p->seen[i / WORD % WORDS] &= ~bit_of(i);
		}
	p->newest = counter;
}

/* --- The table -------------------------------------------------------------------------------------------------------- */

uint64_t sessions_open(struct sessions *table, const unsigned char sender[SESSION_SENDER])
{
	struct place *p = NULL;
	uint64_t id;

	pthread_mutex_lock(&table->lock);
	for (int i = 0; i < table->count && !p; i++) {
		if (!memcmp(table->places[i]->sender, sender, SESSION_SENDER))
			p = table->places[i];
	}
	if (!p)
		p = make(table, sender);
	id = p->session.id;
	pthread_mutex_unlock(&table->lock);
	return id;
}

bool sessions_find(struct sessions *table, uint64_t id, struct session *ret)
{
	struct place *p;

	pthread_mutex_lock(&table->lock);
	p = find(table, id);
	if (p)
		*ret = p->session;
	pthread_mutex_unlock(&table->lock);
	return p != NULL;
}

enum session_take sessions_take(struct sessions *table, uint64_t id, uint64_t counter)
{
	enum session_take result = SESSION_TAKEN;
	struct place *p;
	uint64_t *word;

	pthread_mutex_lock(&table->lock);
	p = find(table, id);
	if (!p) {
		result = SESSION_UNKNOWN;
	} else if (!counter || (counter < p->newest && p->newest - counter >= SESSION_WINDOW)) {
		result = SESSION_REPEATED;
	} else {
		if (counter > p->newest)
			advance(p, counter);
		word = &p->seen[counter / WORD % WORDS];
		if (*word & bit_of(counter))
			result = SESSION_REPEATED;
		*word |= bit_of(counter);
		p->used = ++table->clock;
	}
	pthread_mutex_unlock(&table->lock);
	return result;
}
