#include "common/service/sealer.h"

#include <openssl/crypto.h>
#include <string.h>

#include "auth.client.h"
#include "common/base/clock.h"
#include "common/secret/keyring.h"
#include "common/secret/secret.h"
#include "common/service/internal.h"

enum { FRESH_MS = 60 * 1000 };

static int fetch(struct call *call, struct sealer *s)
{
	Auth__KeyringRequest in = AUTH__KEYRING_REQUEST__INIT;
	struct keyring ring = { 0 };
	Auth__Keyring *out;

	in.purpose = "storage";
	if (auth_client_get_keyring(service_peer(call->service, "auth"), call, &in, &out) < 0)
		return -1;
	for (size_t i = 0; i < out->n_keys; i++)
		if (keyring_add(&ring, out->keys[i]->id, out->keys[i]->value.data, out->keys[i]->value.len,
		                call->err) < 0)
			return -1;
	if (ring.count == 0)
		return error_internal(call->err, "svc-auth has no key to seal with");
	pthread_mutex_lock(&s->lock);
	s->ring = ring;
	s->fetched_ms = clock_mono_ms();
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* A copy of the ring. 1: it is fresh, 0: it is old or was never fetched. */
static int known_ring(struct sealer *s, struct keyring *ret)
{
	int fresh;

	pthread_mutex_lock(&s->lock);
	*ret = s->ring;
	fresh = s->ring.count > 0 && clock_mono_ms() - s->fetched_ms < FRESH_MS;
	pthread_mutex_unlock(&s->lock);
	return fresh;
}

/* Sealed text begins with its key's id and a dot. */
static bool knows_key(const struct keyring *ring, const char *sealed)
{
	size_t length = strcspn(sealed, ".");

	for (int i = 0; i < ring->count; i++)
		if (strlen(ring->keys[i].id) == length && memcmp(ring->keys[i].id, sealed, length) == 0)
			return true;
	return false;
}

int sealer_seal(struct call *call, const char *context, const char *plain, char **ret)
{
	struct sealer *s = service_sealer(call->service);
	struct keyring ring;

	if (call_may_ask(call, WAITS_PEERS, "svc-auth for its keys") <
	    0) /* whether or not it has to this time */
		return -1;
	if (!known_ring(s, &ring)) {
		if (fetch(call, s) < 0)
			return -1;
		known_ring(s, &ring);
	}
	*ret = keyring_seal(&ring, context, plain, strlen(plain), call->arena);
	OPENSSL_cleanse(&ring, sizeof ring);
	return 0;
}

int sealer_open(struct call *call, const char *context, const char *sealed, char **ret)
{
	struct sealer *s = service_sealer(call->service);
	struct keyring ring;
	size_t size;
	int rc;

	if (call_may_ask(call, WAITS_PEERS, "svc-auth for its keys") < 0)
		return -1;
	known_ring(s, &ring);
	if (!knows_key(&ring, sealed)) {
		if (fetch(call, s) < 0)
			return -1;
		known_ring(s, &ring);
	}
	rc = keyring_open(&ring, context, sealed, ret, &size, call->arena, call->err);
	OPENSSL_cleanse(&ring, sizeof ring);
	return rc;
}
