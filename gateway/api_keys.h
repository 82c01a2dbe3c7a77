/*
 * api_keys: what svc-auth has told of platform API keys, so that a request with one costs no call.
 *
 * A table of fixed size; a newcomer takes the place of another one. Entries are dropped when svc-auth's feed says so,
 * and after five minutes, so that the "last used" of a key in constant use moves. Serves every thread.
 */
#ifndef PARLEY_API_KEYS_H
#define PARLEY_API_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "auth.pb-c.h"

enum { API_KEY_HASH = 65, API_KEY_SCOPES = 96 };

struct api_key {
	char hash[API_KEY_HASH]; /* SHA-256 of the key, in hexadecimal */
	int64_t id, user_number;
	char user_id[37];
	char scopes[API_KEY_SCOPES]; /* "documents|chat"; "" is everything */
	bool admin;
	int64_t expires; /* Unix seconds; 0: never */
	int64_t until;   /* Unix seconds: ask again after */
};

struct api_keys;
struct api_keys *api_keys_new(void);
void api_keys_free(struct api_keys *k);

/* 1 with a copy in *ret, or 0. */
int api_keys_find(struct api_keys *k, const char *hash, int64_t now, struct api_key *ret);

/* A number to be taken before svc-auth is asked: what was dropped meanwhile is not put in. */
unsigned api_keys_age(struct api_keys *k);
/* Makes *ret of the answer, and keeps a copy. -1 when the answer cannot be right. */
int api_keys_put(struct api_keys *k, unsigned age, const char *hash, const Auth__ResolvedKey *answer,
                 int64_t now, struct api_key *ret);

void api_keys_drop(struct api_keys *k, const Auth__Revocation *what); /* when it is of a key: that one */
void api_keys_clear(struct api_keys *k);

#endif
