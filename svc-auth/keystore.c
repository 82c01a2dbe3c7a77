#include "svc-auth/keystore.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "svc-auth/store.h"

enum { PURPOSES = 2, KEYS_MAX = sizeof(((struct keyring *)0)->keys) / sizeof(struct keyring_key) };

static const struct {
	const char *name;
	int delay;
	int64_t
	    keep; /* seconds after which a replaced key is forgotten; 0: never, what it sealed may still be there */
} purposes[PURPOSES] = {
	{ KEYSTORE_TOKEN, KEYSTORE_TOKEN_DELAY, (int64_t)KEYSTORE_TOKEN_DAYS * 86400 },
	{ KEYSTORE_STORAGE, KEYSTORE_STORAGE_DELAY, 0 },
};

struct ring {
	struct keyring_key keys[KEYS_MAX]; /* newest first */
	int64_t signs_from[KEYS_MAX];      /* Unix seconds */
	int count;
};

struct keystore {
	struct db_pool *pool;
	struct keyring wrap; /* the one key under which the others are stored */
	pthread_mutex_t lock;
	struct ring rings[PURPOSES];
};

static char *seal_context(const char *purpose, const char *id, struct arena *a)
{
	return arena_printf(a, "auth.keyring/%s/%s", purpose, id);
}

/* --- Making ------------------------------------------------------------------------------------------------------ */

static int add(struct keystore *ks, struct db *db, int purpose, int delay, struct arena *a, struct error *err)
{
	unsigned char name[8], bytes[KEY_SIZE];
	char id[12], *sealed;

	random_bytes(name, sizeof name);
	base64url_encode(id, name, sizeof name);
	random_bytes(bytes, sizeof bytes);
	sealed = keyring_seal(&ks->wrap, seal_context(purposes[purpose].name, id, a), bytes, sizeof bytes, a);
	memset(bytes, 0, sizeof bytes);
	return store_add_keyring(db, purposes[purpose].name, id, sealed, delay, err);
}

/* In a transaction under the lock: which of several that start together finds none makes the first. */
static int make_first(struct keystore *ks, struct db *db, struct arena *a, struct error *err)
{
	if (store_lock_keyring(db, err) < 0)
		return -1;
	for (int i = 0; i < PURPOSES; i++) {
		struct stored_key *keys;
		size_t count;

		if (store_list_keyring(db, purposes[i].name, &keys, &count, a, err) < 0)
			return -1;
		if (count == 0 && add(ks, db, i, 0, a, err) < 0)
			return -1;
	}
	return 0;
}

static int rotate(struct keystore *ks, struct db *db, struct arena *a, struct error *err)
{
	if (store_lock_keyring(db, err) < 0)
		return -1;
	for (int i = 0; i < PURPOSES; i++) {
		struct stored_key *keys;
		size_t count;

		if ((purposes[i].keep &&
		     store_retire_keyring(db, purposes[i].name, purposes[i].keep, err) < 0) ||
		    store_list_keyring(db, purposes[i].name, &keys, &count, a, err) < 0)
			return -1;
		if (count >= KEYS_MAX)
			log_line(LOG_WARN, "there are as many keys as there can be: none added",
			         LOG_TEXT("purpose", purposes[i].name), LOG_INT("keys", (int64_t)count));
		else if (add(ks, db, i, purposes[i].delay, a, err) < 0)
			return -1;
		else
			log_line(LOG_INFO, "a key was added", LOG_TEXT("purpose", purposes[i].name),
			         LOG_INT("signs_in_seconds", purposes[i].delay));
	}
	return 0;
}

/* Do that in a transaction of its own. */
static int in_transaction(struct keystore *ks,
                          int (*what)(struct keystore *, struct db *, struct arena *, struct error *),
                          struct error *err)
{
	struct arena a;
	struct db db;
	int result;

	arena_init(&a, 0);
	db_init(&db, ks->pool);
	result = db_begin(&db, err);
	if (result == 0)
		result = what(ks, &db, &a, err);
	if (result == 0)
		result = db_commit(&db, err);
	if (result < 0)
		db_rollback(&db);
	db_done(&db);
	arena_done(&a);
	return result;
}

int keystore_rotate(struct keystore *ks, struct error *err)
{
	return in_transaction(ks, rotate, err);
}

/* --- Reading ----------------------------------------------------------------------------------------------------- */

static int read_ring(struct keystore *ks, struct db *db, int purpose, struct ring *ret, struct arena *a,
                     struct error *err)
{
	const char *name = purposes[purpose].name;
	struct stored_key *keys;
	size_t count;

	if (store_list_keyring(db, name, &keys, &count, a, err) < 0)
		return -1;
	if (count > KEYS_MAX)
		count = KEYS_MAX;
	for (size_t i = 0; i < count; i++) {
		char *bytes;
		size_t size;

		if (keyring_open(&ks->wrap, seal_context(name, keys[i].id, a), keys[i].sealed, &bytes, &size,
		                 a, err) < 0)
			return -1;
		if (size != KEY_SIZE || strlen(keys[i].id) >= sizeof ret->keys[i].id)
			return error_internal(err, "keyring: a key of the wrong size");
		memcpy(ret->keys[i].id, keys[i].id, strlen(keys[i].id) + 1);
		memcpy(ret->keys[i].bytes, bytes, KEY_SIZE);
		ret->signs_from[i] = keys[i].signs_from;
	}
	ret->count = (int)count;
	return 0;
}

int keystore_reload(struct keystore *ks, struct error *err)
{
	struct ring fresh[PURPOSES] = { 0 };
	struct arena a;
	struct db db;
	int result = 0;

	arena_init(&a, 0);
	db_init(&db, ks->pool);
	for (int i = 0; result == 0 && i < PURPOSES; i++)
		result = read_ring(ks, &db, i, &fresh[i], &a, err);
	db_done(&db);
	arena_done(&a);
	if (result < 0)
		return -1;
	pthread_mutex_lock(&ks->lock);
	memcpy(ks->rings, fresh, sizeof fresh);
	pthread_mutex_unlock(&ks->lock);
	return 0;
}

int keystore_open(struct db_pool *pool, const struct secret *secret, struct keystore **ret, struct error *err)
{
	struct keystore *ks = calloc(1, sizeof *ks);

	if (!ks)
		abort();
	ks->pool = pool;
	pthread_mutex_init(&ks->lock, NULL);
	ks->wrap.count = 1;
	snprintf(ks->wrap.keys[0].id, sizeof ks->wrap.keys[0].id, "secret");
	secret_derive(secret, "auth.keyring", ks->wrap.keys[0].bytes);
	if (in_transaction(ks, make_first, err) < 0 || keystore_reload(ks, err) < 0) {
		if (err->code == ERROR_INTERNAL)
			error_detail(
			    err,
			    "the keyring cannot be opened: is this the PARLEY_SECRET that it was made with?");
		keystore_close(ks);
		return -1;
	}
	*ret = ks;
	return 0;
}

void keystore_close(struct keystore *ks)
{
	if (!ks)
		return;
	pthread_mutex_destroy(&ks->lock);
	explicit_bzero(ks, sizeof *ks);
	free(ks);
}

int keystore_ring(struct keystore *ks, const char *purpose, int64_t now, struct keyring *ret)
{
	const struct ring *ring = NULL;

	*ret = (struct keyring){ 0 };
	pthread_mutex_lock(&ks->lock);
	for (int i = 0; i < PURPOSES; i++)
		if (strcmp(purposes[i].name, purpose) == 0)
			ring = &ks->rings[i];
	for (int pending = 0; ring && pending < 2; pending++)
		for (int i = 0; i < ring->count; i++)
			if ((ring->signs_from[i] > now) == pending)
				ret->keys[ret->count++] = ring->keys[i];
	pthread_mutex_unlock(&ks->lock);
	return ring != NULL;
}
