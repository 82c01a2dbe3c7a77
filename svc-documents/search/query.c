#include "svc-documents/search/query.h"

#include <string.h>

int query_find(const struct query *q, uint64_t hash)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->terms[i].term.hash == hash)
			return (int)i;
	return -1;
}

/* A question of nothing but function words ("to be or not to be") means them. */
static void take_seriously(struct query *q)
{
	for (size_t i = 0; i < q->count; i++)
		if (!q->terms[i].term.common)
			return;
	for (size_t i = 0; i < q->count; i++)
		q->terms[i].term.common = false;
}

void query_parse(const char *text, struct sb_stemmer *stemmer, struct query *ret, struct arena *a)
{
	struct terms terms;

	*ret = (struct query){ .terms = arena_new(a, struct query_term, QUERY_TERMS),
		               .order = arena_new(a, size_t, QUERY_TERMS * 4) };
	terms_init(&terms, text, strlen(text), stemmer);
	for (struct term t; terms_next(&terms, &t) && ret->length < QUERY_TERMS * 4;) {
		int i = query_find(ret, t.hash);

		if (i < 0 && ret->count == QUERY_TERMS)
			continue;
		if (i < 0) {
			i = (int)ret->count++;
			ret->terms[i].term = t;
		}
		ret->order[ret->length++] = (size_t)i;
	}
	take_seriously(ret);
}
