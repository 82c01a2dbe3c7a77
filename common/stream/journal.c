#include "common/stream/journal.h"

#include <stdlib.h>
#include <string.h>

struct journal_block {
	int64_t first; /* sequence */
	uint32_t count;
	uint32_t used, room; /* bytes */
	char bytes[];
};

/* Bytes of a block with its header and malloc's own: each twice the one before. A larger event has a block to itself. */
enum { MALLOCS = 16, SMALLEST = 256, LARGEST = 4096 };

static struct journal_block *last_block(const struct journal *j)
{
	return j->count ? j->blocks[j->count - 1] : NULL;
}

static struct journal_block *add_block(struct journal *j, int64_t first, size_t least)
{
	const struct journal_block *before = last_block(j);
	size_t overhead = sizeof(struct journal_block) + MALLOCS;
	size_t whole = before ? 2 * (before->room + overhead) : SMALLEST;
	struct journal_block *b;

	whole = whole < LARGEST ? whole : LARGEST;
	if (whole - overhead < least)
		whole = least + overhead;
	if (j->count == j->room) {
		j->room = j->room ? 2 * j->room : 4;
		j->blocks = realloc(j->blocks, j->room * sizeof(struct journal_block *));
	}
	b = malloc(whole - MALLOCS);
	if (!b || !j->blocks)
		abort();
	*b = (struct journal_block){ .first = first, .room = (uint32_t)(whole - overhead) };
	j->blocks[j->count++] = b;
	j->bytes += whole;
	return b;
}

void journal_add(struct journal *j, int64_t sequence, const char *name, const char *data)
{
	size_t name_size = strlen(name) + 1, data_size = strlen(data) + 1;
	struct journal_block *b = last_block(j);

	if (!b || b->room - b->used < name_size + data_size || b->first + b->count != sequence)
		b = add_block(j, sequence, name_size + data_size);
	memcpy(b->bytes + b->used, name, name_size);
	memcpy(b->bytes + b->used + name_size, data, data_size);
	b->used += (uint32_t)(name_size + data_size);
	b->count++;
	j->events++;
	j->last = sequence;
}

struct journal_place journal_after(const struct journal *j, int64_t sequence)
{
	size_t low = 0, high = j->count;
	struct journal_place place;
	Rpc__Event skipped;

	while (low < high) { /* the first block that ends behind it */
		size_t middle = (low + high) / 2;
		const struct journal_block *b = j->blocks[middle];

		if (b->first + b->count - 1 > sequence)
			high = middle;
		else
			low = middle + 1;
	}
	place = (struct journal_place){ .block = low };
	while (low < j->count && j->blocks[low]->first + place.event <= sequence)
		(void)journal_next(j, &place, &skipped);
	return place;
}

bool journal_next(const struct journal *j, struct journal_place *place, Rpc__Event *ret)
{
	const struct journal_block *b;

	if (place->block < j->count && place->event == j->blocks[place->block]->count)
		*place = (struct journal_place){ .block = place->block + 1 };
	if (place->block == j->count)
		return false;
	b = j->blocks[place->block];
	if (!place->event)
		place->at = b->bytes;
	rpc__event__init(ret);
	ret->has_sequence = true;
	ret->sequence = b->first + place->event++;
	ret->name = (char *)place->at;
	ret->data = ret->name + strlen(ret->name) + 1;
	place->at = ret->data + strlen(ret->data) + 1;
	return true;
}

Rpc__Event **journal_view(const struct journal *j, struct journal_place place, size_t n)
{
	Rpc__Event **list = malloc(n * (sizeof *list + sizeof **list) + 1);
	Rpc__Event *events = (Rpc__Event *)(list + n);

	if (!list)
		abort();
	for (size_t i = 0; i < n && journal_next(j, &place, &events[i]); i++)
		list[i] = &events[i];
	return list;
}

void journal_drop(struct journal *j, int64_t sequence)
{
	size_t n = 0;

	while (n + 1 < j->count && j->blocks[n + 1]->first <= sequence + 1) {
		j->bytes -= sizeof(struct journal_block) + j->blocks[n]->room + MALLOCS;
		j->events -= j->blocks[n]->count;
		free(j->blocks[n++]);
	}
	j->count -= n;
	if (n)
		memmove(j->blocks, j->blocks + n, j->count * sizeof(struct journal_block *));
}

void journal_done(struct journal *j)
{
	for (size_t i = 0; i < j->count; i++)
		free(j->blocks[i]);
	free(j->blocks);
}
