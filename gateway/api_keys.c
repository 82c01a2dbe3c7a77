#include "gateway/api_keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"

enum { PLACES = 4096, KEEP_SECONDS = 300 };

struct api_keys {
	pthread_mutex_t lock;
	unsigned age; /* grows with each drop */
	int count;    /* places in use */
	struct api_key places[PLACES];
};

struct api_keys *api_keys_new(void)
{
	struct api_keys *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void api_keys_free(struct api_keys *k)
{
	if (!k)
		return;
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* The hash is evenly spread; who can choose it has broken SHA-256. */
static struct api_key *place(struct api_keys *k, const char *hash)
{
	char digits[4] = { hash[0], hash[1], hash[2], '\0' };

	return &k->places[strtoul(digits, NULL, 16) % PLACES];
}

int api_keys_find(struct api_keys *k, const char *hash, int64_t now, struct api_key *ret)
{
	pthread_mutex_lock(&k->lock);
	*ret = *place(k, hash);
	pthread_mutex_unlock(&k->lock);
	return !strcmp(ret->hash, hash) && ret->until > now;
}

unsigned api_keys_age(struct api_keys *k)
{
	unsigned age;

	pthread_mutex_lock(&k->lock);
	age = k->age;
	pthread_mutex_unlock(&k->lock);
	return age;
}

static int add_scope(char scopes[API_KEY_SCOPES], const char *scope)
{
	size_t used = strlen(scopes);
	int n = snprintf(scopes + used, API_KEY_SCOPES - used, "%s%s", used ? "|" : "", scope);

	return n >= 0 && (size_t)n < API_KEY_SCOPES - used ? 0 : -1;
}

int api_keys_put(struct api_keys *k, unsigned age, const char *hash, const Auth__ResolvedKey *answer,
                 int64_t now, struct api_key *ret)
{
	*ret = (struct api_key){ .id = answer->id,
		                 .user_number = answer->user_number,
		                 .admin = answer->admin,
		                 .expires = answer->expires,
		                 .until = now + KEEP_SECONDS };
	if (!answer->user_id || !uuid_valid(answer->user_id) || strlen(hash) >= sizeof ret->hash)
		return -1;
	memcpy(ret->user_id, answer->user_id, sizeof ret->user_id);
	memcpy(ret->hash, hash, strlen(hash) + 1);
	if (ret->expires && ret->expires < ret->until)
		ret->until = ret->expires;
	for (size_t i = 0; i < answer->n_scopes; i++)
		if (add_scope(ret->scopes, answer->scopes[i]) < 0)
			return -1;
	pthread_mutex_lock(&k->lock);
	if (k->age == age) {
		k->count += !place(k, hash)->hash[0];
		*place(k, hash) = *ret;
	}
	pthread_mutex_unlock(&k->lock);
	return 0;
}

void api_keys_drop(struct api_keys *k, const Auth__Revocation *what)
{
	if (!what->has_api_key_id)
		return;
	pthread_mutex_lock(&k->lock);
	k->age++;
	for (int i = 0; k->count && i < PLACES; i++) {
		struct api_key *key = &k->places[i];

		if (key->hash[0] && key->id == what->api_key_id) {
			*key = (struct api_key){ 0 };
			k->count--;
		}
	}
	pthread_mutex_unlock(&k->lock);
}

void api_keys_clear(struct api_keys *k)
{
	pthread_mutex_lock(&k->lock);
	k->age++;
	for (int i = 0; k->count && i < PLACES; i++)
		if (k->places[i].hash[0])
			k->places[i].hash[0] = '\0';
	k->count = 0;
	pthread_mutex_unlock(&k->lock);
}
