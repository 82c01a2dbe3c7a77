#include "svc-chat/bots.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/id.h"
#include "common/db/db.h"
#include "common/rpc/envelope.h"
#include "common/service/channels.h"

enum { PLACES = 1024, FRESH_MS = 60 * 1000, BYTES_MAX = 32 << 20 };

struct bot {
	char id[UUID_TEXT], owner[UUID_TEXT];
	unsigned char *packed; /* NULL: the place is free */
	size_t size;
	int64_t until;
};

struct bots {
	struct db_listener *listener;
	pthread_mutex_t lock;
	uint64_t changes; /* heard of so far */
	size_t bytes;
	struct bot known[PLACES]; /* by the hash of the id */
};

/* The lock is held. */
static void forget(struct bots *bots, struct bot *bot)
{
	bots->bytes -= bot->size;
	free(bot->packed);
	*bot = (struct bot){ 0 };
}

/* what: a chatbot or an owner; NULL: nobody knows what. */
static void on_notify(void *arg, const char *channel, const char *what)
{
	struct bots *bots = arg;

	(void)channel;
	pthread_mutex_lock(&bots->lock);
	bots->changes++;
	for (size_t i = 0; i < PLACES; i++) {
		struct bot *bot = &bots->known[i];

		if (bot->packed && (!what || strcmp(bot->id, what) == 0 || strcmp(bot->owner, what) == 0))
			forget(bots, bot);
	}
	pthread_mutex_unlock(&bots->lock);
}

int bots_open(const char *database_url, struct bots **ret, struct error *err)
{
	static const char *const channels[] = { CHANNEL_CHATBOTS, NULL };
	struct bots *bots = calloc(1, sizeof *bots);

	if (!bots)
		abort();
	pthread_mutex_init(&bots->lock, NULL);
	*ret = bots;
	return db_listen(database_url, channels, on_notify, bots, &bots->listener, err);
}

void bots_close(struct bots *bots)
{
	if (!bots)
		return;
	db_listener_free(bots->listener);
	for (size_t i = 0; i < PLACES; i++)
		free(bots->known[i].packed);
	pthread_mutex_destroy(&bots->lock);
	free(bots);
}

int bots_find(struct bots *bots, const char *owner, const char *id, Chatbots__FoundChatbot **ret,
              uint64_t *seen, struct arena *a)
{
	const struct bot *bot = &bots->known[fnv1a(id) % PLACES];
	ProtobufCAllocator allocator = arena_allocator(a);
	const unsigned char *packed = NULL;
	size_t size = 0;

	pthread_mutex_lock(&bots->lock);
	*seen = bots->changes;
	if (bot->packed && strcmp(bot->id, id) == 0 && (!owner || strcmp(bot->owner, owner) == 0) &&
	    bot->until > clock_mono_ms()) {
		size = bot->size;
		packed = arena_memdup(a, bot->packed, size);
	}
	pthread_mutex_unlock(&bots->lock);
	if (!packed)
		return 0;
	*ret = chatbots__found_chatbot__unpack(&allocator, size, packed);
	return *ret != NULL;
}

void bots_keep(struct bots *bots, const Chatbots__FoundChatbot *found, uint64_t seen)
{
	struct bot *bot = &bots->known[fnv1a(found->chatbot->id) % PLACES];
	size_t size = chatbots__found_chatbot__get_packed_size(found);
	unsigned char *packed = malloc(size);

	if (!packed)
		abort();
	chatbots__found_chatbot__pack(found, packed);
	pthread_mutex_lock(&bots->lock);
	if (bots->changes != seen) {
		free(packed);
	} else {
		if (bots->bytes + size > BYTES_MAX) /* rare: begin again */
			for (size_t i = 0; i < PLACES; i++)
				forget(bots, &bots->known[i]);
		forget(bots, bot);
		snprintf(bot->id, sizeof bot->id, "%s", found->chatbot->id);
		snprintf(bot->owner, sizeof bot->owner, "%s", found->chatbot->owner_id);
		bot->packed = packed;
		bot->size = size;
		bot->until = clock_mono_ms() + FRESH_MS;
		bots->bytes += size;
	}
	pthread_mutex_unlock(&bots->lock);
}
