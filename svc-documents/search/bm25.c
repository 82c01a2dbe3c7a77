#include "svc-documents/search/bm25.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/search/index.h"

static const double k1 = 1.2, b = 0.6;
static const double common_worth = 0.3; /* of a function word, whose lists are not looked up */
static const double joined_worth = 0.5; /* of a name read as one word, beside its parts */

void corpus_init(struct corpus *c, struct corpus_document *documents, size_t count)
{
	int64_t terms = 0;

	*c = (struct corpus){ .documents = documents, .count = count };
	for (size_t i = 0; i < count; i++) {
		documents[i].base = c->chunks;
		c->chunks += documents[i].chunks;
		terms += documents[i].terms;
	}
	c->average = c->chunks ? (double)terms / (double)c->chunks : 1;
	c->all_documents = (double)count;
	c->all_chunks = (double)c->chunks;
}

void corpus_narrow(struct corpus *c, int64_t documents, int64_t chunks, int64_t terms)
{
	c->all_documents = fmax((double)documents, (double)c->count);
	c->all_chunks = fmax((double)chunks, (double)c->chunks);
	if (chunks > 0)
		c->average = (double)terms / (double)chunks;
}

/* Of n things, `with` have the term: rare ones tell more. Never negative. */
static double idf(double n, double with)
{
	return log(1 + (n - with + 0.5) / (with + 0.5));
}

/* idf of every term over chunks, and of each list's document how much it is about the term. */
static void weigh(struct query *q, struct corpus *c, const struct list *lists, size_t count, struct arena *a)
{
	double *chunks = arena_new(a, double, q->count), *documents = arena_new(a, double, q->count);

	for (size_t i = 0; i < count; i++) {
		struct index_reader r;

		index_reader_init(&r, lists[i].packed, lists[i].size);
		chunks[lists[i].term] += r.chunks;
		documents[lists[i].term]++;
	}
	for (size_t i = 0; i < q->count; i++) {
		struct query_term *t = &q->terms[i];
		double n = c->all_chunks, with = fmin(chunks[i], n);
		double worth = t->worth * (t->term.joined ? joined_worth : 1);

		t->idf = worth * (t->common ? common_worth : idf(n, with));
		t->telling = worth * idf(fmax(n, QUERY_CROWD), with);
	}
	for (size_t i = 0; i < count; i++) {
		struct index_reader r;

		index_reader_init(&r, lists[i].packed, lists[i].size);
		c->documents[lists[i].document].affinity += lists[i].worth * q->terms[lists[i].term].worth *
		                                            idf(c->all_documents, documents[lists[i].term]) *
		                                            r.occurrences / (r.occurrences + 3.0);
	}
}

static int by_score(const void *x, const void *y)
{
	const struct hit *a = x, *c = y;

	if (a->score != c->score)
		return a->score < c->score ? 1 : -1;
	if (a->document != c->document)
		return a->document > c->document ? 1 : -1;
	return (a->number > c->number) - (a->number < c->number);
}

/* Keep the best: a heap whose root is the worst of those kept. */
static void keep(struct hit *heap, size_t *n, size_t limit, struct hit h)
{
	size_t i;

	if (*n < limit) {
		for (i = (*n)++; i > 0 && by_score(&heap[(i - 1) / 2], &h) < 0; i = (i - 1) / 2)
			heap[i] = heap[(i - 1) / 2];
		heap[i] = h;
		return;
	}
	if (by_score(&h, &heap[0]) >= 0)
		return;
	for (i = 0; 2 * i + 1 < *n;) {
		size_t child = 2 * i + 1;

		if (child + 1 < *n && by_score(&heap[child + 1], &heap[child]) > 0)
			child++;
		if (by_score(&heap[child], &h) <= 0)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = h;
}

size_t bm25(struct query *q, struct corpus *c, const struct list *lists, size_t count, size_t limit,
            struct hit **ret, struct arena *a)
{
	float *scores = calloc(c->chunks + 1, sizeof *scores);
	size_t n = 0;

	if (!scores)
		abort();
	weigh(q, c, lists, count, a);
	for (size_t i = 0; i < count; i++) {
		const struct corpus_document *d = &c->documents[lists[i].document];
		double worth = lists[i].worth * q->terms[lists[i].term].idf * (k1 + 1);
		struct index_reader r;

		index_reader_init(&r, lists[i].packed, lists[i].size);
		while (index_reader_next(&r))
			if (r.number < d->chunks)
				scores[d->base + r.number] +=
				    (float)(worth * r.times /
				            (r.times + k1 * (1 - b + b * r.length / c->average)));
	}
	*ret = arena_new(a, struct hit, limit);
	for (size_t i = 0; i < c->count; i++)
		for (uint32_t k = 0; k < c->documents[i].chunks; k++)
			if (scores[c->documents[i].base + k] > 0)
				keep(*ret, &n, limit, (struct hit){ i, k, scores[c->documents[i].base + k] });
	free(scores);
	qsort(*ret, n, sizeof **ret, by_score);
	return n;
}
