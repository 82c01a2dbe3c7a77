#include "svc-documents/ingest/room.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/id.h"

enum { PLACES = 256, KNOWN_MS = 5000, SHARE = 8 /* of what there is room for, one part */, MOST = 1000 };

/* An owner has the place of his name's hash; of two who share one the later counts. */
struct room {
	pthread_mutex_t lock;
	struct place {
		char owner[UUID_TEXT];
		int64_t until, left;
	} places[PLACES];
};

struct room *room_new(void)
{
	struct room *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void room_free(struct room *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

bool room_take(struct room *r, const char *owner, int64_t now)
{
	struct place *p = &r->places[fnv1a(owner) % PLACES];
	bool known;

	pthread_mutex_lock(&r->lock);
	known = now < p->until && p->left > 0 && strcmp(p->owner, owner) == 0;
	p->left -= known;
	pthread_mutex_unlock(&r->lock);
	return known;
}

void room_note(struct room *r, const char *owner, int64_t more, int64_t now)
{
	struct place *p = &r->places[fnv1a(owner) % PLACES];

	pthread_mutex_lock(&r->lock);
	strncpy(p->owner, owner, sizeof p->owner - 1);
	p->left = more / SHARE < MOST ? more / SHARE : MOST;
	p->until = now + KNOWN_MS;
	pthread_mutex_unlock(&r->lock);
}
