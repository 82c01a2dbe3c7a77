/* identity_internal: what identity.c (judging) and identity_feed.c (svc-auth: keys, revocations) share. */
#ifndef PARLEY_GATEWAY_IDENTITY_INTERNAL_H
#define PARLEY_GATEWAY_IDENTITY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/secret/token.h"
#include "gateway/api_keys.h"
#include "gateway/identity.h"
#include "gateway/revocations.h"

struct identity {
	struct peer *auth;
	struct rates *rates;
	struct api_keys *keys;
	pthread_rwlock_t lock; /* of the next three */
	struct keyring ring;
	unsigned generation; /* of the ring */
	struct revocations *revoked;
	pthread_mutex_t fetching;
	int64_t tried_ms;           /* under it: when keys were last asked for */
	_Atomic int64_t heard_ms;   /* monotonic: when the feed last spoke; 0: not yet */
	_Atomic int64_t fetched_ms; /* when the keys came */
	atomic_bool stop;
	pthread_t thread;
};

/* One of svc-auth's methods, called by this process. */
int identity_ask(struct identity *id, unsigned method, const ProtobufCMessage *in, const char *request_id,
                 struct arena *a, ProtobufCMessage **ret, struct error *err) CHECKED;
/* The keys that tokens are signed with, as they are now. */
int identity_fetch_keys(struct identity *id, struct arena *a, struct error *err);
/* The thread that follows the feed of revocations until id->stop. */
void *identity_follow(void *id);

#endif
