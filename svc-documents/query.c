#include "svc-documents/query.h"

#include <string.h>

int query_find(const struct query *q, uint64_t hash)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->terms[i].term.hash == hash)
			return (int)i;
	return -1;
}

/* "when", or "how many" and the like. */
static bool asks_number(const struct term *before, const struct term *t)
{
	if (strcmp(t->word, "when") == 0 || strcmp(t->word, "year") == 0)
		return true;
	return strcmp(before->word, "how") == 0 &&
	       (strcmp(t->word, "many") == 0 || strcmp(t->word, "much") == 0 ||
	        strcmp(t->word, "long") == 0 || strcmp(t->word, "old") == 0 || strcmp(t->word, "far") == 0 ||
	        strcmp(t->word, "large") == 0);
}

void query_parse(const char *text, struct sb_stemmer *stemmer, struct query *ret, struct arena *a)
{
	struct terms terms;
	struct term before = { .word = "" };

	*ret = (struct query){ .terms = arena_new(a, struct query_term, QUERY_TERMS),
		               .order = arena_new(a, size_t, QUERY_TERMS * 4) };
	terms_init(&terms, text, strlen(text), stemmer);
	for (struct term t; terms_next(&terms, &t) && ret->length < QUERY_TERMS * 4; before = t) {
		int i = query_find(ret, t.hash);

		ret->wants_number = ret->wants_number || asks_number(&before, &t);
		if (i < 0 && ret->count == QUERY_TERMS)
			continue;
		if (i < 0) {
			i = (int)ret->count++;
			ret->terms[i].term = t;
		}
		ret->order[ret->length++] = (size_t)i;
	}
}
