#include "svc-documents/search/lists.h"

#include <stdlib.h>
#include <string.h>

#include "documents.methods.h"
#include "svc-documents/search/small.h"
#include "svc-documents/store_small.h"

/* A small document's; by id. */
struct block {
	const char *id;
	int64_t generation;
	const struct cached *held; /* NULL: not small any more */
};

static int by_id(const void *key, const void *block)
{
	return strcmp(key, ((const struct block *)block)->id);
}

static struct block *block_of(const struct search *s, const char *id)
{
	return s->block_count ? bsearch(id, s->blocks, s->block_count, sizeof *s->blocks, by_id) : NULL;
}

/* Which documents are said to be small. */
static int name_blocks(struct call *call, struct search *s)
{
	struct small_document *all;
	size_t n;

	if (!s->large) {
		s->blocks = arena_new(call->arena, struct block, s->corpus.count);
		for (size_t i = 0; i < s->corpus.count; i++) {
			const struct corpus_document *d = &s->corpus.documents[i];

			if (d->small)
				s->blocks[s->block_count++] = (struct block){ d->id, d->generation, NULL };
		}
		return 0;
	}
	if (store_small_documents(call->db, s->scope->owner, &all, &n, call->arena, call->err) < 0)
		return -1;
	s->blocks = arena_new(call->arena, struct block, n);
	for (; s->block_count < n; s->block_count++)
		s->blocks[s->block_count] =
		    (struct block){ all[s->block_count].id, all[s->block_count].generation, NULL };
	return 0;
}

/* Those that are not in memory. */
static int read_blocks(struct call *call, struct search *s, char *const *missing, size_t n)
{
	const struct documents *svc = documents_state(call);
	struct small_block *read;
	size_t count;

	if (store_small_blocks(call->db, s->scope->owner, missing, n, &read, &count, call->arena, call->err) <
	    0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct block *b = block_of(s, read[i].id);
		struct stored_chunk chunk = { .number = CACHE_BLOCK,
			                      .id = "",
			                      .text = (const char *)read[i].block.data,
			                      .size = read[i].block.len };

		if (b && !b->held)
			b->held =
			    cache_add(svc->cache, b->id, read[i].generation, &chunk, (struct words){ 0 });
	}
	return 0;
}

/* Those whose lists have rows: also what was small a moment ago. */
static void name_rest(struct search *s, struct arena *a)
{
	char **ids = arena_new(a, char *, s->corpus.count);
	size_t n = 0;

	for (size_t i = 0; i < s->corpus.count; i++) {
		const struct block *b = block_of(s, s->corpus.documents[i].id);

		if (!b || !b->held)
			ids[n++] = (char *)s->corpus.documents[i].id;
	}
	s->rest = *s->scope;
	s->has_rest = s->large || n > 0;
	if (s->rest.ids) {
		s->rest.ids = ids;
		s->rest.count = n;
	}
}

int lists_open(struct call *call, struct search *s)
{
	const struct documents *svc = documents_state(call);
	char **missing;
	size_t n = 0;

	if (name_blocks(call, s) < 0)
		return -1;
	missing = arena_new(call->arena, char *, s->block_count);
	for (size_t i = 0; i < s->block_count; i++) {
		struct block *b = &s->blocks[i];

		b->held = cache_find(svc->cache, b->id, b->generation, CACHE_BLOCK);
		if (!b->held)
			missing[n++] = (char *)b->id;
	}
	if (n && read_blocks(call, s, missing, n) < 0)
		return -1;
	name_rest(s, call->arena);
	return 0;
}

/* Lists found so far. */
struct heap {
	struct found_list *at;
	size_t count, room;
	struct arena *arena;
};

static void push(struct heap *h, const struct found_list *l)
{
	if (h->count == h->room) {
		struct found_list *more;

		h->room = h->room ? h->room * 2 : 256;
		more = arena_alloc(h->arena, h->room * sizeof *more);
		if (h->count)
			memcpy(more, h->at, h->count * sizeof *more);
		h->at = more;
	}
	h->at[h->count++] = *l;
}

static void find_in(const struct block *b, const uint64_t *hashes, size_t n, struct heap *h)
{
	const uint8_t *block = (const uint8_t *)b->held->chunk.text;
	struct index_list list;

	for (size_t i = 0; i < n; i++)
		if (small_find(block, b->held->chunk.size, hashes[i], &list)) {
			struct found_list l = { .hash = list.term, .packed = list.packed, .size = list.size };

			strncpy(l.document, b->id, sizeof l.document - 1);
			push(h, &l);
		}
}

int lists_find(struct call *call, const struct search *s, bool near, struct found_list **ret, size_t *count)
{
	uint64_t hashes[QUERY_HASHES];
	size_t n = query_hashes(&s->query, near, hashes), rows = 0;
	struct found_list *in_rows = NULL;
	struct heap found = { .arena = call->arena };

	if (s->has_rest && store_lists(call->db, &s->rest, &s->query, near, s->most, &in_rows, &rows,
	                               call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < rows; i++) {
		const struct block *b = block_of(s, in_rows[i].document);

		if (!b || !b->held) /* else it was spread since its block was read */
			push(&found, &in_rows[i]);
	}
	for (size_t i = 0; i < s->block_count; i++)
		if (s->blocks[i].held)
			find_in(&s->blocks[i], hashes, n, &found);
	*ret = found.at;
	*count = found.count;
	return 0;
}

void lists_close(struct call *call, struct search *s)
{
	const struct documents *svc = documents_state(call);

	for (size_t i = 0; i < s->block_count; i++)
		if (s->blocks[i].held)
			cache_release(svc->cache, s->blocks[i].held);
}
