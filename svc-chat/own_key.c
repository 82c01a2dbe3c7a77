#include "svc-chat/own_key.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.client.h"
#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/id.h"
#include "svc-chat/state.h"
#include "svc-chat/turn/retrieve.h"

enum { PLACES = 256, FRESH_MS = 30 * 1000, KEY_MAX = 512, URL_MAX_BYTES = 512 };

struct own_key {
	char owner[UUID_TEXT];
	char key[KEY_MAX], url[URL_MAX_BYTES]; /* key "": there is none */
	int64_t until;
};

struct own_keys {
	pthread_mutex_t lock;
	struct own_key known[PLACES]; /* by the hash of the owner */
};

struct own_keys *own_keys_open(void)
{
	struct own_keys *keys = calloc(1, sizeof *keys);

	if (!keys)
		abort();
	pthread_mutex_init(&keys->lock, NULL);
	return keys;
}

void own_keys_close(struct own_keys *keys)
{
	pthread_mutex_destroy(&keys->lock);
	explicit_bzero(keys, sizeof *keys);
	free(keys);
}

static struct own_key *place_of(struct own_keys *keys, const char *owner)
{
	return &keys->known[fnv1a(owner) % PLACES];
}

static bool recall(struct own_keys *keys, const char *owner, struct own_key *ret)
{
	pthread_mutex_lock(&keys->lock);
	*ret = *place_of(keys, owner);
	pthread_mutex_unlock(&keys->lock);
	return strcmp(ret->owner, owner) == 0 && ret->until > clock_mono_ms();
}

/* What svc-auth says. A failure of it is no reason not to answer with the operator's key. */
static void look_up(struct call *call, struct own_key *ret)
{
	const struct chat *chat = chat_state(call);
	Auth__ProviderKeyRequest request = AUTH__PROVIDER_KEY_REQUEST__INIT;
	struct call near = retrieve_nearer(call);
	Auth__ProviderKey *found;
	struct error err = { 0 };

	*ret = (struct own_key){ .until = clock_mono_ms() + FRESH_MS };
	snprintf(ret->owner, sizeof ret->owner, "%s", call->owner_id);
	near.err = &err;
	if (auth_client_get_provider_key(chat->auth, &near, &request, &found) < 0 || !found->key ||
	    strlen(found->key) >= KEY_MAX || (found->base_url && strlen(found->base_url) >= URL_MAX_BYTES))
		return;
	memcpy(ret->key, found->key, strlen(found->key));
	if (found->base_url)
		memcpy(ret->url, found->base_url, strlen(found->base_url));
}

int own_key(struct call *call, const char **key, const char **url)
{
	const struct chat *chat = chat_state(call);
	struct own_key known;

	*key = *url = NULL;
	if (!call->owner_id)
		return 0;
	if (!recall(chat->own_keys, call->owner_id, &known)) {
		look_up(call, &known);
		pthread_mutex_lock(&chat->own_keys->lock);
		*place_of(chat->own_keys, call->owner_id) = known;
		pthread_mutex_unlock(&chat->own_keys->lock);
	}
	if (*known.key) {
		*key = arena_strdup(call->arena, known.key);
		*url = arena_strdup(call->arena, known.url);
	}
	explicit_bzero(&known, sizeof known);
	return 0;
}
