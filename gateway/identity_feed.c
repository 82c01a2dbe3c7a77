#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth.client.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/json/json_message.h"
#include "gateway/identity_internal.h"
#include "shapes.h"

enum {
	POLL_MS = 1500, /* well below IDENTITY_TRUST_MS */
	CALL_MS = 3000,
	PAUSE_MS = 200, /* between two attempts to find the feed again */
};

/* --- Asking svc-auth ---------------------------------------------------------------------------------------------- */

int identity_ask(struct identity *id, unsigned method, const ProtobufCMessage *in, const char *request_id,
                 struct arena *a, ProtobufCMessage **ret, struct error *err)
{
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct rpc_context ctx = { .arena = a,
		                   .err = err,
		                   .caller = &caller,
		                   .request_id = request_id,
		                   .deadline = clock_unix_ms() + CALL_MS };

	caller.has_kind = 1;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	return rpc_call(id->auth, &ctx, &auth_client_methods[method], in, ret);
}

int identity_fetch_keys(struct identity *id, struct arena *a, struct error *err)
{
	Auth__KeyringRequest in = AUTH__KEYRING_REQUEST__INIT;
	ProtobufCMessage *out;
	const Auth__Keyring *answer;
	struct keyring ring = { 0 };

	in.purpose = "token";
	if (identity_ask(id, AUTH_METHOD_GET_KEYRING, &in.base, NULL, a, &out, err) < 0)
		return -1;
	answer = (const Auth__Keyring *)out;
	for (size_t i = 0; i < answer->n_keys; i++)
		if (keyring_add(&ring, answer->keys[i]->id, answer->keys[i]->value.data,
		                answer->keys[i]->value.len, err) < 0)
			return -1;
	pthread_rwlock_wrlock(&id->lock);
	id->ring = ring;
	id->generation++;
	pthread_rwlock_unlock(&id->lock);
	atomic_store(&id->fetched_ms, clock_mono_ms());
	return 0;
}

/* --- Following the feed ------------------------------------------------------------------------------------------- */

struct feed {
	char stream[80];
	int64_t after;
};

static void take_revocation(struct identity *id, struct revocations *into, const Auth__Revocation *what)
{
	revocations_add(into, what, clock_unix_ms() / 1000);
	api_keys_drop(id->keys, what);
}

/* All that is revoked so far, and where to go on. From nothing: what we missed is in there. */
static int begin(struct identity *id, struct feed *feed, struct arena *a, struct error *err)
{
	struct revocations *fresh = revocations_new(), *old;
	Auth__FollowRequest in = AUTH__FOLLOW_REQUEST__INIT;
	const Auth__Revocations *page = NULL;

	api_keys_clear(id->keys);
	do {
		ProtobufCMessage *out;

		if (page) {
			in.has_page = 1;
			in.page = page->next;
		}
		if (identity_ask(id, AUTH_METHOD_FOLLOW_REVOCATIONS, &in.base, NULL, a, &out, err) < 0)
			goto failed;
		page = (const Auth__Revocations *)out;
		for (size_t i = 0; i < page->n_revoked; i++)
			take_revocation(id, fresh, page->revoked[i]);
		if (in.has_page)
			continue;
		if (!page->stream || strlen(page->stream) >= sizeof feed->stream) {
			error_internal(err, "svc-auth named no stream");
			goto failed;
		}
		memcpy(feed->stream, page->stream, strlen(page->stream) + 1);
		feed->after = page->after;
	} while (page->has_next);
	if (identity_fetch_keys(id, a, err) < 0)
		goto failed;
	pthread_rwlock_wrlock(&id->lock);
	old = id->revoked;
	id->revoked = fresh;
	pthread_rwlock_unlock(&id->lock);
	revocations_free(old);
	return 0;
failed:
	revocations_free(fresh);
	return -1;
}

static int take_event(struct identity *id, const Rpc__Event *event, struct arena *a, struct error *err)
{
	OWN(json) json_object *object = NULL;
	ProtobufCMessage *what;

	if (!strcmp(event->name, "keys"))
		return identity_fetch_keys(id, a, err);
	if (!strcmp(event->name, "reset"))
		return error_busy(err, 1, "the feed has dropped events");
	if (strcmp(event->name, "revoked") != 0)
		return 0; /* of a newer svc-auth */
	if (json_parse(event->data, strlen(event->data), &object, err) < 0)
		return -1;
	what = message_new(&auth__revocation__descriptor, a);
	if (json_to_message(object, &shape_auth__revocation, what, a, err) < 0)
		return -1;
	pthread_rwlock_wrlock(&id->lock);
	revocations_add(id->revoked, (const Auth__Revocation *)what, clock_unix_ms() / 1000);
	pthread_rwlock_unlock(&id->lock);
	api_keys_drop(id->keys, (const Auth__Revocation *)what);
	return 0;
}

static int poll_feed(struct identity *id, struct feed *feed, struct arena *a, struct error *err)
{
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct rpc_context ctx = { .arena = a, .err = err, .caller = &caller };
	Rpc__NextReply *news;

	caller.has_kind = 1;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	if (rpc_next(id->auth, &ctx, feed->stream, feed->after, POLL_MS, &news) < 0)
		return -1;
	for (size_t i = 0; i < news->n_events; i++) {
		if (take_event(id, news->events[i], a, err) < 0)
			return -1;
		feed->after = news->events[i]->sequence;
	}
	atomic_store(&id->heard_ms, clock_mono_ms());
	return news->end ? error_busy(err, 1, "the feed has ended") : 0;
}

void *identity_follow(void *arg)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct identity *id = arg;
	struct feed feed = { .after = 0 };
	bool following = false;
	struct arena a;

	arena_init(&a, 0);
	while (!atomic_load(&id->stop)) {
		struct error err = { 0 };
		bool was_following = following;
		int rc = following ? poll_feed(id, &feed, &a, &err) : begin(id, &feed, &a, &err);

		following = rc == 0;
		if (following && !was_following) {
			atomic_store(&id->heard_ms, clock_mono_ms());
			log_line(LOG_INFO, "following revocations");
		} else if (!following && was_following) {
			log_line(LOG_WARN, "lost the feed of revocations", LOG_TEXT("why", err.message),
			         LOG_TEXT("detail", err.detail));
		} else if (!following) {
			nanosleep(&pause, NULL);
		}
		arena_reset(&a);
	}
	arena_done(&a);
	return NULL;
}
