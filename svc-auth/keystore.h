/*
 * keystore: the keys that sign tokens and that seal stored secrets, kept in schema auth under a key derived from
 * PARLEY_SECRET. Made when there are none; every svc-auth knows the same ones.
 *
 * A fresh key only verifies and opens at first. It signs and seals when all who must know it have had the time to hear
 * of it: gateways are told at once (and trust nobody when they hear nothing for 5 s), services ask again every minute.
 */
#ifndef PARLEY_AUTH_KEYSTORE_H
#define PARLEY_AUTH_KEYSTORE_H

#include "common/db/db.h"
#include "common/secret/keyring.h"
#include "common/secret/secret.h"

#define KEYSTORE_TOKEN "token"
#define KEYSTORE_STORAGE "storage"

enum {
	KEYSTORE_TOKEN_DELAY = 15, /* seconds until a fresh key signs */
	KEYSTORE_STORAGE_DELAY = 300,
	KEYSTORE_TOKEN_DAYS =
	    31, /* after which no token of a replaced key is alive (AUTH_TOKEN_HOURS is at most 720) */
};

struct keystore;

/* Reads the keys, and makes first ones. */
int keystore_open(struct db_pool *pool, const struct secret *secret, struct keystore **ret,
                  struct error *err) CHECKED;
void keystore_close(struct keystore *ks); /* NULL is fine */

int keystore_reload(struct keystore *ks, struct error *err) CHECKED;

/* A copy: the key to sign or seal with comes first. now: Unix seconds. 1, or 0 when there is no such purpose. */
int keystore_ring(struct keystore *ks, const char *purpose, int64_t now, struct keyring *ret);

/* Add a key of each purpose; says in the log what it did. */
int keystore_rotate(struct keystore *ks, struct error *err) CHECKED;

#endif
