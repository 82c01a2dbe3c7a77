#include "gateway/revocations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/id.h"

enum { FIRST_SIZE = 256 };

struct entry {
	struct entry *next;
	char id[UUID_TEXT];
	int64_t until; /* the last of its tokens expires */
};

struct revocations {
	struct entry **heads;
	unsigned size, count; /* size: a power of two */
};

struct revocations *revocations_new(void)
{
	struct revocations *r = calloc(1, sizeof *r);

	if (!r || !(r->heads = calloc(FIRST_SIZE, sizeof(struct entry *))))
		abort();
	r->size = FIRST_SIZE;
	return r;
}

void revocations_free(struct revocations *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->size; i++) {
		for (struct entry *e = r->heads[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(r->heads);
	free(r);
}

static struct entry **head(const struct revocations *r, const char *id)
{
	return &r->heads[fnv1a(id) & (r->size - 1)];
}

static struct entry *find(const struct revocations *r, const char *id)
{
	struct entry *e = *head(r, id);

	while (e && strcmp(e->id, id) != 0)
		e = e->next;
	return e;
}

/* A table that is full forgets what has expired, and doubles when that was not much. */
static void make_room(struct revocations *r, int64_t now)
{
	struct revocations bigger = { .size = r->size };
	unsigned expired = 0;

	if (r->count < r->size)
		return;
	for (unsigned i = 0; i < r->size; i++)
		for (struct entry *e = r->heads[i]; e; e = e->next)
			expired += e->until < now;
	if (expired < r->count / 2)
		bigger.size *= 2;
	assert(bigger.size > 0);
	bigger.heads = calloc(bigger.size, sizeof(struct entry *));
	if (!bigger.heads)
		abort();
	for (unsigned i = 0; i < r->size; i++) {
		for (struct entry *e = r->heads[i], *next; e; e = next) {
			struct entry **to = head(&bigger, e->id);

			next = e->next;
			if (e->until < now) {
				free(e);
				continue;
			}
			e->next = *to;
			*to = e;
			bigger.count++;
		}
	}
	free(r->heads);
	*r = bigger;
}

void revocations_add(struct revocations *r, const Auth__Revocation *what, int64_t now)
{
	int64_t until = what->has_until ? what->until : INT64_MAX;
	const char *id = what->session_id;
	struct entry *e, **to;

	if (!id || !uuid_valid(id))
		return;
	e = find(r, id);
	if (!e) {
		make_room(r, now);
		e = calloc(1, sizeof *e);
		if (!e)
			abort();
		memcpy(e->id, id, UUID_TEXT);
		to = head(r, id);
		e->next = *to;
		*to = e;
		r->count++;
	}
	if (until > e->until)
		e->until = until;
}

bool revocations_hit(const struct revocations *r, const struct token_claims *claims)
{
	return find(r, claims->session_id) != NULL;
}
